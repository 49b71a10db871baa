//! The account at an authority, and the client that speaks with it.

use std::pin::Pin;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use instant_acme::{Account, BodyWrapper, BytesResponse, Error, ExternalAccountKey, HttpClient, NewAccount};
use trafficcop_config::settings::certificates::Acme;

use crate::storage::Own;

/// Answers of an authority are small; a chain of certificates is the largest.
const LARGEST_ANSWER: usize = 1 << 20;

struct Client(reqwest::Client);

impl HttpClient for Client {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let told = |error: reqwest::Error| Error::Other(Box::new(error));
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let asked = client.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
            let mut answer = asked.send().await.map_err(told)?;
            let mut head = http::Response::builder().status(answer.status());
            if let Some(headers) = head.headers_mut() {
                *headers = answer.headers().clone();
            }
            let mut content = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(told)? {
                if content.len() + chunk.len() > LARGEST_ANSWER {
                    return Err(Error::Str("an answer of at most 1 MiB"));
                }
                content.extend_from_slice(&chunk);
            }
            Ok(BytesResponse::from(head.body(Full::new(Bytes::from(content)))?))
        })
    }
}

fn client(settings: &Acme) -> Result<Box<dyn HttpClient>, String> {
    let mut roots = rustls::RootCertStore::empty();
    for authority in &settings.ca_certificates {
        let read = trafficcop_tls::pem::certificates(authority).map_err(|error| format!("caCertificates: {error}"))?;
        for certificate in read {
            roots.add(certificate).map_err(|error| format!("caCertificates: {error}"))?;
        }
    }
    if settings.ca_certificates.is_empty() || settings.ca_system_cert_pool {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(trafficcop_tls::provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut builder = reqwest::Client::builder().tls_backend_preconfigured(tls);
    if let Some(patience) = settings.client_timeout.positive() {
        builder = builder.timeout(patience);
    }
    Ok(Box::new(Client(builder.build().map_err(|error| error.to_string())?)))
}

/// The account that was kept if it is this authority's, else a new one and what is to be kept of it.
pub(crate) async fn open(settings: &Acme, kept: Option<&Own>) -> Result<(Account, Option<Own>), String> {
    let builder = Account::builder_with_http(client(settings)?);
    if let Some(kept) = kept.filter(|kept| kept.directory == settings.ca_server && kept.email == settings.email)
        && let Ok(credentials) = serde_json::from_value(kept.credentials.clone())
    {
        return Ok((builder.from_credentials(credentials).await.map_err(|error| told(&error))?, None));
    }
    let contact = format!("mailto:{}", settings.email);
    let contacts = [contact.as_str()];
    let contact: &[&str] = if settings.email.is_empty() { &[] } else { &contacts };
    let new = NewAccount { contact, terms_of_service_agreed: true, only_return_existing: false };
    let binding = settings.eab.as_ref().filter(|eab| !eab.kid.is_empty()).map(|eab| {
        let text = eab.hmac_encoded.reveal();
        let key = URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text));
        key.map(|key| ExternalAccountKey::new(eab.kid.clone(), &key))
            .map_err(|error| format!("eab.hmacEncoded is not base64url: {error}"))
    });
    let binding = binding.transpose()?;
    let created = builder.create(&new, settings.ca_server.clone(), binding.as_ref()).await;
    let (account, credentials) = created.map_err(|error| told(&error))?;
    let credentials = serde_json::to_value(&credentials).map_err(|error| error.to_string())?;
    let own = Own { email: settings.email.clone(), directory: settings.ca_server.clone(), credentials };
    Ok((account, Some(own)))
}

/// An error with what lies behind it.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(behind) = source {
        let more = behind.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = behind.source();
    }
    text
}
