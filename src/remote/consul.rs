//! Questions to Consul, and to Nomad, which asks in the same way: with an index, the answer waits until there is news.
//!
//! The rules of the index are Consul's: it begins anew when it went backwards, and it is never zero. What must hold: a
//! question always ends, with the server's own wait and a little more as its deadline.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, StatusCode};
use serde::de::DeserializeOwned;
use trafficcop_config::settings::ClientTls;
use trafficcop_provider::ProviderError;
use url::Url;

use crate::{RemoteError, body, client, words};

/// How long a question without an index may take.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a server waits for news, unless the settings say otherwise.
const WAIT: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const MAX_ANSWER: u64 = 128 << 20;

/// How a server is reached; built from a provider's settings.
#[derive(Clone, Debug, Default)]
pub struct Access<'a> {
    /// `host:port`, with or without a scheme; tried in their order.
    pub addresses: Vec<String>,
    /// Used where an address has none; empty: by whether there is TLS.
    pub scheme: &'a str,
    pub tls: Option<&'a ClientTls>,
    /// Header and secret of whoever asks.
    pub token: Option<(&'static str, &'a str)>,
    pub basic: Option<(&'a str, &'a str)>,
    /// Parameters of every question: `dc`, `ns`, `stale` …
    pub always: Vec<(&'static str, String)>,
    /// How long the server waits for news; none: our own.
    pub wait: Option<Duration>,
}

/// A server that is asked.
pub struct Server {
    bases: Vec<Url>,
    /// The one that answered last.
    current: AtomicUsize,
    client: Client,
    headers: HeaderMap,
    basic: Option<(String, String)>,
    always: Vec<(&'static str, String)>,
    wait: Duration,
}

/// An answer, and the index to wait with for the next.
#[derive(Debug)]
pub struct Answer<T> {
    pub index: u64,
    /// None: there is no such thing.
    pub value: Option<T>,
}

impl Server {
    /// `option` names the settings in errors: `providers.consul`.
    pub fn new(access: Access<'_>, option: &str) -> Result<Self, ProviderError> {
        let wrong = |why: String| ProviderError(format!("{option}: {why}"));
        let scheme = match access.scheme {
            "" if access.tls.is_some() => "https",
            "" => "http",
            scheme => scheme,
        };
        let base = |address: &String| {
            let text = if address.contains("://") { address.clone() } else { format!("{scheme}://{address}") };
            Url::parse(&text).map_err(|_| wrong(format!("{address:?} is not host:port or an address")))
        };
        let bases = access.addresses.iter().map(base).collect::<Result<Vec<_>, _>>()?;
        if bases.is_empty() {
            return Err(wrong("no address is named".into()));
        }
        let mut headers = HeaderMap::new();
        if let Some((name, token)) = access.token.filter(|(_, token)| !token.is_empty()) {
            let mut token = HeaderValue::try_from(token).map_err(|_| wrong("the token has a line break".into()))?;
            token.set_sensitive(true);
            headers.insert(name, token);
        }
        let client = client(access.tls, &format!("{option}.tls"))?.no_proxy().build();
        Ok(Self {
            bases,
            current: AtomicUsize::new(0),
            client: client.map_err(|error| wrong(words(error)))?,
            headers,
            basic: access.basic.map(|(user, password)| (user.to_owned(), password.to_owned())),
            always: access.always,
            wait: access.wait.unwrap_or(WAIT),
        })
    }

