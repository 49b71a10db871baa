//! Middlewares of TCP routers, and their registry: one line per kind, sorted.

mod in_flight_conn;
mod ip_allow_list;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use trafficcop_config::Node;
use trafficcop_exchange::ConnFilter;

use crate::BuildError;
use in_flight_conn::InFlightConn;
use ip_allow_list::{IpAllowList, IpWhiteList};

/// The settings of a kind.
trait TcpMiddleware: DeserializeOwned {
    const NAME: &'static str;
    fn build(self) -> Result<Arc<dyn ConnFilter>, BuildError>;
}

/// A kind of TCP middleware, with its settings erased.
pub struct TcpKind {
    pub name: &'static str,
    /// Decodes and builds.
    pub build: fn(&Node) -> Result<Arc<dyn ConnFilter>, BuildError>,
}

impl TcpKind {
    const fn of<M: TcpMiddleware>() -> Self {
        Self { name: M::NAME, build: |settings| settings.decode::<M>()?.build() }
    }
}

/// Every kind, sorted by name.
pub static TCP_KINDS: &[TcpKind] =
    &[TcpKind::of::<InFlightConn>(), TcpKind::of::<IpAllowList>(), TcpKind::of::<IpWhiteList>()];

/// The kind of that name, whatever its case.
pub fn find(name: &str) -> Option<&'static TcpKind> {
    TCP_KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(name))
}
