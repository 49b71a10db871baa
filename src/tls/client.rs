//! TLS towards servers: whom we believe, and as whom we come.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tracing::warn;
use trafficcop_config::dynamic::http::CertificatePair;

use crate::parameters::{self, ProtocolVersion};
use crate::pinned::{Pinned, Trusting, UriChecked};
use crate::{TlsError, pem};

/// What a servers transport, an auth middleware or a provider says of TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientTls {
    /// The name to ask for and to check, instead of the server's host. The dialler hands it to the connector; it has no
    /// part in the configuration built here.
    pub server_name: String,
    pub insecure_skip_verify: bool,
    /// File names or PEM; empty: the authorities of this machine.
    pub root_cas: Vec<String>,
    /// Our own certificates. The first whose signature the server accepts is sent.
    pub certificates: Vec<CertificatePair>,
    pub cipher_suites: Vec<String>,
    pub min_version: String,
    pub max_version: String,
    /// The server's certificate must hold this URI among its names; empty: no such check.
    pub peer_cert_uri: String,
    /// Protocols to offer, best first; empty: no ALPN.
    pub alpn: Vec<Vec<u8>>,
}

/// The configuration for connections to servers. Reads files: for the control plane, not for a worker.
pub fn client_config(tls: &ClientTls) -> Result<Arc<ClientConfig>, TlsError> {
    let mut provider = crate::provider();
    for name in parameters::narrow_suites(&mut provider, &tls.cipher_suites)? {
        warn!(cipher_suite = name, "Cipher suite has no effect: this TLS stack does not have it.");
    }
    let provider = Arc::new(provider);
    let min = version(&tls.min_version, ProtocolVersion::Tls12)?;
    let max = version(&tls.max_version, ProtocolVersion::Tls13)?;
    let versions = parameters::versions(min, max);
    if versions.is_empty() {
        return Err(TlsError::NothingLeft("minVersion is above maxVersion, or maxVersion is below TLS 1.2"));
    }
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&versions)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier(tls, &provider)?);
    let mut config = match identity(tls, &provider)? {
        None => builder.with_no_client_auth(),
        Some(resolver) => builder.with_client_cert_resolver(resolver),
    };
    config.alpn_protocols.clone_from(&tls.alpn);
    Ok(Arc::new(config))
}

fn version(name: &str, unset: ProtocolVersion) -> Result<ProtocolVersion, TlsError> {
    if name.is_empty() {
        return Ok(unset);
    }
    ProtocolVersion::named(name).ok_or_else(|| TlsError::UnknownVersion(name.to_owned()))
}

fn verifier(
    tls: &ClientTls,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::client::danger::ServerCertVerifier>, TlsError> {
    let (roots, given) = roots(&tls.root_cas)?;
    let checked: Arc<dyn rustls::client::danger::ServerCertVerifier> = if tls.insecure_skip_verify {
        Arc::new(Trusting::new(Arc::clone(provider)))
    } else {
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider)).build()?;
        if given.is_empty() { chain } else { Arc::new(Pinned::new(chain, given)) }
    };
    if tls.peer_cert_uri.is_empty() {
        return Ok(checked);
    }
    Ok(Arc::new(UriChecked::new(checked, tls.peer_cert_uri.clone(), roots, Arc::clone(provider))))
}

/// The authorities to believe, and those of them that were named.
fn roots(files: &[String]) -> Result<(Arc<RootCertStore>, Vec<CertificateDer<'static>>), TlsError> {
    if files.is_empty() {
        return Ok((machine_roots(), Vec::new()));
    }
    let mut store = RootCertStore::empty();
    let mut given = Vec::new();
    for file in files {
        for certificate in pem::certificates(file)? {
            // What cannot be an authority (no version 3, say) may still be the very certificate the server shows.
            let _not_an_authority = store.add(certificate.clone());
            given.push(certificate);
        }
    }
    Ok((Arc::new(store), given))
}

/// The authorities of this machine (`SSL_CERT_FILE` and `SSL_CERT_DIR` count), or Mozilla's where there are none, as in
/// an image made from scratch. Read once.
pub fn machine_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    Arc::clone(ROOTS.get_or_init(|| {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if store.is_empty() {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Arc::new(store)
    }))
}

fn identity(tls: &ClientTls, provider: &CryptoProvider) -> Result<Option<Arc<Identities>>, TlsError> {
    let mut keys = Vec::new();
    for pair in &tls.certificates {
        let chain = pem::certificates(&pair.cert_file)?;
        let key = pem::private_key(&pair.key_file)?;
        keys.push(Arc::new(rustls::sign::CertifiedKey::from_der(chain, key, provider)?));
    }
    Ok((!keys.is_empty()).then(|| Arc::new(Identities(keys))))
}

/// Our certificates: the first that the server can check.
#[derive(Debug)]
struct Identities(Vec<Arc<rustls::sign::CertifiedKey>>);

impl rustls::client::ResolvesClientCert for Identities {
    fn resolve(
        &self,
        _authorities: &[&[u8]],
        schemes: &[rustls::SignatureScheme],
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        self.0.iter().find(|key| key.key.choose_scheme(schemes).is_some()).cloned()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
