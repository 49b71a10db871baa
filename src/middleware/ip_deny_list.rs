//! # ipDenyList
//!
//! Keeps clients of certain addresses out; an extension beside Traefik's ipAllowList.
//!
//! ```yaml
//! middlewares:
//!   no-bots: {ipDenyList: {sourceRange: [192.0.2.0/24, "2001:db8::/32"], ipStrategy: {depth: 1}}}
//! ```
//!
//! The listed are answered 403 `Forbidden`, or the status in `rejectStatusCode`; everybody else passes. An empty list is
//! an error. The address is the peer's, or the one that `ipStrategy` finds in `X-Forwarded-For`; when that finds none the
//! request is refused, so that nobody gets round the list by leaving the header out.

use serde::{Deserialize, Serialize};

use crate::address_list::{AddressList, Passes};
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct IpDenyList(AddressList);

impl Middleware for IpDenyList {
    const NAME: &'static str = "ipDenyList";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        chain.filter(self.0.build(Passes::Others, "sourceRange is empty: it would refuse nobody")?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::{Method, Reason};

    use crate::testing::{self, Origin};

    #[track_caller]
    fn check(settings: &str, peer: &str, expected: u16) {
        let chain = testing::chain("ipDenyList", settings, Origin::ok()).expect("good settings");
        let mut exchange = testing::from(peer);
        let response = testing::run(&chain, testing::request(Method::GET, "/"), &mut exchange);
        assert_eq!(response.status.as_u16(), expected);
        assert_eq!(exchange.reason, (expected != 200).then_some(Reason::IpDenied));
    }

    #[test]
    fn the_listed_are_refused() {
        check("{sourceRange: [10.0.0.0/8]}", "10.2.3.4", 403);
        check("{sourceRange: [10.0.0.0/8]}", "::ffff:10.2.3.4", 403);
        check("{sourceRange: [10.0.0.0/8]}", "11.2.3.4", 200);
        check("{sourceRange: [11.2.3.4], rejectStatusCode: 404}", "11.2.3.4", 404);
        check("{sourceRange: ['2001:db8::/32']}", "2001:db8::1", 403);
    }

    #[test]
    fn who_hides_is_refused() {
        check("{sourceRange: [10.0.0.1], ipStrategy: {depth: 1}}", "11.0.0.1", 403);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for settings in ["{}", "{sourceRange: [nonsense]}", "{sourceRange: [10.0.0.1], rejectStatusCode: 999}"] {
            assert!(testing::chain("ipDenyList", settings, Origin::ok()).is_err(), "{settings}");
        }
    }
}
