//! # ipAllowList
//!
//! Lets only clients of certain addresses pass.
//!
//! ```yaml
//! middlewares:
//!   office: {ipAllowList: {sourceRange: [192.0.2.0/24, "2001:db8::/32"], ipStrategy: {depth: 1}}}
//! ```
//!
//! Others are answered 403 `Forbidden`, or the status in `rejectStatusCode`. An empty list is an error. The address is
//! the peer's, or the one that `ipStrategy` finds in `X-Forwarded-For`; none found is refused.

use serde::{Deserialize, Serialize};

use crate::address_list::{AddressList, Passes};
use crate::{BuildError, ChainBuilder, Middleware};

/// The error of a list without a range, in Traefik's words.
pub(crate) const EMPTY: &str = "sourceRange is empty, IPAllowLister not created";

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct IpAllowList(AddressList);

impl Middleware for IpAllowList {
    const NAME: &'static str = "ipAllowList";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        chain.filter(self.0.build(Passes::Listed, EMPTY)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::Method;

    use crate::testing::{self, Origin};

    #[track_caller]
    fn check(settings: &str, peer: &str, expected: u16) {
        let chain = testing::chain("ipAllowList", settings, Origin::ok()).expect("good settings");
        let response = testing::run(&chain, testing::request(Method::GET, "/"), &mut testing::from(peer));
        assert_eq!(response.status.as_u16(), expected);
    }

    #[test]
    fn only_the_listed_pass() {
        check("{sourceRange: [10.0.0.0/8]}", "10.2.3.4", 200);
        check("{sourceRange: [10.0.0.0/8]}", "::ffff:10.2.3.4", 200);
        check("{sourceRange: [10.0.0.0/8]}", "11.2.3.4", 403);
        check("{sourceRange: [10.0.0.1], rejectStatusCode: 404}", "11.2.3.4", 404);
        check("{sourceRange: [10.0.0.1], ipStrategy: {depth: 1}}", "10.0.0.1", 403);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for settings in ["{}", "{sourceRange: [nonsense]}", "{sourceRange: [10.0.0.1], rejectStatusCode: 999}"] {
            assert!(testing::chain("ipAllowList", settings, Origin::ok()).is_err(), "{settings}");
        }
    }
}
