//! # replacePathRegex
//!
//! Replaces what a regular expression finds in the path, keeps the query, and tells the old path to the back end in
//! `X-Replaced-Path`. A path in which nothing is found passes untouched.
//!
//! ```yaml
//! middlewares:
//!   new: {replacePathRegex: {regex: "^/old/(.*)", replacement: "/new/$1"}}
//! ```
//!
//! Groups are `$1` or `${name}`. A result that would change when cleaned is answered 400 `Bad Request`.

use regex::bytes::Regex;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Filter, Flow, Reason, Request, StatusCode, reply};

use crate::go_path::{GoPath, unescape};
use crate::{BuildError, ChainBuilder, Middleware, replace_path};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ReplacePathRegex {
    /// What to look for in the escaped path.
    #[serde(skip_serializing_if = "String::is_empty")]
    regex: String,
    /// What to put in its place.
    #[serde(skip_serializing_if = "String::is_empty")]
    replacement: String,
}

impl Middleware for ReplacePathRegex {
    const NAME: &'static str = "replacePathRegex";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let regex = Regex::new(self.regex.trim()).map_err(|error| {
            BuildError::invalid(format!("error compiling regular expression {}: {error}", self.regex))
        })?;
        chain.filter(Replace { regex, replacement: self.replacement.trim().to_owned() });
        Ok(())
    }
}

struct Replace {
    regex: Regex,
    replacement: String,
}

impl Filter for Replace {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        let old = req.target.path().as_bytes();
        if self.regex.is_match(old) {
            let raw = self.regex.replace_all(old, self.replacement.as_bytes()).into_owned();
            let path = GoPath { path: unescape(&raw), raw: Some(String::from_utf8_lossy(&raw).into_owned()) };
            if path.is_unsafe() {
                cx.reason = Some(Reason::RewrittenPath);
                return Flow::Break(reply::error(StatusCode::BAD_REQUEST, "Bad Request"));
            }
            replace_path::replace(&path, req);
        }
        Flow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::Method;

    use super::*;
    use crate::testing;

    #[track_caller]
    fn check(regex: &str, replacement: &str, uri: &str, expected: &str) {
        let replace = Replace { regex: Regex::new(regex).expect("a good expression"), replacement: replacement.into() };
        let mut req = testing::request(Method::GET, uri);
        assert!(replace.request(&mut req, &mut testing::exchange()).is_continue());
        assert_eq!(req.target.to_uri(), expected);
    }

    #[test]
    fn groups_are_filled_in() {
        check("^/old/(.*)", "/new/$1", "/old/a/b?q=1", "/new/a/b?q=1");
        check("^/old/(.*)", "/new/$1", "/old/a%20b", "/new/a%20b");
        check("^/old/(?P<rest>.*)", "/new/${rest}", "/old/x", "/new/x");
        check("^/old", "/new", "/none", "/none");
    }
}
