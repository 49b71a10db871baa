//! [`UdpRoutes`]: several UDP routers on one entry point, by which clients they are for. Traefik has one.

use std::net::SocketAddr;
use std::sync::Arc;

use trafficcop_exchange::{UdpFilter, UdpService};
use trafficcop_router::tcp::{Connection, TcpTable};

/// A UDP router, built.
pub(crate) struct UdpRoute {
    pub(crate) filters: Arc<[Arc<dyn UdpFilter>]>,
    pub(crate) service: Arc<dyn UdpService>,
}

/// See the module. The rules are those of TCP, without what datagrams do not have.
pub(crate) struct UdpRoutes {
    table: TcpTable<Arc<UdpRoute>>,
    is_limited: bool,
}

impl UdpRoutes {
    pub(crate) fn new(table: TcpTable<Arc<UdpRoute>>) -> Self {
        let is_limited = table.routes().any(|ranked| ranked.route.filters.iter().any(|one| one.is_per_datagram()));
        Self { table, is_limited }
    }

    fn find(&self, client: SocketAddr) -> Option<&UdpRoute> {
        let asked = Connection { server_name: "", alpn: &[], client_ip: client.ip() };
        self.table.find(&asked).map(|found| &**found.route)
    }
}

impl UdpService for UdpRoutes {
    fn pick(&self, client: SocketAddr) -> Option<Arc<str>> {
        let route = self.find(client)?;
        if !route.filters.iter().all(|filter| filter.admits(client)) {
            return None;
        }
        route.service.pick(client)
    }

    fn is_limited(&self) -> bool {
        self.is_limited
    }

    fn passes(&self, client: SocketAddr) -> bool {
        let Some(route) = self.find(client) else { return false };
        route.filters.iter().filter(|filter| filter.is_per_datagram()).all(|filter| filter.admits(client))
    }
}
