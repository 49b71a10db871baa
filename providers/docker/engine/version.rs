//! Which version of the API to speak, also where the engine is behind a proxy that refuses to say.

use std::time::Duration;

use bollard::errors::Error;
use http::{Method, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::transport::Transport;

/// The newest version whose answers we know.
const NEWEST: Version = Version(1, 53);
/// What is tried, in turn, when nobody tells a version. Engines from 29 on refuse what is below 1.44.
const GUESSES: [Version; 4] = [Version(1, 44), Version(1, 41), Version(1, 40), Version(1, 24)];
/// The largest answer that is read while negotiating, in bytes.
const MAX_ANSWER: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u16, u16);

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().trim_start_matches('v').split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Finds the version to speak: asks `HEAD /_ping`, then `GET /_ping`, then `/version`, and at last tries. An error means
/// that the engine cannot be reached or lets us do nothing at all.
pub(super) async fn negotiate(transport: &Transport, patience: Duration) -> Result<String, Error> {
    let limited = |work| async move { timeout(patience, work).await.unwrap_or(Err(Error::RequestTimeoutError)) };
    for method in [Method::HEAD, Method::GET] {
        let answer = limited(Box::pin(transport.send(method, "/_ping"))).await?;
        if let Some(newest) = announced(&answer) {
            drain(answer).await;
            return Ok(newest.min(NEWEST).to_string());
        }
        drain(answer).await;
    }
    let answer = limited(Box::pin(transport.send(Method::GET, "/version"))).await?;
    let heard = announced(&answer);
    if answer.status().is_success() {
        let text = body(answer).await;
        if let Some(newest) = heard.or_else(|| field(&text, "ApiVersion")) {
            let oldest = field(&text, "MinAPIVersion").unwrap_or(Version(0, 0));
            return Ok(newest.min(NEWEST).max(oldest).to_string());
        }
    } else {
        drain(answer).await;
    }
    guess(transport, patience).await
}

/// Tries versions on the list of containers, and learns from how they are refused.
async fn guess(transport: &Transport, patience: Duration) -> Result<String, Error> {
    let mut refusal = None;
    let mut hint = None;
    for guess in GUESSES {
        let version = hint.take().unwrap_or(guess);
        let path = format!("/v{version}/containers/json?limit=1");
        let answer =
            timeout(patience, transport.send(Method::GET, &path)).await.unwrap_or(Err(Error::RequestTimeoutError))?;
        let status = answer.status();
        if status.is_success() {
            drain(answer).await;
            return Ok(version.to_string());
        }
        let message = body(answer).await;
        hint = limit_in(&message).filter(|limit| *limit <= NEWEST || message.contains("Minimum"));
        refusal = Some(Error::DockerResponseServerError { status_code: status.as_u16(), message });
    }
    Err(refusal.unwrap_or(Error::APIVersionParseError {}))
}

/// The header by which the engine and most proxies tell the newest version.
fn announced(answer: &Response<Incoming>) -> Option<Version> {
    if answer.status().is_client_error() {
        return None;
    }
    Version::parse(answer.headers().get("Api-Version")?.to_str().ok()?)
}

/// The value of a field of a JSON object of texts; no more is needed of `/version`.
fn field(json: &str, name: &str) -> Option<Version> {
    let rest = json.split_once(&format!("\"{name}\""))?.1.trim_start().strip_prefix(':')?;
    Version::parse(rest.trim_start().strip_prefix('"')?.split('"').next()?)
}

/// `client version 1.53 is too new. Maximum supported API version is 1.41`, and the same with `Minimum`.
fn limit_in(message: &str) -> Option<Version> {
    let rest = message.split_once("supported API version is ")?.1;
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
    Version::parse(rest[..end].trim_end_matches('.'))
}

async fn body(answer: Response<Incoming>) -> String {
    let bytes = Limited::new(answer.into_body(), MAX_ANSWER).collect().await.map(http_body_util::Collected::to_bytes);
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

/// Reads an answer to its end so that its connection can be used again.
async fn drain(answer: Response<Incoming>) {
    body(answer).await;
}

#[cfg(test)]
mod tests {
    use super::{Version, field, limit_in};

    #[test]
    fn versions_compare_by_number() {
        assert!(Version::parse("1.9") < Version::parse("1.24"));
        assert_eq!(Version::parse(" v1.44\n"), Some(Version(1, 44)));
        assert_eq!(Version::parse("1"), None);
    }

    #[test]
    fn what_version_tells() {
        let json = r#"{"Version":"29.0","ApiVersion": "1.52","MinAPIVersion":"1.44"}"#;
        assert_eq!(field(json, "ApiVersion"), Some(Version(1, 52)));
        assert_eq!(field(json, "MinAPIVersion"), Some(Version(1, 44)));
        assert_eq!(field(json, "Nope"), None);
    }

    #[test]
    fn refusals_name_the_limit() {
        let old = "client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client";
        assert_eq!(limit_in(old), Some(Version(1, 44)));
        let new = r#"{"message":"client version 1.53 is too new. Maximum supported API version is 1.41"}"#;
        assert_eq!(limit_in(new), Some(Version(1, 41)));
        assert_eq!(limit_in("no"), None);
    }
}
