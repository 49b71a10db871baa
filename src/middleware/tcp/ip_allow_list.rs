//! # ipAllowList (TCP)
//!
//! Lets only clients of certain addresses pass; connections of others are closed.
//!
//! ```yaml
//! tcp:
//!   middlewares:
//!     office: {ipAllowList: {sourceRange: [192.0.2.0/24]}}
//! ```
//!
//! An empty list is an error. `ipWhiteList` is its deprecated name.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use serde::Deserialize;
use trafficcop_exchange::{Admission, ConnFilter};

use super::TcpMiddleware;
use crate::BuildError;
use crate::ip_strategy::networks;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct IpAllowList {
    /// Addresses and CIDR ranges that may pass.
    source_range: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct IpWhiteList {
    /// Addresses and CIDR ranges that may pass.
    source_range: Vec<String>,
}

struct Ranges(Box<[IpNet]>);

impl TcpMiddleware for IpAllowList {
    const NAME: &'static str = "ipAllowList";

    fn build(self) -> Result<Arc<dyn ConnFilter>, BuildError> {
        build(&self.source_range, "sourceRange is empty, IPAllowLister not created")
    }
}

impl TcpMiddleware for IpWhiteList {
    const NAME: &'static str = "ipWhiteList";

    fn build(self) -> Result<Arc<dyn ConnFilter>, BuildError> {
        build(&self.source_range, "sourceRange is empty, IPWhiteLister not created")
    }
}

fn build(ranges: &[String], when_empty: &str) -> Result<Arc<dyn ConnFilter>, BuildError> {
    if ranges.is_empty() {
        return Err(BuildError::invalid(when_empty));
    }
    Ok(Arc::new(Ranges(networks(ranges)?.into())))
}

impl ConnFilter for Ranges {
    fn admit(&self, peer: IpAddr) -> Admission {
        let peer = peer.to_canonical();
        if self.0.iter().any(|range| range.contains(&peer)) { Admission::Admitted(None) } else { Admission::Refused }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_in_the_ranges_pass() {
        let filter = IpAllowList { source_range: vec!["10.0.0.0/8".into()] }.build().unwrap();
        let passes = |peer: &str| matches!(filter.admit(peer.parse().unwrap()), Admission::Admitted(None));
        assert!(passes("10.1.2.3") && passes("::ffff:10.1.2.3"));
        assert!(!passes("11.0.0.1") && !passes("::1"));
        assert!(IpAllowList::default().build().is_err(), "an empty list is a mistake, not an open door");
    }
}
