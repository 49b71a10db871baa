//! What is known of a client's connection.

use std::cell::OnceCell;
use std::net::SocketAddr;
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
    text: OnceCell<Box<str>>,
}

impl ConnectionInfo {
    pub fn new(entry_point: Arc<str>, peer: SocketAddr, local: SocketAddr, tls: Option<Arc<TlsInfo>>) -> Self {
        Self { entry_point, peer, local, tls, text: OnceCell::new() }
    }

    /// The peer's address as text, without its port; worked out once for all requests.
    pub fn peer_text(&self) -> &str {
        self.text.get_or_init(|| self.peer.ip().to_string().into())
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
