//! TLS towards somebody else: an engine, a store, a collector.

use super::section::section;
use crate::Secret;

section! {
    /// TLS of a client. Each part is a file name or the PEM itself.
    pub struct ClientTls {
        /// Certificate authority that signs the other side.
        pub ca: String = String::new(),
        /// Certificate shown to the other side.
        pub cert: String = String::new(),
        /// Key of that certificate.
        pub key: Secret = Secret::default(),
        /// Accepts whatever certificate the other side shows.
        pub insecure_skip_verify: bool = false,
    }

    /// Which SPIFFE identities are accepted.
    pub struct Spiffe {
        /// Accepted identities.
        pub ids: Vec<String> = Vec::new(),
        /// Accepted trust domain.
        pub trust_domain: String = String::new(),
    }
}
