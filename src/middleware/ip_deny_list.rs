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

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Filter, Flow, Reason, Request, StatusCode, reply};

use crate::ip_strategy::{IpStrategy, Strategy, networks};
use crate::{BuildError, ChainBuilder, Middleware, ip_allow_list};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IpDenyList {
    /// Addresses and CIDR ranges that are refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    source_range: Vec<String>,
    /// Where the address is found; the peer's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_strategy: Option<IpStrategy>,
    /// The status of the refusal; 0 means 403.
    #[serde(skip_serializing_if = "is_zero")]
    reject_status_code: u16,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
fn is_zero(value: &u16) -> bool {
    *value == 0
}

impl Middleware for IpDenyList {
    const NAME: &'static str = "ipDenyList";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        if self.source_range.is_empty() {
            return Err(BuildError::invalid("sourceRange is empty: it would refuse nobody"));
        }
        let strategy = self.ip_strategy.as_ref().map_or_else(|| Ok(Strategy::peer()), IpStrategy::build)?;
        let reject = ip_allow_list::reject_status(self.reject_status_code)?;
        chain.filter(DenyList { networks: networks(&self.source_range)?, strategy, reject });
        Ok(())
    }
}

struct DenyList {
    networks: Vec<IpNet>,
    strategy: Strategy,
    reject: StatusCode,
}

impl Filter for DenyList {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        let address = self.strategy.address(&req.headers, &cx.connection);
        if address.is_some_and(|address| !self.networks.iter().any(|net| net.contains(&address))) {
            return Flow::Continue(());
        }
        tracing::debug!(?address, "The address is in the deny list, or there is none.");
        cx.reason = Some(Reason::IpDenied);
        Flow::Break(reply::status_text(self.reject))
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
