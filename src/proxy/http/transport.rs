//! [`Transport`]: how to reach servers: TLS, deadlines, connections to keep. One per servers transport.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use trafficcop_config::dynamic::http::{ForwardingTimeouts, ServersTransport};
use trafficcop_h1::CallOptions;
use trafficcop_tls::{ClientTls, client_config, pem};

use super::environment_proxy::{self, Via};
use super::known::Known;
use super::server_url::{Scheme, ServerUrl};
use crate::BuildError;

/// What Go keeps when nothing is said.
const KEPT_BY_DEFAULT: i64 = 2;

/// See the module.
#[derive(Debug)]
pub struct Transport {
    pub(crate) manners: Arc<Manners>,
    /// The servers that are reached through this transport now.
    pub(crate) known: Known,
    problems: Vec<String>,
}

/// What all connections of a transport have in common.
#[derive(Debug)]
pub(crate) struct Manners {
    /// For requests of any kind, and for those that must stay with HTTP/1.1. None: the settings are unusable.
    pub(crate) tls: Option<Tls>,
    /// Instead of the server's host.
    pub(crate) server_name: Option<ServerName<'static>>,
    /// None: no limit.
    pub(crate) dial_timeout: Option<Duration>,
    /// None: kept until the server closes.
    pub(crate) idle_timeout: Option<Duration>,
    /// Connections to one server that each worker keeps at leisure. A burst may leave more behind, for a second.
    pub(crate) kept_idle: usize,
    pub(crate) call: CallOptions,
    /// Silence after which a connection of HTTP/2 is pinged. None: never.
    pub(crate) ping_after: Option<Duration>,
    pub(crate) ping_timeout: Duration,
    pub(crate) http2: bool,
}

#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) any: Arc<ClientConfig>,
    pub(crate) http1: Arc<ClientConfig>,
}

/// One server as a transport reaches it. Workers keep their connections under its id.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) id: u64,
    pub(crate) url: ServerUrl,
    pub(crate) manners: Arc<Manners>,
    /// The proxy of the environment, when this server is reached through one.
    pub(crate) via: Option<Via>,
    /// The service that was built with it was built anew without it.
    pub(crate) is_retired: AtomicBool,
    /// It spoke HTTP/2 when it was last asked which it speaks.
    pub(crate) speaks_http2: AtomicBool,
}

impl Transport {
    /// From the settings of a servers transport. The static one (`serversTransport` of the settings file, for services
    /// that name none) is given in the same form; its `maxIdleConnsPerHost` is 200 unless set.
    ///
    /// TLS settings that cannot be used do not fail the build: as in Traefik, the transport then verifies servers
    /// as if nothing had been set, and [`Transport::problems`] says why. Unlike there, a `minVersion` without
    /// `maxVersion` is taken as it is meant.
    ///
    /// Reads files: for the control plane.
    pub fn new(settings: &ServersTransport) -> Result<Arc<Self>, BuildError> {
        let mut problems = Vec::new();
        let mut is_fallback = false;
        let tls = match client_tls(settings, &mut problems).and_then(|tls| tls_pair(&tls, settings.disable_http2)) {
            Ok(pair) => Some(pair),
            Err(problem) => {
                tracing::error!(%problem, "TLS settings of a servers transport cannot be used; the default ones are.");
                is_fallback = true;
                problems.push(problem);
                tls_pair(&ClientTls::default(), settings.disable_http2).ok()
            }
        };
        // Authorities that were named and are not there believe nobody; they do not make room for those of the machine.
        let believes_nobody = !settings.root_cas.is_empty() && readable(&settings.root_cas).next().is_none();
        let tls = tls.filter(|_| settings.insecure_skip_verify || is_fallback || !believes_nobody);
        let server_name = match settings.server_name.as_str() {
            _ if is_fallback => None,
            "" => None,
            name => match ServerName::try_from(name.to_owned()) {
                Ok(name) => Some(name),
                Err(error) => {
                    problems.push(format!("serverName {name:?}: {error}"));
                    None
                }
            },
        };
        let timeouts = settings.forwarding_timeouts.clone().unwrap_or_else(|| ForwardingTimeouts {
            ping_timeout: trafficcop_config::Duration::from_secs(15),
            ..ForwardingTimeouts::default()
        });
        let kept =
            if settings.max_idle_conns_per_host == 0 { KEPT_BY_DEFAULT } else { settings.max_idle_conns_per_host };
        let manners = Manners {
            tls,
            server_name,
            dial_timeout: timeouts.dial_timeout.positive(),
            idle_timeout: timeouts.idle_conn_timeout.positive(),
            kept_idle: usize::try_from(kept).unwrap_or(0),
            call: CallOptions {
                response_header_timeout: timeouts.response_header_timeout.positive(),
                ..CallOptions::default()
            },
            ping_after: timeouts.read_idle_timeout.positive(),
            ping_timeout: timeouts.ping_timeout.positive().unwrap_or(Duration::from_secs(15)),
            http2: !settings.disable_http2,
        };
        Ok(Arc::new(Self { manners: Arc::new(manners), known: Known::default(), problems }))
    }

