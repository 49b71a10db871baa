//! What is known of a client's connection.

use std::cell::OnceCell;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

/// One client connection; shared by all of its requests.
#[derive(Clone, Debug)]
pub struct ConnectionInfo {
    /// The entry point's name.
    pub entry_point: Arc<str>,
    /// The client: the socket's peer, or what a trusted PROXY header said.
    pub peer: SocketAddr,
    /// Where it connected to.
    pub local: SocketAddr,
    pub tls: Option<Arc<TlsInfo>>,
    /// The peer's address as text, once somebody has asked for it.
    text: OnceCell<PeerText>,
}

/// An address with its port, and where in it both of them are.
#[derive(Clone, Debug)]
struct PeerText {
    whole: Box<str>,
    host: Range<usize>,
    port: usize,
}

impl PeerText {
    fn of(peer: SocketAddr) -> Self {
        let whole = peer.to_string();
        // Brackets and the scope are told with the port only.
        let start = usize::from(peer.is_ipv6());
        let host = start..whole.find(['%', ']']).unwrap_or(whole.rfind(':').unwrap_or(whole.len()));
        let port = whole.rfind(':').map_or(whole.len(), |at| at + 1);
        Self { whole: whole.into(), host, port }
    }
}

impl ConnectionInfo {
    pub fn new(entry_point: Arc<str>, peer: SocketAddr, local: SocketAddr, tls: Option<Arc<TlsInfo>>) -> Self {
        Self { entry_point, peer, local, tls, text: OnceCell::new() }
    }

    /// The peer's address as text, without its port; worked out once for all requests.
    pub fn peer_text(&self) -> &str {
        let text = self.text();
        &text.whole[text.host.clone()]
    }

    /// The same with its port.
    pub fn peer_with_port(&self) -> &str {
        &self.text().whole
    }

    /// Its port alone.
    pub fn peer_port(&self) -> &str {
        let text = self.text();
        &text.whole[text.port..]
    }

    fn text(&self) -> &PeerText {
        self.text.get_or_init(|| PeerText::of(self.peer))
    }
}

/// What the TLS handshake settled.
#[derive(Clone, Debug, Default)]
pub struct TlsInfo {
    /// `1.2` or `1.3`, as Traefik's logs and metrics spell it.
    pub version: &'static str,
    /// IANA name of the cipher suite.
    pub cipher: &'static str,
    /// The name the client asked for, lower-cased.
    pub server_name: Option<Box<str>>,
    pub alpn: Option<Bytes>,
    /// DER of the client's certificates, leaf first.
    pub client_certificates: Vec<Bytes>,
    /// The qualified name of the TLS options in force (`default`, `strict@file`).
    pub options: Arc<str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, host: &str, port: &str) {
        let peer: SocketAddr = peer.parse().unwrap();
        let connection = ConnectionInfo::new("web".into(), peer, peer, None);
        assert_eq!(connection.peer_with_port(), peer.to_string());
        assert_eq!((connection.peer_text(), connection.peer_port()), (host, port));
        assert_eq!(connection.peer_text(), peer.ip().to_string());
    }

    #[test]
    fn peers_are_told_with_and_without_their_port() {
        check("127.0.0.1:80", "127.0.0.1", "80");
        check("[2001:db8::1]:8080", "2001:db8::1", "8080");
        check("[fe80::1%3]:0", "fe80::1", "0");
    }
}
