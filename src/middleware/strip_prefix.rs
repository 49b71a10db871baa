//! # stripPrefix
//!
//! Removes the first of its prefixes, in the order they are listed, with which the path begins, and tells it to the back
//! end in `X-Forwarded-Prefix`.
//!
//! ```yaml
//! middlewares:
//!   api: {stripPrefix: {prefixes: [/api, /v1]}}
//! ```
//!
//! The prefix is plain text: `/api` is also removed from `/apiary`, which leaves `/ary`. Nothing left becomes `/`. If
//! what is left would change when cleaned (it begins with `..`, say), the answer is 400 `Bad Request`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Filter, Flow, Line, Reason, Request, StatusCode, reply};

use crate::go_path::{self, GoPath};
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct StripPrefix {
    /// The prefixes, in the order they are tried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    prefixes: Vec<String>,
    /// Deprecated in Traefik; without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    force_slash: Option<bool>,
}

impl Middleware for StripPrefix {
    const NAME: &'static str = "stripPrefix";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        chain.filter(Strip::of(self.prefixes.iter().map(|prefix| prefix.trim())));
        Ok(())
    }
}

struct Strip {
    /// What the back end is told of each.
    prefixes: Vec<Line>,
}

impl Strip {
    fn of<'a>(prefixes: impl Iterator<Item = &'a str>) -> Self {
        Self { prefixes: prefixes.map(|prefix| Line::new("X-Forwarded-Prefix", prefix)).collect() }
    }
}

impl Filter for Strip {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        let escaped = req.target.path_bytes();
        if go_path::is_plain(escaped) {
            let prefix = self.prefixes.iter().find(|prefix| escaped.starts_with(prefix.value()));
            // What remains is a part of what came; only a slash that would have to be put before it makes a new path.
            if let Some(prefix) = prefix
                && escaped[prefix.value().len()..].starts_with(b"/")
            {
                if go_path::is_unsafe(&escaped[prefix.value().len()..]) {
                    return refusal(cx);
                }
                req.target.cut_path(prefix.value().len());
                req.headers.push_line(prefix);
                return Flow::Continue(());
            } else if prefix.is_none() {
                return Flow::Continue(());
            }
        }
        let path = GoPath::of(&req.target);
        match self.prefixes.iter().find(|prefix| path.path.starts_with(prefix.value())) {
            Some(prefix) => strip(path, prefix.value(), req, cx),
            None => Flow::Continue(()),
        }
    }
}

/// Removes `prefix`, with which the path begins; shared with stripPrefixRegex.
pub(crate) fn strip(mut path: GoPath, prefix: &[u8], req: &mut Request, cx: &mut Exchange) -> Flow {
    let header = Bytes::copy_from_slice(prefix);
    path.path = without(&path.path, prefix);
    path.raw = path.raw.map(|raw| {
        let raw = raw.as_bytes();
        String::from_utf8_lossy(&without(raw, if raw.starts_with(prefix) { prefix } else { b"" })).into_owned()
    });
    if path.is_unsafe() {
        return refusal(cx);
    }
    path.store(&mut req.target);
    req.headers.append("X-Forwarded-Prefix", header);
    Flow::Continue(())
}

fn refusal(cx: &mut Exchange) -> Flow {
    cx.reason = Some(Reason::RewrittenPath);
    Flow::Break(reply::error(StatusCode::BAD_REQUEST, "Bad Request"))
}

fn without(path: &[u8], prefix: &[u8]) -> Vec<u8> {
    let rest = path.strip_prefix(prefix).unwrap_or(path);
    if rest.is_empty() || rest.starts_with(b"/") { rest.to_vec() } else { [b"/", rest].concat() }
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::Method;

    use super::*;
    use crate::testing;

    #[track_caller]
    fn check(prefixes: &[&str], uri: &str, expected: Result<(&str, Option<&str>), u16>) {
        let strip = Strip::of(prefixes.iter().copied());
        let mut req = testing::request(Method::GET, uri);
        let found = match strip.request(&mut req, &mut testing::exchange()) {
            Flow::Continue(()) => Ok(req.target.to_uri()),
            Flow::Break(response) => Err(response.status.as_u16()),
        };
        assert_eq!(found.as_deref().map_err(|status| *status), expected.map(|(uri, _)| uri));
        if let Ok((_, prefix)) = expected {
            assert_eq!(req.headers.get_str("x-forwarded-prefix"), prefix);
        }
    }

    #[test]
    fn removes_the_first_prefix_that_fits() {
        check(&["/api", "/v1"], "/api/users?x=1", Ok(("/users?x=1", Some("/api"))));
        check(&["/api"], "/apiary", Ok(("/ary", Some("/api"))));
        check(&["/api"], "/other/api", Ok(("/other/api", None)));
        check(&["/api"], "/api", Ok(("/", Some("/api"))));
        check(&["/api"], "/api/a%2Fb", Ok(("/a%2Fb", Some("/api"))));
    }

    #[test]
    fn refuses_what_cleaning_would_change() {
        check(&["/api"], "/api../x", Err(400));
    }
}
