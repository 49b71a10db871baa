//! # addPrefix
//!
//! Puts a prefix before the path of the request. The rule of the router sees the path without it.
//!
//! ```yaml
//! middlewares:
//!   api: {addPrefix: {prefix: /api}}
//! ```
//!
//! A prefix without a leading slash gets one. An empty prefix is an error.

use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Filter, Flow, Request};

use crate::go_path::GoPath;
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AddPrefix {
    /// What to put before the path.
    #[serde(skip_serializing_if = "String::is_empty")]
    prefix: String,
}

impl Middleware for AddPrefix {
    const NAME: &'static str = "addPrefix";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        if self.prefix.is_empty() {
            return Err(BuildError::invalid("prefix cannot be empty"));
        }
        chain.filter(Prefix(self.prefix));
        Ok(())
    }
}

struct Prefix(String);

impl Filter for Prefix {
    fn request(&self, req: &mut Request, _: &mut Exchange) -> Flow {
        let mut path = GoPath::of(&req.target);
        path.path = with_slash([self.0.as_bytes(), &path.path].concat());
        path.raw = path.raw.map(|raw| {
            let raw = format!("{}{raw}", self.0);
            if raw.starts_with('/') { raw } else { format!("/{raw}") }
        });
        path.store(&mut req.target);
        Flow::Continue(())
    }
}

fn with_slash(mut path: Vec<u8>) -> Vec<u8> {
    if path.first() != Some(&b'/') {
        path.insert(0, b'/');
    }
    path
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::Method;

    use super::*;
    use crate::testing;

    #[track_caller]
    fn check(prefix: &str, path: &'static str, expected: &str) {
        let mut req = testing::request(Method::GET, path);
        let flow = Prefix(prefix.into()).request(&mut req, &mut testing::exchange());
        assert!(flow.is_continue());
        assert_eq!(req.target.to_uri(), expected);
    }

    #[test]
    fn puts_the_prefix_before_the_path() {
        check("/pre", "/a/b?c=d", "/pre/a/b?c=d");
        check("/pre", "/a%2Fb", "/pre/a%2Fb");
        check("pre", "/n", "/pre/n");
        check("/a b", "/x", "/a%20b/x");
    }
}
