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

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Filter, Flow, Reason, Request, StatusCode, reply};

use crate::ip_strategy::{IpStrategy, Strategy, networks};
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IpAllowList {
    /// Addresses and CIDR ranges that may pass.
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

impl Middleware for IpAllowList {
    const NAME: &'static str = "ipAllowList";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        build(&self.source_range, self.ip_strategy.as_ref(), self.reject_status_code, chain)
    }
}

/// Shared with the deprecated ipWhiteList.
pub(crate) fn build(
    ranges: &[String],
    strategy: Option<&IpStrategy>,
    status: u16,
    chain: &mut ChainBuilder<'_>,
) -> Result<(), BuildError> {
    if ranges.is_empty() {
        return Err(BuildError::invalid("sourceRange is empty, IPAllowLister not created"));
    }
    let reject = reject_status(status)?;
    let strategy = strategy.map_or_else(|| Ok(Strategy::peer()), IpStrategy::build)?;
    chain.filter(AllowList { networks: networks(ranges)?, strategy, reject });
    Ok(())
}

/// The status of a refusal; 0 means 403.
pub(crate) fn reject_status(status: u16) -> Result<StatusCode, BuildError> {
    let status = if status == 0 { 403 } else { status };
    StatusCode::from_u16(status)
        .ok()
        .filter(|code| !reply::text_of(*code).is_empty())
        .ok_or_else(|| BuildError::invalid(format!("invalid HTTP status code {status}")))
}

struct AllowList {
    networks: Vec<IpNet>,
    strategy: Strategy,
    reject: StatusCode,
}

impl Filter for AllowList {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        let address = self.strategy.address(&req.headers, &cx.connection);
        if address.is_some_and(|address| self.networks.iter().any(|net| net.contains(&address))) {
            return Flow::Continue(());
        }
        tracing::debug!(?address, "The address is not in the allow list.");
        cx.reason = Some(Reason::IpDenied);
        Flow::Break(reply::status_text(self.reject))
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
