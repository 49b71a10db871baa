//! [`Challenges`]: certificates that answer the TLS-ALPN challenge, beside the configuration and in force at once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::TlsError;
use crate::resolver::CHALLENGE;

/// Names that may be proved at the same time; more are refused.
const MOST: usize = 1024;

type ByName = HashMap<Box<str>, Arc<ServerConfig>>;

/// Shows one certificate as it is. The stack's own way, `with_single_cert`, parses it first and refuses the critical
/// extension in which the authority finds its answer.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Shared by whoever asks for certificates and the entry points. Only handshakes that offer `acme-tls/1` look inside.
#[derive(Clone, Debug, Default)]
pub struct Challenges(Arc<RwLock<ByName>>);

impl Challenges {
    /// From now on this certificate answers challenges for the name, which must be lower-case.
    pub fn put(&self, name: &str, chain: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Result<(), TlsError> {
        let provider = Arc::new(crate::provider());
        let key = provider.key_provider.load_private_key(key)?;
        let shown = Arc::new(Shown(Arc::new(CertifiedKey::new(vec![chain], key))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(shown);
        config.alpn_protocols = vec![CHALLENGE.to_vec()];
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= MOST && !map.contains_key(name) {
            return Err(TlsError::NothingLeft("too many names are being proved at once"));
        }
        map.insert(name.into(), Arc::new(config));
        Ok(())
    }

    pub fn remove(&self, name: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Whether a challenge is expected for that name, which must be lower-case, and these protocols ask for it.
    pub fn expects<'a>(&self, name: &str, mut protocols: impl Iterator<Item = &'a [u8]>) -> bool {
        protocols.any(|protocol| protocol == CHALLENGE)
            && self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    /// What answers this handshake, if it is a challenge's and one is expected.
    pub fn find(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        if !hello.alpn()?.any(|protocol| protocol == CHALLENGE) {
            return None;
        }
        let name = hello.server_name()?.to_ascii_lowercase();
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name.as_str()).map(Arc::clone)
    }
}
