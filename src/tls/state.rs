//! [`TlsState`]: all of TLS that a snapshot holds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::ClientHello;
use trafficcop_config::dynamic::tls::{Certificate, Store, Tls};
use trafficcop_config::error::{ConfigError, Problem};
use trafficcop_config::{At, Origin};

use crate::options::{self, BuiltOptions};
use crate::resolver::Resolver;
use crate::self_signed::SelfSigned;
use crate::store::{DefaultCertificate, StoredCertificate};
use crate::{CertificateStore, TlsError};

/// The name of the options and of the store that need no provider.
const DEFAULT: &str = "default";

/// Certificates and options, built; immutable.
#[derive(Debug)]
pub struct TlsState {
    store: Arc<CertificateStore>,
    /// By qualified name. None: the options are broken.
    options: HashMap<Box<str>, Option<BuiltOptions>, foldhash::fast::RandomState>,
    warnings: Vec<ConfigError>,
}

/// What a handshake shall follow.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub config: Arc<ServerConfig>,
    /// The qualified name of the options.
    pub options: Arc<str>,
}

impl TlsState {
    /// Builds the merged TLS section: option names qualified (`strict@file`), but for `default`. When it holds no
    /// options `default`, handshakes that need them fail: whoever merges puts Traefik's own there, unless two providers
    /// disagree about them. Reads files; `previous` lends what did not change, and its self-signed certificate.
    ///
    /// What could not be built is left out of the state and told in the second part.
    pub fn build(tls: &Tls, previous: Option<&Self>) -> (Self, Vec<ConfigError>) {
        let mut errors = Vec::new();
        let mut warnings = Vec::new();
        let known = previous.map(|previous| &*previous.store);
        let provider = crate::provider();

        let mut certificates = Vec::new();
        for (index, certificate) in tls.certificates.iter().enumerate() {
            let path = format!("tls.certificates[{index}]");
            match StoredCertificate::load(&certificate.cert_file, &certificate.key_file, known, &provider) {
                Ok(stored) if is_for_default(certificate) => certificates.push(stored),
                Ok(_) => warnings.push(problem(
                    &certificate.at,
                    &path,
                    format!("only the store default is ever asked, not {}", certificate.stores.join(", ")),
                )),
                Err(error) => errors.push(problem(&certificate.at, &path, error.to_string())),
            }
        }
        let default = default_certificate(
            tls.stores.get(DEFAULT).map(|store| &**store),
            &certificates,
            known,
            &provider,
            &mut errors,
        );
        let store = Arc::new(CertificateStore::new(certificates, default));

        let mut options = HashMap::default();
        for (name, asked) in &tls.options {
            let path = format!("tls.options.{name}");
            let before = previous.and_then(|previous| previous.options.get(name.as_str())).and_then(Option::as_ref);
            let built = match options::build(name, asked, &store, before) {
                Ok((built, notes)) => {
                    warnings.extend(notes.into_iter().map(|note| problem(&asked.at, &path, note)));
                    Some(built)
                }
                Err(error) => {
                    errors.push(problem(&asked.at, &path, error.to_string()));
                    None
                }
            };
            options.insert(name.as_str().into(), built);
        }
        (Self { store, options, warnings }, errors)
    }

    /// What the handshake with a client at our address `local` shall follow, under the options of that qualified name.
    /// None: unknown or broken options, and the connection must be closed.
    pub fn resolve(&self, options: &str, hello: &ClientHello<'_>, local: IpAddr) -> Option<Resolved> {
        let built = self.options.get(options)?.as_ref()?;
        let options = Arc::clone(&built.name);
        let by_address = hello.server_name().is_none() && self.store.find_address(local).is_some();
        let without_alpn = is_left_out(&built.config.alpn_protocols, hello);
        if !by_address && !without_alpn {
            return Some(Resolved { config: Arc::clone(&built.config), options });
        }
        let mut config = ServerConfig::clone(&built.config);
        if by_address {
            let store = Arc::clone(&self.store);
            config.cert_resolver = Arc::new(Resolver { store, strict: built.strict, local: Some(local) });
        }
        if without_alpn {
            config.alpn_protocols.clear();
        }
        Some(Resolved { config: Arc::new(config), options })
    }

    /// Whether options of that name exist.
    pub fn has_options(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    /// Whether options of that name exist and can be used.
    pub fn is_usable(&self, name: &str) -> bool {
        matches!(self.options.get(name), Some(Some(_)))
    }

    /// What was asked for and has no effect.
    pub fn warnings(&self) -> &[ConfigError] {
        &self.warnings
    }

    pub fn store(&self) -> &CertificateStore {
        &self.store
    }
}

/// A client that offers HTTP/1.1 to options with HTTP/2 and without HTTP/1.1 is served as if it had offered nothing:
/// Go's special case for clients that know no better.
fn is_left_out(ours: &[Vec<u8>], hello: &ClientHello<'_>) -> bool {
    let speaks = |name: &[u8]| ours.iter().any(|protocol| protocol == name);
    if !speaks(b"h2") || speaks(b"http/1.1") {
        return false;
    }
    let Some(offered) = hello.alpn() else { return false };
    let mut offers_http1 = false;
    for protocol in offered {
        if speaks(protocol) {
            return false;
        }
        offers_http1 |= protocol == b"http/1.1";
    }
    offers_http1
}

fn is_for_default(certificate: &Certificate) -> bool {
    certificate.stores.is_empty() || certificate.stores.iter().any(|store| store == DEFAULT)
}

fn default_certificate(
    store: Option<&At<Store>>,
    certificates: &[StoredCertificate],
    known: Option<&CertificateStore>,
    provider: &rustls::crypto::CryptoProvider,
    errors: &mut Vec<ConfigError>,
) -> DefaultCertificate {
    let path = "tls.stores.default.defaultCertificate";
    if let Some(store) = store {
        if let Some(pair) = &store.default_certificate {
            let loaded: Result<_, TlsError> = StoredCertificate::load(&pair.cert_file, &pair.key_file, known, provider);
            return match loaded {
                Ok(stored) => DefaultCertificate::Given(stored),
                Err(error) => {
                    errors.push(problem(&store.at, path, error.to_string()));
                    DefaultCertificate::Broken
                }
            };
        }
        // Ordered by the resolver that it names; until it has come, the self-signed one is shown.
        let wanted = store.default_generated_cert.as_ref().and_then(|generated| generated.domain.as_ref());
        if let Some(found) = wanted.and_then(|domain| {
            let mut names: Vec<String> =
                domain.sans.iter().chain([&domain.main]).map(|name| name.to_lowercase()).collect();
            names.retain(|name| !name.is_empty());
            names.sort_unstable();
            names.dedup();
            certificates.iter().find(|one| one.names.iter().map(AsRef::as_ref).eq(names.iter().map(String::as_str)))
        }) {
            return DefaultCertificate::Given(found.clone());
        }
    }
    let generated = known.and_then(CertificateStore::generated);
    DefaultCertificate::SelfSigned(generated.map_or_else(SelfSigned::prepare, Arc::clone))
}

fn problem(at: &Origin, path: &str, message: String) -> ConfigError {
    ConfigError { at: at.clone(), path: path.to_owned(), problem: Problem::Other { message } }
}