    /// Asks for `path`. With an index the answer comes when there is news, or with the same index when there is none.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        index: Option<u64>,
    ) -> Result<Answer<T>, RemoteError> {
        let mut failures = Vec::new();
        for turn in 0..self.bases.len() {
            let at = (self.current.load(Ordering::Relaxed) + turn) % self.bases.len();
            match self.ask_one(at, path, parameters, index).await {
                Ok(answer) => {
                    self.current.store(at, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error @ RemoteError::TooLarge(_)) => return Err(error),
                Err(error) => failures.push(format!("{}: {error}", self.bases[at].authority())),
            }
        }
        Err(RemoteError::Failed(failures.join("; ")))
    }

    /// Puts a value, or takes one away, if the key was changed last at `index` (0: if there is none); false: it was not so.
    pub async fn swap(&self, path: &str, index: u64, value: Option<Vec<u8>>) -> Result<bool, RemoteError> {
        let mut url = self.bases[self.current.load(Ordering::Relaxed) % self.bases.len()].clone();
        url.set_path(path);
        let request = match value {
            Some(value) => self.client.put(url).body(value),
            None => self.client.delete(url),
        };
        let mut request = request.headers(self.headers.clone()).query(&self.always).query(&[("cas", index)]);
        if let Some((user, password)) = &self.basic {
            request = request.basic_auth(user, Some(password));
        }
        let answer = request.timeout(ANSWER).send().await?;
        let status = answer.status();
        let text = body(answer, 512).await.unwrap_or_default();
        match (status, &*String::from_utf8_lossy(&text).trim().to_owned()) {
            (StatusCode::OK, "true") => Ok(true),
            (StatusCode::OK, "false") => Ok(false),
            (status, text) => Err(RemoteError::Failed(format!("the answer is {status}: {text}"))),
        }
    }

    async fn ask_one<T: DeserializeOwned>(
        &self,
        at: usize,
        path: &str,
        parameters: &[(&str, &str)],
        index: Option<u64>,
    ) -> Result<Answer<T>, RemoteError> {
        let mut url = self.bases[at].clone();
        url.set_path(path);
        let mut request = self.client.get(url).headers(self.headers.clone()).query(&self.always).query(parameters);
        if let Some((user, password)) = &self.basic {
            request = request.basic_auth(user, Some(password));
        }
        let deadline = match index {
            Some(index) => {
                let wait = format!("{}s", self.wait.as_secs().max(1));
                request = request.query(&[("index", index.to_string()), ("wait", wait)]);
                // The server adds up to a sixteenth, so that not all come back at once.
                self.wait + self.wait / 16 + ANSWER
            }
            None => ANSWER * 6,
        };
        let answer = request.timeout(deadline).send().await?;
        let told = ["X-Consul-Index", "X-Nomad-Index"];
        let told = told.iter().find_map(|name| answer.headers().get(*name)?.to_str().ok()?.parse().ok());
        let index = next_index(index, told.unwrap_or(0));
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Answer { index, value: None }),
            status => {
                let text = body(answer, 512).await.unwrap_or_default();
                let text = String::from_utf8_lossy(&text).trim().to_owned();
                return Err(RemoteError::Failed(format!("the answer is {status}: {text}")));
            }
        }
        let text = body(answer, MAX_ANSWER).await?;
        let value = serde_json::from_slice(&text)
            .map_err(|error| RemoteError::Failed(format!("the answer to {path} is not what was expected: {error}")))?;
        Ok(Answer { index, value: Some(value) })
    }
}

/// The index to wait with: anew when it went backwards (a server was restored, say), and never zero, which does not wait.
fn next_index(asked: Option<u64>, told: u64) -> u64 {
    match asked {
        Some(asked) if told < asked => 1,
        _ => told.max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_begins_anew_when_it_went_backwards() {
        assert_eq!(next_index(None, 0), 1);
        assert_eq!(next_index(None, 7), 7);
        assert_eq!(next_index(Some(7), 9), 9);
        assert_eq!(next_index(Some(7), 7), 7);
        assert_eq!(next_index(Some(7), 3), 1);
    }

    #[test]
    fn addresses() {
        let access = |address: &str| Access { addresses: vec![address.to_owned()], ..Access::default() };
        let base = |access| Server::new(access, "providers.consul").map(|server| server.bases[0].to_string());
        assert_eq!(base(access("127.0.0.1:8500")).expect("an address"), "http://127.0.0.1:8500/");
        assert_eq!(base(access("https://consul.test")).expect("an address"), "https://consul.test/");
        let tls = ClientTls::default();
        let secure = Access { tls: Some(&tls), ..access("consul.test:8501") };
        assert_eq!(base(secure).expect("an address"), "https://consul.test:8501/");
        let error = base(access("a b:c")).unwrap_err().to_string();
        assert_eq!(error, "providers.consul: \"a b:c\" is not host:port or an address");
    }
}
