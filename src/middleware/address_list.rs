//! What the kinds that judge by address share: ipAllowList, ipDenyList and the former ipWhiteList.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Filter, Flow, Reason, Request, StatusCode, reply};

use crate::BuildError;
use crate::ip_strategy::{IpStrategy, Strategy, networks};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AddressList {
    /// Addresses and CIDR ranges.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) source_range: Vec<String>,
    /// Where the address is found; the peer's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ip_strategy: Option<IpStrategy>,
    /// The status of the refusal; 0 means 403.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) reject_status_code: u16,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
fn is_zero(value: &u16) -> bool {
    *value == 0
}

/// Who passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passes {
    Listed,
    Others,
}

impl AddressList {
    /// `empty` is the error of a list without a range.
    pub(crate) fn build(&self, passes: Passes, empty: &str) -> Result<Gate, BuildError> {
        if self.source_range.is_empty() {
            return Err(BuildError::invalid(empty));
        }
        let reject = reject_status(self.reject_status_code)?;
        let strategy = self.ip_strategy.as_ref().map_or_else(|| Ok(Strategy::peer()), IpStrategy::build)?;
        Ok(Gate { networks: networks(&self.source_range)?, strategy, passes, reject })
    }
}

/// The status of a refusal; 0 means 403.
fn reject_status(status: u16) -> Result<StatusCode, BuildError> {
    let status = if status == 0 { 403 } else { status };
    StatusCode::from_u16(status)
        .ok()
        .filter(|code| !reply::text_of(*code).is_empty())
        .ok_or_else(|| BuildError::invalid(format!("invalid HTTP status code {status}")))
}

pub(crate) struct Gate {
    networks: Vec<IpNet>,
    strategy: Strategy,
    passes: Passes,
    reject: StatusCode,
}

impl Filter for Gate {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        let address = self.strategy.address(&req.headers, &cx.connection);
        // Without an address nobody passes, whichever way the list is meant.
        let is_listed = address.map(|address| self.networks.iter().any(|net| net.contains(&address)));
        if is_listed.is_some_and(|is_listed| is_listed == (self.passes == Passes::Listed)) {
            return Flow::Continue(());
        }
        tracing::debug!(?address, passes = ?self.passes, "The address may not pass.");
        cx.reason = Some(Reason::IpDenied);
        Flow::Break(reply::status_text(self.reject))
    }
}
