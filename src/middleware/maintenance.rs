//! # maintenance
//!
//! Holds back a router's requests while its service is worked on; an extension.
//!
//! ```yaml
//! middlewares:
//!   closed:
//!     maintenance: {retryAfter: 10m, allow: [192.0.2.0/24], body: "<h1>Back soon</h1>", contentType: text/html}
//! ```
//!
//! Every request is answered 503 with `Retry-After` (seconds, rounded up), `Cache-Control: no-store` and the body, or the
//! status in `status`. Clients in `allow` pass; their address is the peer's, or the one that `ipStrategy` finds.
//! `enabled: false` opens the router again and keeps the settings. `page` names a file that is the body, read when the
//! configuration is taken over (at most 1 MiB). Without a body the text of the status is sent.

use std::fs::File;
use std::io::Read as _;

use bytes::Bytes;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use trafficcop_config::Duration;
use trafficcop_exchange::{Body, Exchange, Filter, Flow, Reason, Request, Response, StatusCode, reply};

use crate::ip_strategy::{IpStrategy, Strategy, networks};
use crate::{BuildError, ChainBuilder, Middleware};

/// The longest page in bytes.
const MAX_PAGE: u64 = 1 << 20;

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Maintenance {
    /// The switch.
    enabled: bool,
    /// The status of the answer: 400 to 599.
    status: u16,
    /// When clients may come back; 0 sends no header.
    retry_after: Duration,
    /// Addresses and CIDR ranges that pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow: Vec<String>,
    /// Where the address is found; the peer's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_strategy: Option<IpStrategy>,
    /// The body of the answer.
    #[serde(skip_serializing_if = "String::is_empty")]
    body: String,
    /// A file that holds the body.
    #[serde(skip_serializing_if = "String::is_empty")]
    page: String,
    /// The type of the body; HTML for a page, plain text for a body, if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    content_type: String,
}

impl Default for Maintenance {
    fn default() -> Self {
        Self {
            enabled: true,
            status: 503,
            retry_after: Duration::from_secs(300),
            allow: Vec::new(),
            ip_strategy: None,
            body: String::new(),
            page: String::new(),
            content_type: String::new(),
        }
    }
}

impl Middleware for Maintenance {
    const NAME: &'static str = "maintenance";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let status = StatusCode::from_u16(self.status)
            .ok()
            .filter(|status| status.is_client_error() || status.is_server_error())
            .ok_or_else(|| BuildError::invalid(format!("status {}: 400 to 599 expected", self.status)))?;
        if !self.body.is_empty() && !self.page.is_empty() {
            return Err(BuildError::invalid("body and page exclude each other"));
        }
        let standard = if self.page.is_empty() { "text/plain; charset=utf-8" } else { "text/html; charset=utf-8" };
        let content_type = if self.content_type.is_empty() { standard } else { &self.content_type };
        let body = match (self.page.as_str(), self.body.as_str()) {
            ("", "") => Bytes::from_static(reply::text_of(status).as_bytes()),
            ("", body) => Bytes::copy_from_slice(body.as_bytes()),
            (page, _) => read(page)?,
        };
        let seconds = self.retry_after.positive().map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        let gate = Gate {
            status,
            retry_after: seconds.map(|seconds| Bytes::from(seconds.to_string())),
            allow: networks(&self.allow)?,
            strategy: self.ip_strategy.as_ref().map_or_else(|| Ok(Strategy::peer()), IpStrategy::build)?,
            body,
            content_type: Bytes::copy_from_slice(content_type.as_bytes()),
        };
        if self.enabled {
            chain.filter(gate);
        }
        Ok(())
    }
}

fn read(page: &str) -> Result<Bytes, BuildError> {
    let mut text = Vec::new();
    let mut read = File::open(page).map(|file| file.take(MAX_PAGE + 1));
    let done = read
        .as_mut()
        .map_err(|error| error.to_string())
        .and_then(|file| file.read_to_end(&mut text).map_err(|error| error.to_string()));
    if let Err(error) = done {
        return Err(BuildError::invalid(format!("cannot read page {page}: {error}")));
    }
    if text.len() as u64 > MAX_PAGE {
        return Err(BuildError::invalid(format!("page {page} is larger than {MAX_PAGE} bytes")));
    }
    Ok(text.into())
}

struct Gate {
    status: StatusCode,
    retry_after: Option<Bytes>,
    allow: Vec<IpNet>,
    strategy: Strategy,
    body: Bytes,
    content_type: Bytes,
}

impl Filter for Gate {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        if !self.allow.is_empty() {
            let address = self.strategy.address(&req.headers, &cx.connection);
            if address.is_some_and(|address| self.allow.iter().any(|net| net.contains(&address))) {
                return Flow::Continue(());
            }
        }
        cx.reason = Some(Reason::Maintenance);
        let mut response = Response::new(self.status);
        response.headers.append("Content-Type", self.content_type.clone());
        response.headers.append("X-Content-Type-Options", "nosniff");
        response.headers.append("Cache-Control", "no-store");
        if let Some(seconds) = &self.retry_after {
            response.headers.append("Retry-After", seconds.clone());
        }
        response.body = Body::from(self.body.clone());
        Flow::Break(response)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use trafficcop_exchange::Method;

    use super::*;
    use crate::testing::{self, Origin};

    fn ask(settings: &str, peer: &str) -> (Response, Option<Reason>) {
        let chain = testing::chain("maintenance", settings, Origin::ok()).expect("good settings");
        let mut exchange = testing::from(peer);
        let response = testing::run(&chain, testing::request(Method::GET, "/"), &mut exchange);
        (response, exchange.reason)
    }

    fn text(response: Response) -> String {
        match response.body {
            Body::Full(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn all_are_held_back_but_those_allowed() {
        let (response, reason) = ask("{retryAfter: 1500ms, allow: [10.1.0.0/16], body: Back soon}", "10.0.0.1");
        assert_eq!((response.status.as_u16(), reason), (503, Some(Reason::Maintenance)));
        assert_eq!(response.headers.get_str("Retry-After"), Some("2"));
        assert_eq!(text(response), "Back soon");
        assert_eq!(ask("{allow: [10.1.0.0/16]}", "10.1.2.3").0.status.as_u16(), 200);
        assert_eq!(text(ask("{}", "10.1.2.3").0), "Service Unavailable");
    }

    #[test]
    fn the_switch_opens_again() {
        assert_eq!(ask("{enabled: false}", "10.0.0.1").0.status.as_u16(), 200);
    }

    #[test]
    fn a_page_is_sent_as_html() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(b"<h1>soon</h1>").expect("written");
        let (response, _) = ask(&format!("{{page: {}, retryAfter: 0}}", file.path().display()), "10.0.0.1");
        assert_eq!(response.headers.get_str("Content-Type"), Some("text/html; charset=utf-8"));
        assert_eq!(response.headers.get_str("Retry-After"), None);
        assert_eq!(text(response), "<h1>soon</h1>");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for settings in ["{status: 200}", "{page: /nowhere}", "{body: a, page: b}", "{allow: [nonsense]}"] {
            assert!(testing::chain("maintenance", settings, Origin::ok()).is_err(), "{settings}");
        }
    }
}
