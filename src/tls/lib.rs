//! Certificates and handshakes: which certificate a name gets, under which terms, towards clients and towards servers.
//!
//! Knows no sockets and no routes: the server asks [`TlsState::resolve`] with the name of the options that a route
//! settled, the proxy asks [`client_config`]. What must hold: options that could not be built close connections, they
//! never open them; a certificate that could not be read is left out and said.

pub mod challenges;
pub mod client;
mod client_auth;
pub mod ocsp;
mod options;
pub mod parameters;
pub mod pem;
mod pinned;
mod resolver;
pub mod self_signed;
mod state;
mod store;
mod version_one;

use rustls::crypto::CryptoProvider;

pub use challenges::Challenges;
pub use client::{ClientTls, client_config};
pub use pem::{PemError, file_or_content};
pub use state::{Resolved, TlsState};
pub use store::{CertificateStore, StoredCertificate};

/// Why something of TLS could not be built.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error("{0} is not a TLS version, expected VersionTLS12 or VersionTLS13")]
    UnknownVersion(String),
    #[error("{0} is not a cipher suite")]
    UnknownCipherSuite(String),
    #[error("{0} is not a curve")]
    UnknownCurve(String),
    /// The versions, suites and curves that were asked for leave nothing to speak with.
    #[error("no protocol version or cipher suite is left: {0}")]
    NothingLeft(&'static str),
    #[error("{0} is not a kind of client authentication")]
    UnknownClientAuth(String),
    #[error("client authentication {0} needs caFiles")]
    NoAuthority(String),
    #[error("spiffe cannot be set together with other TLS settings")]
    Spiffe,
    #[error("the authorities of client certificates cannot be used: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

/// The one cryptography of this program, with suites in the order of Go's preference, so that a client which leaves the
/// choice to us sees the same suite as before.
pub fn provider() -> CryptoProvider {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| parameters::preference(suite.suite()));
    provider
}
