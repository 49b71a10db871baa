//! # redirectRegex
//!
//! Redirects when a regular expression matches the request's URL (scheme, host as sent, path and query) and its
//! replacement says something else.
//!
//! ```yaml
//! middlewares:
//!   www: {redirectRegex: {regex: "^https?://www\\.(.*)", replacement: "https://${1}", permanent: true}}
//! ```
//!
//! The scheme is that of the connection. What is no URL is answered 502. A GET is answered 302 (301 if permanent), every other method 307 (308).

use regex::Regex;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Filter, Flow, Method, Reason, Request, Response, StatusCode, reply};

use crate::{BuildError, ChainBuilder, Middleware, go_url};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RedirectRegex {
    /// What to look for in the URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    regex: String,
    /// Where to redirect to; groups are `$1` or `${name}`.
    #[serde(skip_serializing_if = "String::is_empty")]
    replacement: String,
    /// The client may remember it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    permanent: bool,
}

impl Middleware for RedirectRegex {
    const NAME: &'static str = "redirectRegex";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let regex = Regex::new(&self.regex).map_err(|error| BuildError::invalid(error.to_string()))?;
        chain.filter(Redirect { regex, replacement: self.replacement, permanent: self.permanent });
        Ok(())
    }
}

struct Redirect {
    regex: Regex,
    replacement: String,
    permanent: bool,
}

impl Filter for Redirect {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        let scheme = if cx.connection.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}{}", req.host_str(), req.target.to_uri());
        if !self.regex.is_match(&url) {
            return Flow::Continue(());
        }
        let location = self.regex.replace_all(&url, self.replacement.as_str());
        if location == url { Flow::Continue(()) } else { Flow::Break(redirect(&location, self.permanent, req, cx)) }
    }
}

/// The answer; shared with redirectScheme.
pub(crate) fn redirect(location: &str, permanent: bool, req: &Request, cx: &mut Exchange) -> Response {
    let status = match (req.method == Method::GET, permanent) {
        (true, false) => StatusCode::FOUND,
        (true, true) => StatusCode::MOVED_PERMANENTLY,
        (false, false) => StatusCode::TEMPORARY_REDIRECT,
        (false, true) => StatusCode::PERMANENT_REDIRECT,
    };
    let Some(location) = go_url::normalized(location) else {
        tracing::debug!(location, "A redirection leads to what is no URL.");
        cx.reason = Some(Reason::Failed);
        return reply::status_text(StatusCode::BAD_GATEWAY);
    };
    cx.reason = Some(Reason::Redirect);
    let mut response = reply::status_text(status);
    response.headers.append("Location", location);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[track_caller]
    fn check(method: Method, uri: &str, expected: Option<(u16, &str)>) {
        let regex = Regex::new("^http://a.test/old/(.*)").expect("a good expression");
        let redirect = Redirect { regex, replacement: "https://a.test/new/$1".into(), permanent: false };
        let mut req = testing::request(method, uri);
        let found = match redirect.request(&mut req, &mut testing::exchange()) {
            Flow::Continue(()) => None,
            Flow::Break(res) => Some((res.status.as_u16(), res.headers.get_str("Location").unwrap_or("").to_owned())),
        };
        assert_eq!(found, expected.map(|(status, location)| (status, location.to_owned())));
    }

    #[test]
    fn redirects_by_method() {
        check(Method::GET, "/old/1?q=1", Some((302, "https://a.test/new/1?q=1")));
        check(Method::HEAD, "/old/1", Some((307, "https://a.test/new/1")));
        check(Method::GET, "/other", None);
    }
}
