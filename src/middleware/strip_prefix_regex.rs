//! # stripPrefixRegex
//!
//! Removes what the first matching of its regular expressions finds at the very beginning of the path, and tells it to
//! the back end in `X-Forwarded-Prefix`.
//!
//! ```yaml
//! middlewares:
//!   user: {stripPrefixRegex: {regex: ["/user/[0-9]+"]}}
//! ```
//!
//! Otherwise as stripPrefix.

use regex::bytes::Regex;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Filter, Flow, Request};

use crate::go_path::GoPath;
use crate::{BuildError, ChainBuilder, Middleware, strip_prefix};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct StripPrefixRegex {
    /// The expressions, in the order they are tried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    regex: Vec<String>,
}

impl Middleware for StripPrefixRegex {
    const NAME: &'static str = "stripPrefixRegex";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let compile = |text: &String| Regex::new(text.trim()).map_err(|error| BuildError::invalid(error.to_string()));
        chain.filter(Strip { expressions: self.regex.iter().map(compile).collect::<Result<_, _>>()? });
        Ok(())
    }
}

struct Strip {
    expressions: Vec<Regex>,
}

impl Filter for Strip {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        let path = GoPath::of(&req.target);
        let found = self.expressions.iter().find_map(|expression| {
            let found = expression.find(&path.path)?;
            (found.start() == 0 && !found.is_empty()).then(|| found.as_bytes().to_vec())
        });
        match found {
            Some(prefix) => strip_prefix::strip(path, &prefix, req, cx),
            None => Flow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::Method;

    use super::*;
    use crate::testing;

    #[track_caller]
    fn check(expression: &str, uri: &str, expected: &str) {
        let strip = Strip { expressions: vec![Regex::new(expression).expect("a good expression")] };
        let mut req = testing::request(Method::GET, uri);
        assert!(strip.request(&mut req, &mut testing::exchange()).is_continue());
        assert_eq!(req.target.to_uri(), expected);
    }

    #[test]
    fn removes_only_at_the_beginning() {
        check("/u/[0-9]+", "/u/12/profile", "/profile");
        check("/u/[0-9]+", "/u/12", "/");
        check("/u/[0-9]+", "/z/u/12/x", "/z/u/12/x");
    }
}
