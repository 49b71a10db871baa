//! [`Snapshot`], its entry points and their routes: all that the traffic plane looks at.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use trafficcop_exchange::{ConnFilter, RouteInfo, Service, TcpService, UdpService};
use trafficcop_merger::Merged;
use trafficcop_router::RouteTable;
use trafficcop_router::tcp::TcpTable;
use trafficcop_tls::TlsState;

use crate::Report;

/// Everything the traffic plane needs: built, immutable, swapped as a whole.
pub struct Snapshot {
    /// In the order of the settings' entry points (by name, ascending), UDP ones included.
    pub entries: Box<[Arc<Entry>]>,
    pub tls: Arc<TlsState>,
    pub merged: Arc<Merged>,
    pub report: Arc<Report>,
}

impl Snapshot {
    /// The entry point of that name.
    pub fn entry(&self, name: &str) -> Option<&Arc<Entry>> {
        self.entries.iter().find(|entry| &*entry.name == name)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// What one entry point serves.
pub struct Entry {
    pub name: Arc<str>,
    /// Routes of plain connections.
    pub http: Arc<RouteTable<Arc<Route>>>,
    /// Routes of TLS connections.
    pub https: Arc<RouteTable<Arc<Route>>>,
    /// Rules of routers that are disabled: they tell why there is no route.
    pub disabled: Option<Box<Disabled>>,
    /// Which TLS options a server name gets.
    pub tls_options: TlsOptionsByHost,
    /// A router of HTTP over TLS names no host: server names that nothing else knows are its.
    pub https_for_all: bool,
    /// TCP routes of connections without TLS.
    pub tcp: TcpTable<Arc<TcpRoute>>,
    /// TCP routes of TLS connections, ended here or passed through.
    pub tcp_tls: TcpTable<Arc<TcpRoute>>,
    /// Where the datagrams of a UDP entry point go.
    pub udp: Option<Arc<dyn UdpService>>,
}

/// Rules that lead nowhere.
#[derive(Debug)]
pub struct Disabled {
    pub http: RouteTable<()>,
    pub https: RouteTable<()>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).field("http", &self.http).finish_non_exhaustive()
    }
}

/// Where the rule of a TCP router leads.
pub struct TcpRoute {
    pub router: Box<str>,
    pub filters: Box<[Arc<dyn ConnFilter>]>,
    pub service: Arc<dyn TcpService>,
    /// None: the connection does not speak TLS.
    pub tls: Option<TcpTls>,
}

/// What becomes of the TLS of a connection.
pub enum TcpTls {
    /// The server's business.
    Passthrough,
    /// It ends here, under the options of this qualified name.
    Options(Arc<str>),
}

/// Which TLS options hold for which host: those of the routers that name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptionsByHost {
    exact: BTreeMap<Box<str>, Arc<str>>,
    /// `*.example.org` under `example.org`.
    wildcard: BTreeMap<Box<str>, Arc<str>>,
}

impl TlsOptionsByHost {
    /// Later entries of the same host replace earlier ones. Hosts are lower-case.
    pub fn new(hosts: impl IntoIterator<Item = (String, Arc<str>)>) -> Self {
        let mut options = Self::default();
        for (host, name) in hosts {
            let host = host.strip_suffix('.').unwrap_or(&host);
            match host.strip_prefix("*.") {
                Some(parent) => options.wildcard.insert(parent.into(), name),
                None => options.exact.insert(host.into(), name),
            };
        }
        options
    }

    /// The options for a host (lower-case, without port): its own, else those of its wildcard, else those of `*`, else
    /// `default`.
    pub fn find(&self, host: &str) -> &str {
        let host = host.strip_suffix('.').unwrap_or(host);
        let wildcard = || host.split_once('.').and_then(|(_, parent)| self.wildcard.get(parent));
        self.exact.get(host).or_else(wildcard).or_else(|| self.exact.get("*")).map_or("default", |name| name)
    }

    /// Whether this host was named, itself or by its wildcard.
    pub fn names(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let wildcard = host.split_once('.').is_some_and(|(_, parent)| self.wildcard.contains_key(parent));
        host != "*" && (wildcard || self.exact.contains_key(host))
    }

    /// No host has options of its own: nothing needs to be compared.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wildcard.is_empty()
    }
}

/// Where a rule leads.
pub struct Route {
    pub info: Arc<RouteInfo>,
    /// Middlewares and the service behind them, encoded-character denial and loop protection included.
    pub service: Arc<dyn Service>,
    /// The qualified name of the TLS options it asks for; `default` when it says nothing.
    pub tls_options: Arc<str>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route")
            .field("info", &self.info)
            .field("tls_options", &self.tls_options)
            .finish_non_exhaustive()
    }
}
