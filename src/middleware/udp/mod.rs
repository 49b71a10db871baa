//! Middlewares of UDP routers, which Traefik does not have, and their registry: one line per kind, sorted.

mod rate_limit;

use std::net::SocketAddr;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use trafficcop_config::Node;
use trafficcop_exchange::{Admission, ConnFilter, UdpFilter};

use crate::BuildError;
use rate_limit::RateLimit;

/// The settings of a kind.
trait UdpMiddleware: DeserializeOwned {
    const NAME: &'static str;
    fn build(self) -> Result<Arc<dyn UdpFilter>, BuildError>;
}

/// A kind of UDP middleware, with its settings erased.
pub struct UdpKind {
    pub name: &'static str,
    /// Decodes and builds.
    pub build: fn(&Node) -> Result<Arc<dyn UdpFilter>, BuildError>,
}

impl UdpKind {
    const fn of<M: UdpMiddleware>() -> Self {
        Self { name: M::NAME, build: |settings| settings.decode::<M>()?.build() }
    }
}

/// Every kind, sorted by name. What judges by address is that of TCP.
pub static UDP_KINDS: &[UdpKind] = &[UdpKind { name: "ipAllowList", build: ip_allow_list }, UdpKind::of::<RateLimit>()];

/// The kind of that name, whatever its case.
pub fn find(name: &str) -> Option<&'static UdpKind> {
    UDP_KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(name))
}

struct ByAddress(Arc<dyn ConnFilter>);

impl UdpFilter for ByAddress {
    fn admits(&self, client: SocketAddr) -> bool {
        matches!(self.0.admit(client.ip()), Admission::Admitted(_))
    }
}

fn ip_allow_list(settings: &Node) -> Result<Arc<dyn UdpFilter>, BuildError> {
    let Some(kind) = crate::tcp::find("ipAllowList") else {
        return Err(BuildError::invalid("ipAllowList is not in this build"));
    };
    Ok(Arc::new(ByAddress((kind.build)(settings)?)))
}