    /// What is wrong with the settings, one sentence each; the transport works nevertheless, with defaults.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    pub(crate) fn endpoint(&self, url: &ServerUrl) -> Arc<Endpoint> {
        self.known.endpoint(url, || Endpoint::new(url.clone(), &self.manners))
    }
}

impl Endpoint {
    pub(crate) fn new(url: ServerUrl, manners: &Arc<Manners>) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let via = environment_proxy::via(&url);
        let speaks_http2 = AtomicBool::new(url.scheme == Scheme::H2c);
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            url,
            manners: Arc::clone(manners),
            via,
            is_retired: AtomicBool::new(false),
            speaks_http2,
        })
    }
}

/// What can be used of the settings. A certificate that cannot be read is left out and told.
fn client_tls(settings: &ServersTransport, problems: &mut Vec<String>) -> Result<ClientTls, String> {
    if settings.spiffe.is_some() {
        return Err("SPIFFE is not available in this build: the spiffe section has no effect".into());
    }
    let unreadable = settings.root_cas.iter().filter_map(|file| pem::certificates(file).err());
    problems.extend(unreadable.map(|error| format!("rootCAs: {error}")));
    let mut certificates = settings.certificates.clone();
    certificates.retain(|pair| match (pem::certificates(&pair.cert_file), pem::private_key(&pair.key_file)) {
        (Ok(_), Ok(_)) => true,
        (Err(error), _) | (_, Err(error)) => {
            problems.push(format!("certificates: {error}"));
            false
        }
    });
    for problem in problems.iter() {
        tracing::error!(%problem, "Something of a servers transport is left out.");
    }
    Ok(ClientTls {
        server_name: settings.server_name.clone(),
        insecure_skip_verify: settings.insecure_skip_verify,
        root_cas: readable(&settings.root_cas).cloned().collect(),
        certificates,
        cipher_suites: settings.cipher_suites.clone(),
        min_version: settings.min_version.clone(),
        max_version: settings.max_version.clone(),
        peer_cert_uri: settings.peer_cert_uri.clone(),
        alpn: Vec::new(),
    })
}

fn readable(files: &[String]) -> impl Iterator<Item = &String> {
    files.iter().filter(|file| pem::certificates(file).is_ok())
}

fn tls_pair(tls: &ClientTls, http1_only: bool) -> Result<Tls, String> {
    let with = |alpn: &[&str]| {
        let alpn = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        client_config(&ClientTls { alpn, ..tls.clone() }).map_err(|error| error.to_string())
    };
    // Go names no protocol where there is only the old one.
    let http1 = with(&[])?;
    let any = if http1_only { Arc::clone(&http1) } else { with(&["h2", "http/1.1"])? };
    Ok(Tls { any, http1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use trafficcop_config::dynamic::http::Spiffe;

    #[test]
    fn the_same_server_is_the_same_endpoint_while_somebody_uses_it() {
        let transport = Transport::new(&ServersTransport::default()).unwrap();
        let url = |text| ServerUrl::parse(text).unwrap();
        let one = transport.endpoint(&url("http://127.0.0.1:1/a"));
        assert_eq!(one.id, transport.endpoint(&url("http://127.0.0.1:1/b")).id);
        assert_ne!(one.id, transport.endpoint(&url("h2c://127.0.0.1:1/b")).id);
        let id = one.id;
        drop(one);
        assert_ne!(id, transport.endpoint(&url("http://127.0.0.1:1/a")).id);
    }

    #[test]
    fn unusable_tls_settings_are_told_and_do_not_weaken_anything() {
        let settings = ServersTransport {
            insecure_skip_verify: true,
            root_cas: vec!["/nowhere/ca.pem".into()],
            ..ServersTransport::default()
        };
        let transport = Transport::new(&settings).unwrap();
        assert!(transport.problems()[0].contains("/nowhere/ca.pem"), "{:?}", transport.problems());
        assert!(transport.manners.tls.is_some(), "nothing is verified, as was asked for");
        let settings = ServersTransport { insecure_skip_verify: false, ..settings };
        assert!(Transport::new(&settings).unwrap().manners.tls.is_none(), "nobody is believed");
        let settings = ServersTransport { spiffe: Some(Spiffe::default()), ..ServersTransport::default() };
        assert!(Transport::new(&settings).unwrap().problems()[0].contains("SPIFFE"));
    }

    #[test]
    fn how_many_idle_connections_are_kept() {
        let kept = |value| {
            let settings = ServersTransport { max_idle_conns_per_host: value, ..ServersTransport::default() };
            Transport::new(&settings).unwrap().manners.kept_idle
        };
        assert_eq!([kept(0), kept(200), kept(-1)], [2, 200, 0]);
    }
}
