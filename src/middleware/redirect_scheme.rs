//! # redirectScheme
//!
//! Redirects to the same URL with another scheme, and another port if one is given.
//!
//! ```yaml
//! middlewares:
//!   https: {redirectScheme: {scheme: https, permanent: true}}
//! ```
//!
//! The request's scheme is what a trusted `X-Forwarded-Proto` says, else that of the connection. A port that is the
//! scheme's own is left out of the Location. A GET is answered 302 (301 if permanent), every other method 307 (308).

use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Filter, Flow, Request};

use crate::redirect_regex::redirect;
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RedirectScheme {
    /// The scheme to redirect to.
    #[serde(skip_serializing_if = "String::is_empty")]
    scheme: String,
    /// The port to redirect to; the scheme's own if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    port: String,
    /// The client may remember it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    permanent: bool,
}

impl Middleware for RedirectScheme {
    const NAME: &'static str = "redirectScheme";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        if self.scheme.is_empty() {
            return Err(BuildError::invalid("you must provide a target scheme"));
        }
        let default = matches!((&*self.scheme, &*self.port), ("http", "80") | ("https", "443"));
        let port = if self.port.is_empty() || default { String::new() } else { format!(":{}", self.port) };
        chain.filter(Redirect { scheme: self.scheme, port, permanent: self.permanent });
        Ok(())
    }
}

struct Redirect {
    scheme: String,
    /// `:8443`, or nothing.
    port: String,
    permanent: bool,
}

impl Filter for Redirect {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        let (host, port) = split(req.host_str());
        let scheme = match req.headers.get_str("X-Forwarded-Proto") {
            Some("https" | "wss") => "https",
            Some("http" | "ws") => "http",
            _ if cx.connection.tls.is_some() => "https",
            _ => "http",
        };
        let own = if scheme == "https" { ":443" } else { ":80" };
        let port = if port == own { "" } else { port };
        let uri = req.target.to_uri();
        let old = format!("{scheme}://{host}{port}{uri}");
        let new = format!("{}://{host}{}{uri}", self.scheme, self.port);
        if old == new { Flow::Continue(()) } else { Flow::Break(redirect(&new, self.permanent, req, cx)) }
    }
}

/// Host and `:port`; an IPv6 address keeps its brackets.
fn split(host: &str) -> (&str, &str) {
    match host.rfind(':') {
        Some(at) if !host[at..].contains(']') => host.split_at(at),
        _ => (host, ""),
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::Method;

    use super::*;
    use crate::testing;

    #[track_caller]
    fn check(port: &str, host: &'static str, proto: Option<&'static str>, expected: Option<&str>) {
        let redirect = Redirect { scheme: "https".into(), port: port.into(), permanent: false };
        let mut req = testing::request(Method::GET, "/x?y=z");
        req.host = bytes::Bytes::from_static(host.as_bytes());
        if let Some(proto) = proto {
            req.headers.append("X-Forwarded-Proto", proto);
        }
        let found = match redirect.request(&mut req, &mut testing::exchange()) {
            Flow::Continue(()) => None,
            Flow::Break(response) => response.headers.get_str("Location").map(ToOwned::to_owned),
        };
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn redirects_unless_the_url_is_right_already() {
        check("", "s.test:8080", None, Some("https://s.test/x?y=z"));
        check(":8443", "p.test", None, Some("https://p.test:8443/x?y=z"));
        check("", "s.test", Some("https"), None);
        check("", "s.test:443", Some("https"), None);
        check("", "[::1]:80", None, Some("https://[::1]/x?y=z"));
    }
}
