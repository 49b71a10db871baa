//! Entry points: tables of routes, and the TLS options of hosts.

use std::sync::Arc;

use trafficcop_exchange::UdpService;
use trafficcop_router::RouteTable;
use trafficcop_router::tcp::TcpTable;

use super::other::TcpBinding;
use super::routers::{Binding, BuiltRoute, Ranked};
use crate::{Disabled, Entry, Route, TlsOptionsByHost};

/// What an entry point carries beside HTTP.
pub(super) struct Raw {
    pub(super) tcp: TcpBinding,
    pub(super) udp: Option<Arc<dyn UdpService>>,
}

/// The entry point of that name; its tables are those of `before` where nothing changed.
pub(super) fn entry(name: &str, binding: &Binding, raw: Raw, before: Option<&Arc<Entry>>) -> Arc<Entry> {
    let hosts = (binding.hosts.iter())
        .flat_map(|(hosts, options)| hosts.iter().map(|host| (host.clone(), Arc::clone(options))));
    let tls_options = TlsOptionsByHost::new(hosts);
    let https_for_all = binding.hosts.iter().any(|(hosts, _)| hosts.is_empty() || hosts.iter().any(|host| host == "*"));
    let is_raw = |entry: &Entry| !entry.tcp.is_empty() || !entry.tcp_tls.is_empty() || entry.udp.is_some();
    let has_raw = !raw.tcp.plain.is_empty() || !raw.tcp.tls.is_empty() || raw.udp.is_some();
    let http = table(&binding.http, before.map(|before| &before.http));
    let https = table(&binding.https, before.map(|before| &before.https));
    match before {
        Some(before)
            if Arc::ptr_eq(&http, &before.http)
                && Arc::ptr_eq(&https, &before.https)
                && tls_options == before.tls_options
                && https_for_all == before.https_for_all
                && binding.disabled.is_empty()
                && before.disabled.is_none()
                && !has_raw
                && !is_raw(before) =>
        {
            Arc::clone(before)
        }
        _ => Arc::new(Entry {
            name: name.into(),
            http,
            https,
            disabled: disabled(binding),
            tls_options,
            https_for_all,
            tcp: TcpTable::build(raw.tcp.plain),
            tcp_tls: TcpTable::build(raw.tcp.tls),
            udp: raw.udp,
        }),
    }
}

fn disabled(binding: &Binding) -> Option<Box<Disabled>> {
    if binding.disabled.is_empty() {
        return None;
    }
    let (https, http): (Vec<_>, Vec<_>) = binding.disabled.iter().cloned().partition(|(tls, _)| *tls);
    let table = |rules: Vec<(bool, Ranked)>| RouteTable::build(rules.into_iter().map(|(_, rule)| rule).collect());
    Some(Box::new(Disabled { http: table(http), https: table(https) }))
}

type Table = Arc<RouteTable<Arc<Route>>>;

/// A route that is kept has kept its rule and rank as well: same routes, same table.
fn table(routes: &[BuiltRoute], before: Option<&Table>) -> Table {
    if let Some(before) = before.filter(|before| before.len() == routes.len()) {
        let mut old: Vec<_> = before.routes().map(|ranked| Arc::as_ptr(&ranked.route)).collect();
        let mut new: Vec<_> = routes.iter().map(|built| Arc::as_ptr(&built.route)).collect();
        old.sort_unstable();
        new.sort_unstable();
        if old == new {
            return Arc::clone(before);
        }
    }
    Arc::new(RouteTable::build(routes.iter().map(BuiltRoute::ranked).collect()))
}
