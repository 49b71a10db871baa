//! [`Resolver`]: answers the TLS stack's question for a certificate out of a [`CertificateStore`].

use std::net::IpAddr;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::CertificateStore;

/// The protocol of the TLS-ALPN challenge: only certificates made for a challenge may answer it.
pub(crate) const CHALLENGE: &[u8] = b"acme-tls/1";

/// One per TLS options, all over the same store.
#[derive(Debug)]
pub(crate) struct Resolver {
    pub(crate) store: Arc<CertificateStore>,
    /// No certificate for the name: no handshake, instead of the default certificate.
    pub(crate) strict: bool,
    /// Stands for the name when the client gave none: where it connected to.
    pub(crate) local: Option<IpAddr>,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.alpn().is_some_and(|mut protocols| protocols.any(|protocol| protocol == CHALLENGE)) {
            return None;
        }
        let found = match hello.server_name() {
            // Nearly every client sends it in lower case already.
            Some(name) if name.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                self.store.find(&name.to_ascii_lowercase())
            }
            Some(name) => self.store.find(name),
            None => self.local.and_then(|address| self.store.find_address(address)),
        };
        match found {
            None if !self.strict => self.store.default_certificate(),
            found => found,
        }
    }
}
