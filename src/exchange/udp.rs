//! Where the datagrams of a UDP session go.

use std::net::SocketAddr;
use std::sync::Arc;

/// Picks a server for each session.
pub trait UdpService: Send + Sync + 'static {
    /// `host:port` of the server for a session of `client`; None: there is none.
    fn pick(&self, client: SocketAddr) -> Option<Arc<str>>;

    /// Whether every datagram of a session must be asked about, see [`UdpService::passes`].
    fn is_limited(&self) -> bool {
        false
    }

    /// Whether a further datagram of a session may pass.
    fn passes(&self, _client: SocketAddr) -> bool {
        true
    }
}

/// Judges the datagrams of a router.
pub trait UdpFilter: Send + Sync + 'static {
    fn admits(&self, client: SocketAddr) -> bool;

    /// Whether it looks at every datagram; else only at the first of a session.
    fn is_per_datagram(&self) -> bool {
        false
    }
}
