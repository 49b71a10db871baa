//! Where the datagrams of a UDP session go.

use std::net::SocketAddr;
use std::sync::Arc;

/// Picks a server for each session.
pub trait UdpService: Send + Sync + 'static {
    /// `host:port` of the server for a session of `client`; None: there is none.
    fn pick(&self, client: SocketAddr) -> Option<Arc<str>>;
}
