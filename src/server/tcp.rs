//! TCP routes of an entry point: which one a connection takes, and taking it.

use std::net::IpAddr;
use std::sync::Arc;

use trafficcop_exchange::{Admission, Duplex, Permit, TcpConnection};
use trafficcop_router::tcp::Connection;
use trafficcop_router::tcp::hello::ClientHello;
use trafficcop_snapshot::{Current, Entry, TcpRoute};

use crate::accept::Ends;
use crate::http::Traffic;

/// How a client of Postgres asks whether it may speak TLS.
pub(crate) const POSTGRES: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The entry point's part of the snapshot in force.
fn in_entry<T>(traffic: &Traffic, look: impl FnOnce(&Entry) -> Option<T>) -> Option<T> {
    let current: Current = traffic.live.current(traffic.worker);
    traffic.entry_of(&current).and_then(|entry| look(entry))
}

/// Where a connection goes of which no byte needs to be known: to protocols in which the server speaks first.
pub(crate) fn at_once(traffic: &Traffic, client: IpAddr) -> Option<Arc<TcpRoute>> {
    in_entry(traffic, |entry| {
        let only_plain = entry.tcp_tls.is_empty() && entry.https.is_empty();
        if only_plain { plain_of(entry, client) } else { None }
    })
}

/// The route of a connection that does not speak TLS.
pub(crate) fn plain(traffic: &Traffic, client: IpAddr) -> Option<Arc<TcpRoute>> {
    in_entry(traffic, |entry| plain_of(entry, client))
}

fn plain_of(entry: &Entry, client_ip: IpAddr) -> Option<Arc<TcpRoute>> {
    let found = entry.tcp.find(&Connection { server_name: "", alpn: &[], client_ip })?;
    Some(Arc::clone(found.route))
}

/// Whether a ClientHello must be read to find the route.
pub(crate) fn has_tls_routes(traffic: &Traffic) -> bool {
    in_entry(traffic, |entry| (!entry.tcp_tls.is_empty()).then_some(())).is_some()
}

/// The route of a TLS connection; None: it belongs to HTTP. HTTP routers that name its host go before TCP routers, and
/// those that name no host before the TCP router for all.
pub(crate) fn secure(traffic: &Traffic, hello: &ClientHello, client_ip: IpAddr) -> Option<Arc<TcpRoute>> {
    in_entry(traffic, |entry| {
        if !hello.server_name.is_empty() && entry.tls_options.names(&hello.server_name) {
            return None;
        }
        let connection = Connection { server_name: &hello.server_name, alpn: &hello.alpn, client_ip };
        let found = entry.tcp_tls.find(&connection)?;
        let is_theirs = !(found.is_catch_all && entry.https_for_all);
        is_theirs.then(|| Arc::clone(found.route))
    })
}

/// The route of a connection that was asked for by Postgres' own way to TLS: HTTP has no part in it.
pub(crate) fn postgres(traffic: &Traffic, hello: &ClientHello, client_ip: IpAddr) -> Option<Arc<TcpRoute>> {
    let connection = Connection { server_name: &hello.server_name, alpn: &hello.alpn, client_ip };
    in_entry(traffic, |entry| entry.tcp_tls.find(&connection).map(|found| Arc::clone(found.route)))
}

/// Asks the route's middlewares. None: one of them refuses the connection.
pub(crate) fn admit(route: &TcpRoute, ends: Ends) -> Option<Vec<Permit>> {
    let mut permits = Vec::new();
    for filter in &route.filters {
        match filter.admit(ends.peer.ip()) {
            Admission::Refused => {
                tracing::debug!(router = %route.router, peer = %ends.peer, "A middleware refused the connection.");
                return None;
            }
            Admission::Admitted(permit) => permits.extend(permit),
        }
    }
    Some(permits)
}

/// Serves a connection to its end.
pub(crate) async fn serve(route: &TcpRoute, stream: Box<dyn Duplex>, ends: Ends, asks_postgres: bool) {
    let connection = TcpConnection { peer: ends.peer, local: ends.local, stream, asks_postgres };
    route.service.serve(connection).await;
}
