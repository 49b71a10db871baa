//! The HTTP provider: a document fetched again and again.
//!
//! The addresses are tried in their order at each fetch; the first that answers counts. What must hold: an answer that is
//! no good, too large, late or half leaves in force what was published before.

mod document;
mod endpoint;
mod s3;
#[cfg(test)]
mod tests;

use std::time::Duration;

use http::header::{ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use reqwest::{Client, StatusCode};
use trafficcop_config::read::MAX_BYTES;
use trafficcop_config::settings::providers::Http as Settings;
use trafficcop_provider::backoff::Backoff;
use trafficcop_provider::{Provider, ProviderError, Publisher, workshop};
use trafficcop_remote::{RemoteError, body, client};

use endpoint::Endpoint;
use s3::S3;

/// After a failure it is tried again so soon at first, and at most after this time or the interval.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// See the crate.
pub struct Http {
    endpoints: Vec<Endpoint>,
    s3: S3,
    client: Client,
    headers: HeaderMap,
    interval: Duration,
    limit: u64,
    /// What was read last.
    last: Option<Read>,
}

/// A document as it came.
struct Read {
    /// Which of the endpoints sent it. Its marks mean nothing to the others.
    endpoint: usize,
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
    content: Vec<u8>,
}

/// What a fetch brought.
enum Fetched {
    Document { content_type: String, read: Read },
    Unchanged,
}

impl Provider for Http {
    const NAME: &'static str = "http";
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, ProviderError> {
        let addresses = Some(&settings.endpoint).filter(|endpoint| !endpoint.is_empty());
        let addresses: Vec<_> = addresses.into_iter().chain(&settings.endpoints).collect();
        if addresses.is_empty() {
            return Err(ProviderError("providers.http.endpoint is missing".into()));
        }
        let s3 = S3::new(settings.s3.as_ref());
        let endpoints = addresses.into_iter().map(|address| Endpoint::parse(address, &s3)).collect::<Result<_, _>>()?;
        let above_zero = |name: &str| ProviderError(format!("providers.http.{name} must be greater than 0"));
        let interval = settings.poll_interval.positive().ok_or_else(|| above_zero("pollInterval"))?;
        let timeout = settings.poll_timeout.positive().ok_or_else(|| above_zero("pollTimeout"))?;
        let client = client(settings.tls.as_ref(), "providers.http.tls")?.timeout(timeout).build();
        Ok(Self {
            endpoints,
            s3,
            client: client.map_err(|error| ProviderError(trafficcop_remote::words(error)))?,
            headers: headers(&settings)?,
            interval,
            limit: u64::try_from(settings.max_response_body_size)
                .map_or(MAX_BYTES as u64, |it| it.min(MAX_BYTES as u64)),
            last: None,
        })
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE.min(self.interval));
        let mut told = String::new();
        loop {
            let failed = self.poll(out).await.err();
            let pause = if let Some(error) = failed {
                out.state().lost(&error);
                if told != error {
                    tracing::error!(
                        provider = out.provider(),
                        "The configuration is not fetched; what was published stays in force. {error}"
                    );
                }
                told = error;
                backoff.next(rand::random())
            } else {
                if !std::mem::take(&mut told).is_empty() {
                    tracing::info!(provider = out.provider(), "The configuration is fetched again.");
                }
                backoff.reset();
                self.interval
            };
            tokio::time::sleep(pause).await;
        }
    }
}

impl Http {
    /// Fetches once, from the first endpoint that answers; else says what each of them failed of.
    async fn poll(&mut self, out: &Publisher) -> Result<(), String> {
        let mut failures = Vec::new();
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            match self.fetch(index, endpoint).await {
                Ok(Fetched::Unchanged) => {
                    out.state().reached();
                    return Ok(());
                }
                Ok(Fetched::Document { content_type, read }) => {
                    let is_known = self.last.as_ref().is_some_and(|last| last.content == read.content);
                    if is_known {
                        out.state().reached();
                        self.last = Some(read);
                        return Ok(());
                    }
                    let from = endpoint.clone();
                    let decode = move || {
                        let decoded = document::decode(&read.content, &content_type, &from);
                        (read, decoded)
                    };
                    let (read, decoded) = workshop::work(decode).await.ok_or("reading the document failed inside")?;
                    out.accept(decoded).await;
                    self.last = Some(read);
                    return Ok(());
                }
                Err(error) => failures.push(format!("{}: {error}", endpoint.shown)),
            }
        }
        Err(failures.join("; "))
    }

    async fn fetch(&self, index: usize, endpoint: &Endpoint) -> Result<Fetched, RemoteError> {
        let mut request = self.client.get(endpoint.url.clone()).headers(self.headers.clone());
        if endpoint.is_signed {
            for (name, value) in self.s3.sign(&endpoint.url) {
                request = request.header(name, value);
            }
        }
        let last = self.last.as_ref().filter(|last| last.endpoint == index);
        for (name, mark) in [
            (IF_NONE_MATCH, last.and_then(|last| last.etag.as_ref())),
            (IF_MODIFIED_SINCE, last.and_then(|last| last.modified.as_ref())),
        ] {
            if let Some(mark) = mark {
                request = request.header(name, mark);
            }
        }
        let answer = request.send().await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if last.is_some() => return Ok(Fetched::Unchanged),
            status => return Err(RemoteError::Failed(format!("the answer is {status}, expected 200 OK"))),
        }
        let of = |name| answer.headers().get(name).cloned();
        let (etag, modified, content_type) = (of(ETAG), of(LAST_MODIFIED), of(http::header::CONTENT_TYPE));
        let content_type = content_type.and_then(|it| it.to_str().ok().map(str::to_owned)).unwrap_or_default();
        let content = body(answer, self.limit).await?;
        Ok(Fetched::Document { content_type, read: Read { endpoint: index, etag, modified, content } })
    }
}

fn headers(settings: &Settings) -> Result<HeaderMap, ProviderError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &settings.headers {
        let wrong = |what: &str| ProviderError(format!("providers.http.headers.{name}: expected {what}"));
        let header = HeaderName::try_from(name.as_str()).map_err(|_| wrong("the name of a header"))?;
        let mut value = HeaderValue::try_from(value.as_str()).map_err(|_| wrong("a value without line breaks"))?;
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}
