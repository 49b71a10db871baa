//! [`Client`]: the HTTP that ACME is spoken over.
//!
//! It also listens: the ACME library hands out neither alternative chains nor how long an authority wants to be left
//! alone, and both come by here.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LINK, RETRY_AFTER};
use http_body_util::{BodyExt, Full};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use parking_lot::Mutex;
use rustls::RootCertStore;
use trafficcop_config::settings::certificates::Acme;

use crate::named::Named;

/// Answers of an authority are small; a chain of certificates is the largest.
const LARGEST_ANSWER: usize = 1 << 20;
/// Chains that may wait for somebody to compare them.
const MOST_CHAINS: usize = 64;
/// An authority that asks for more than this is asked again anyway.
const LONGEST_REST: Duration = Duration::from_hours(7 * 24);

/// A chain that came by, in PEM, and where its alternatives are.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) pem: String,
    pub(crate) alternatives: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    /// For the head of an answer.
    patience: Option<Duration>,
    chains: Mutex<Vec<(String, Chain)>>,
    rest_until: Mutex<Option<Instant>>,
}

impl Client {
    /// Reads files: not for a worker.
    pub(crate) fn new(settings: &Acme) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for authority in &settings.ca_certificates {
            let read =
                trafficcop_tls::pem::certificates(authority).map_err(|error| format!("caCertificates: {error}"))?;
            for certificate in read {
                roots.add(certificate).map_err(|error| format!("caCertificates: {error}"))?;
            }
        }
        if settings.ca_certificates.is_empty() || settings.ca_system_cert_pool {
            roots.extend(trafficcop_tls::client::machine_roots().roots.iter().cloned());
        }
        let provider = Arc::new(trafficcop_tls::provider());
        let verifier = Named::new(roots, &settings.ca_server_name, Arc::clone(&provider))?;
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let mut builder = reqwest::Client::builder().tls_backend_preconfigured(tls);
        if let Some(patience) = settings.client_timeout.positive() {
            builder = builder.timeout(patience);
        }
        let http = builder.build().map_err(|error| error.to_string())?;
        let patience = settings.client_response_header_timeout.positive();
        Ok(Self(Arc::new(Inner { http, patience, chains: Mutex::default(), rest_until: Mutex::default() })))
    }

    /// The chain that came from there, which is then forgotten.
    pub(crate) fn chain_from(&self, url: &str) -> Option<Chain> {
        let mut chains = self.0.chains.lock();
        let at = chains.iter().position(|(from, _)| from == url)?;
        Some(chains.swap_remove(at).1)
    }

    /// How long the authority still wants to be left alone.
    pub(crate) fn rest(&self) -> Option<Duration> {
        let until = (*self.0.rest_until.lock())?;
        Some(until.saturating_duration_since(Instant::now())).filter(|rest| !rest.is_zero())
    }

    fn listen(&self, url: &str, head: &reqwest::Response, content: &[u8]) {
        let headers = head.headers();
        if matches!(head.status().as_u16(), 429 | 503)
            && let Some(rest) = headers.get(RETRY_AFTER).and_then(|value| seconds(value.to_str().ok()?))
        {
            *self.0.rest_until.lock() = Some(Instant::now() + rest);
        }
        let is_chain = headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/pem"));
        if let (true, Ok(pem)) = (is_chain, std::str::from_utf8(content)) {
            let links = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
            let chain = Chain { pem: pem.to_owned(), alternatives: links.filter_map(alternative).collect() };
            let mut chains = self.0.chains.lock();
            if chains.len() >= MOST_CHAINS {
                chains.remove(0);
            }
            chains.push((url.to_owned(), chain));
        }
    }
}

impl HttpClient for Client {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.clone();
        Box::pin(async move {
            let told = |error: reqwest::Error| Error::Other(Box::new(error));
            let (parts, body) = request.into_parts();
            let url = parts.uri.to_string();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let asked = client.0.http.request(parts.method, &url).headers(parts.headers).body(body).send();
            let answered = match client.0.patience {
                Some(patience) => tokio::time::timeout(patience, asked)
                    .await
                    .map_err(|_| Error::Str("an answer within clientResponseHeaderTimeout"))?,
                None => asked.await,
            };
            let mut answer = answered.map_err(told)?;
            let mut content = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(told)? {
                if content.len() + chunk.len() > LARGEST_ANSWER {
                    return Err(Error::Str("an answer of at most 1 MiB"));
                }
                content.extend_from_slice(&chunk);
            }
            client.listen(&url, &answer, &content);
            let mut head = http::Response::builder().status(answer.status());
            if let Some(headers) = head.headers_mut() {
                *headers = answer.headers().clone();
            }
            Ok(BytesResponse::from(head.body(Full::new(Bytes::from(content)))?))
        })
    }
}

/// The address of an alternative chain in a `Link` line.
fn alternative(link: &str) -> Option<String> {
    let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let is_meant = |parameter: &str| {
        let (name, value) = parameter.trim().split_once('=').unwrap_or_default();
        name.eq_ignore_ascii_case("rel") && value.trim_matches('"').eq_ignore_ascii_case("alternate")
    };
    parameters.split(';').any(is_meant).then(|| address.to_owned())
}

/// `Retry-After`, in seconds or as a date.
fn seconds(value: &str) -> Option<Duration> {
    let value = value.trim();
    let until = || {
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
        Duration::try_from(date - jiff::Timestamp::now()).ok()
    };
    Some(value.parse().ok().map(Duration::from_secs).or_else(until)?.min(LONGEST_REST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_alternatives() {
        assert_eq!(alternative("<https://ca.test/1/alt>;rel=\"alternate\""), Some("https://ca.test/1/alt".to_owned()));
        assert_eq!(alternative("<https://ca.test/dir>;rel=\"index\""), None);
        assert_eq!(alternative("nonsense"), None);
    }

    #[test]
    fn waits_that_an_authority_asks_for() {
        assert_eq!(seconds("120"), Some(Duration::from_mins(2)));
        assert_eq!(seconds("99999999"), Some(LONGEST_REST));
        assert_eq!(seconds("Fri, 31 Dec 1999 23:59:59 GMT"), None, "it is over");
        assert!(seconds("Tue, 31 Dec 2199 23:59:59 GMT").is_some());
    }
}
