//! # replacePath
//!
//! Sets the path of the request, keeps its query, and tells the old path to the back end in `X-Replaced-Path`.
//!
//! ```yaml
//! middlewares:
//!   home: {replacePath: {path: /home}}
//! ```

use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Filter, Flow, Request};

use crate::go_path::GoPath;
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ReplacePath {
    /// The new path; it may hold escapes.
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
}

impl Middleware for ReplacePath {
    const NAME: &'static str = "replacePath";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        chain.filter(Replace { path: GoPath::parse(&self.path) });
        Ok(())
    }
}

struct Replace {
    path: GoPath,
}

impl Filter for Replace {
    fn request(&self, req: &mut Request, _: &mut Exchange) -> Flow {
        replace(&self.path, req);
        Flow::Continue(())
    }
}

/// Puts the new path in the place of the old; shared with replacePathRegex.
pub(crate) fn replace(path: &GoPath, req: &mut Request) {
    let old = req.target.path().to_owned();
    req.headers.append("X-Replaced-Path", old);
    path.store(&mut req.target);
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::Method;

    use super::*;
    use crate::testing;

    #[test]
    fn the_query_stays_and_the_old_path_is_told() {
        let mut req = testing::request(Method::GET, "/r/%C3%A9?x=1");
        let replace = Replace { path: GoPath::parse("/sp ace/%41") };
        assert!(replace.request(&mut req, &mut testing::exchange()).is_continue());
        assert_eq!(req.target.to_uri(), "/sp%20ace/A?x=1");
        assert_eq!(req.headers.get_str("X-Replaced-Path"), Some("/r/%C3%A9"));
    }
}
