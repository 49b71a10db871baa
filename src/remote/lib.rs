//! What providers share that ask a server: the TLS of their settings, an HTTP client, answers with a bound, and errors
//! that say why.
//!
//! Knows no provider. What must hold: no answer is read beyond its bound, a connection that leads nowhere any more is
//! found out within seconds, and no error shows what an address holds of passwords.

pub mod catalog;
pub mod consul;
pub mod sigv4;

use std::error::Error as _;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{ClientBuilder, Response};
use rustls::ClientConfig;
use trafficcop_config::dynamic::http::CertificatePair;
use trafficcop_config::settings::ClientTls;
use trafficcop_provider::ProviderError;
use trafficcop_tls::client::{ClientTls as Tls, client_config};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(2);
/// A silent connection is asked whether it lives, so often; after three questions without an answer it is given up.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// What went wrong when a server was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    #[error("{0}")]
    Failed(String),
    #[error("the answer has more than {0} bytes")]
    TooLarge(u64),
}

impl From<reqwest::Error> for RemoteError {
    fn from(error: reqwest::Error) -> Self {
        Self::Failed(words(error))
    }
}

/// The whole story of an error, without the address: that may hold a password.
pub fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let _memory_never_fails = write!(text, ": {inner}");
        cause = inner.source();
    }
    text
}

/// TLS as a provider's settings say it. `option` names them in errors: `providers.redis.tls`.
pub fn tls(settings: &ClientTls, option: &str) -> Result<Arc<ClientConfig>, ProviderError> {
    client_config(&sections(settings, Vec::new())).map_err(|error| ProviderError(format!("{option}: {error}")))
}

fn sections(settings: &ClientTls, alpn: Vec<Vec<u8>>) -> Tls {
    let certificates = if settings.cert.is_empty() && settings.key.is_empty() {
        Vec::new()
    } else {
        let key_file = settings.key.reveal().to_owned();
        vec![CertificatePair { cert_file: settings.cert.clone(), key_file }]
    };
    Tls {
        insecure_skip_verify: settings.insecure_skip_verify,
        root_cas: if settings.ca.is_empty() { Vec::new() } else { vec![settings.ca.clone()] },
        certificates,
        alpn,
        ..Tls::default()
    }
}

/// The PEM itself, or what the file of that name holds.
pub fn pem(text: &str) -> std::io::Result<Vec<u8>> {
    if text.contains("-----BEGIN ") {
        return Ok(text.as_bytes().to_vec());
    }
    std::fs::read(text).map_err(|error| std::io::Error::new(error.kind(), format!("{text}: {error}")))
}

/// A client that believes whom the settings name, or else the authorities of this machine.
pub fn client(settings: Option<&ClientTls>, option: &str) -> Result<ClientBuilder, ProviderError> {
    let alpn = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tls = sections(&settings.cloned().unwrap_or_default(), alpn);
    let config = client_config(&tls).map_err(|error| ProviderError(format!("{option}: {error}")))?;
    Ok(ClientBuilder::new()
        .tls_backend_preconfigured(ClientConfig::clone(&config))
        .user_agent(concat!("TrafficCop/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .tcp_keepalive(KEEP_ALIVE)
        .tcp_keepalive_interval(KEEP_ALIVE)
        .tcp_keepalive_retries(3)
        .tcp_user_timeout(KEEP_ALIVE * 4))
}

/// The body of an answer, if it has no more than `limit` bytes.
pub async fn body(mut answer: Response, limit: u64) -> Result<Vec<u8>, RemoteError> {
    let announced = answer.content_length().unwrap_or(0);
    if announced > limit {
        return Err(RemoteError::TooLarge(limit));
    }
    let mut whole = Vec::with_capacity(announced as usize);
    while let Some(piece) = answer.chunk().await? {
        if (whole.len() + piece.len()) as u64 > limit {
            return Err(RemoteError::TooLarge(limit));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}
