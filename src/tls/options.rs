//! TLS options → the configuration of a handshake.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use sha2::{Digest, Sha256};
use trafficcop_config::dynamic::tls::Options;

use crate::parameters::{self, ProtocolVersion};
use crate::resolver::Resolver;
use crate::{CertificateStore, TlsError, client_auth};

/// Built options.
#[derive(Debug)]
pub(crate) struct BuiltOptions {
    pub(crate) name: Arc<str>,
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) strict: bool,
    /// Of the settings and the authorities' bytes: while it stays, tickets that were handed out stay good. Options that
    /// ask for other client certificates must never accept each other's tickets.
    identity: [u8; 32],
    ticketer: Option<Arc<dyn ProducesTickets>>,
}

/// Builds options of that name. The second part says what was asked for and has no effect.
pub(crate) fn build(
    name: &str,
    options: &Options,
    store: &Arc<CertificateStore>,
    previous: Option<&BuiltOptions>,
) -> Result<(BuiltOptions, Vec<String>), TlsError> {
    let mut notes = Vec::new();
    let mut provider = crate::provider();
    let absent = parameters::narrow_suites(&mut provider, &options.cipher_suites)?;
    notes.extend(absent.iter().map(|suite| format!("cipher suite {suite} has no effect: it does not exist here")));
    let absent = parameters::narrow_curves(&mut provider, &options.curve_preferences)?;
    notes.extend(absent.iter().map(|curve| format!("curve {curve} has no effect: it does not exist here")));
    if options.prefer_server_cipher_suites.is_some() {
        notes.push("preferServerCipherSuites has no effect".to_owned());
    }

    let min = version(&options.min_version, "minVersion", ProtocolVersion::Tls12, &mut notes);
    let max = version(&options.max_version, "maxVersion", ProtocolVersion::Tls13, &mut notes);
    if min < ProtocolVersion::Tls12 {
        notes
            .push(format!("minVersion {} acts as VersionTLS12: older versions do not exist here", options.min_version));
    }
    let mut versions = parameters::versions(min, max);
    if !provider.cipher_suites.iter().any(|suite| suite.tls13().is_none()) {
        versions.retain(|version| version.version == rustls::ProtocolVersion::TLSv1_3);
    }
    if versions.is_empty() {
        return Err(TlsError::NothingLeft("check minVersion, maxVersion and cipherSuites"));
    }

    let provider = Arc::new(provider);
    let (verifier, authorities) = client_auth::verifier(&options.client_auth, &provider)?;
    let mut hash = Sha256::new_with_prefix(format!("{name}\n{options:?}"));
    for authority in &authorities {
        hash.update(authority);
    }
    let identity = hash.finalize().into();

    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(Resolver { store: Arc::clone(store), strict: options.sni_strict, local: None }));
    config.ignore_client_order = true;
    config.alpn_protocols = options.alpn_protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    if config.alpn_protocols.is_empty() {
        // An empty list is as good as none, for which Go's server speaks both versions.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    }
    config.session_storage = Arc::new(NoServerSessionStorage {});
    let ticketer = if options.disable_session_tickets {
        config.send_tls13_tickets = 0;
        None
    } else {
        let kept = previous.filter(|previous| previous.identity == identity).and_then(|kept| kept.ticketer.clone());
        let ticketer = kept.map_or_else(rustls::crypto::aws_lc_rs::Ticketer::new, Ok)?;
        config.ticketer = Arc::clone(&ticketer);
        config.send_tls13_tickets = 1;
        Some(ticketer)
    };
    let built =
        BuiltOptions { name: name.into(), config: Arc::new(config), strict: options.sni_strict, identity, ticketer };
    Ok((built, notes))
}

/// An unknown version is passed over, as Traefik does, but not in silence.
fn version(name: &str, option: &str, unset: ProtocolVersion, notes: &mut Vec<String>) -> ProtocolVersion {
    if name.is_empty() {
        return unset;
    }
    ProtocolVersion::named(name).unwrap_or_else(|| {
        notes.push(format!("{option} {name} has no effect: it is not a TLS version"));
        unset
    })
}
