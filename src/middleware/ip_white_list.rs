//! # ipWhiteList
//!
//! The former name of ipAllowList; deprecated, and understood as before.
//!
//! ```yaml
//! middlewares:
//!   office: {ipWhiteList: {sourceRange: [192.0.2.0/24]}}
//! ```

use serde::{Deserialize, Serialize};

use crate::address_list::{AddressList, Passes};
use crate::ip_strategy::IpStrategy;
use crate::{BuildError, ChainBuilder, Middleware, ip_allow_list};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IpWhiteList {
    /// Addresses and CIDR ranges that may pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    source_range: Vec<String>,
    /// Where the address is found; the peer's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_strategy: Option<IpStrategy>,
}

impl Middleware for IpWhiteList {
    const NAME: &'static str = "ipWhiteList";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        tracing::warn!(middleware = chain.name, "ipWhiteList is deprecated: use ipAllowList.");
        let Self { source_range, ip_strategy } = self;
        let list = AddressList { source_range, ip_strategy, reject_status_code: 0 };
        chain.filter(list.build(Passes::Listed, ip_allow_list::EMPTY)?);
        Ok(())
    }
}
