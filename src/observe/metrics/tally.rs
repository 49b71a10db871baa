//! [`Tallies`]: what was counted since the last reading, by the ways that requests take.
//!
//! A request counts under an entry point, a router and a service. All that take the same way count under the same three,
//! so they are added up here, where no name is looked up, and spread over the scopes by whoever reads.

use std::sync::Arc;

use trafficcop_exchange::{Exchange, RouteInfo};

use super::labels::{Method, Protocol};
use super::series::{Counted, Key, Shard, Spread};
use super::{Kept, Metrics};
use crate::Outcome;

/// Ways that are remembered; those that meet in one place make room for each other.
const PLACES: usize = 1024;

/// A way, told from others. Names are compared by where they are kept: the tally holds on to them.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Way {
    names: [usize; 3],
    /// What the client and what the service is told to have got.
    codes: [u16; 2],
    method: Method,
    protocol: Protocol,
    /// Version and cipher suite.
    tls: Option<(&'static str, &'static str)>,
}

/// What was counted of one way.
struct Tally {
    way: Way,
    /// Counts up: older ones are spread first.
    number: u64,
    entry_point: Arc<str>,
    route: Option<Arc<RouteInfo>>,
    service: Option<Arc<str>>,
    whole: Spread,
    /// As the server had it.
    origin: Spread,
}

/// See the module.
#[derive(Default)]
pub(super) struct Tallies {
    places: Vec<Option<Box<Tally>>>,
    last: u64,
}

impl Way {
    fn of(kept: &Kept, exchange: &Exchange, outcome: &Outcome) -> Self {
        let code = |status: u16| if kept.protocol.is_grpc() { kept.grpc.unwrap_or(2) } else { status };
        let entry_point = Arc::as_ptr(&exchange.connection.entry_point).addr();
        let route = exchange.route.as_ref().map_or(0, |route| Arc::as_ptr(route).addr());
        let service = service(exchange).map_or(0, |service| Arc::as_ptr(service).addr());
        let origin = exchange.origin.as_ref().map_or(0, |origin| code(origin.status.as_u16()));
        Self {
            names: [entry_point, route, service],
            codes: [code(outcome.status.as_u16()), origin],
            method: kept.method,
            protocol: kept.protocol,
            tls: exchange.connection.tls.as_ref().map(|tls| (tls.version, tls.cipher)),
        }
    }

    /// Where it is remembered.
    fn place(&self) -> usize {
        let [entry_point, route, service] = self.names;
        let codes = usize::from(self.codes[0]) << 16 | usize::from(self.codes[1]);
        let mixed = entry_point ^ route.rotate_left(20) ^ service.rotate_left(40) ^ codes.rotate_left(50);
        mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - PLACES.trailing_zeros())
    }
}

/// The service whose server answered.
fn service(exchange: &Exchange) -> Option<&Arc<str>> {
    exchange.server.as_ref().filter(|_| exchange.origin.is_some()).map(|server| &server.service)
}

impl Tally {
    fn new(way: Way, exchange: &Exchange, number: u64) -> Self {
        Self {
            way,
            number,
            entry_point: Arc::clone(&exchange.connection.entry_point),
            route: exchange.route.clone(),
            service: service(exchange).cloned(),
            whole: Spread::default(),
            origin: Spread::default(),
        }
    }

    fn add(&mut self, exchange: &Exchange, outcome: &Outcome, bounds: &[f64]) {
        self.whole.add(outcome.duration, outcome.bytes_in, outcome.bytes_out, bounds);
        if let (Some(_), Some(origin)) = (&self.service, &exchange.origin) {
            let duration = outcome.duration_of(origin);
            self.origin.add(duration, outcome.bytes_in, origin.bytes.get(), bounds);
        }
    }

    /// Adds it to the scopes. `labels`: values of the header labels.
    fn spread(&self, metrics: &Metrics, shard: &mut Shard, labels: &[Box<str>]) {
        let Way { codes, method, protocol, tls, .. } = self.way;
        let key = |code| Key { code, method, protocol };
        let whole = Counted { what: &self.whole, tls, labels };
        if metrics.by_entry_point {
            shard.entry_points.scope(&self.entry_point, "").add(key(codes[0]), &whole);
        }
        if metrics.by_router
            && let Some(route) = &self.route
        {
            shard.routers.scope(&route.router, &route.service).add(key(codes[0]), &whole);
        }
        if metrics.by_service
            && let Some(service) = &self.service
        {
            shard.services.scope(service, "").add(key(codes[1]), &Counted { what: &self.origin, ..whole });
        }
    }
}

/// Counts one exchange.
pub(super) fn count(metrics: &Metrics, shard: &mut Shard, kept: &Kept, exchange: &Exchange, outcome: &Outcome) {
    let way = Way::of(kept, exchange, outcome);
    if !kept.headers.is_empty() {
        let mut alone = Tally::new(way, exchange, 0);
        alone.add(exchange, outcome, &metrics.buckets);
        return alone.spread(metrics, shard, &kept.headers);
    }
    let tallies = &mut shard.tallies;
    if tallies.places.is_empty() {
        tallies.places.resize_with(PLACES, || None);
    }
    let place = &mut tallies.places[way.place()];
    if let Some(tally) = place
        && tally.way == way
    {
        return tally.add(exchange, outcome, &metrics.buckets);
    }
    let before = place.take();
    tallies.last += 1;
    place.insert(Box::new(Tally::new(way, exchange, tallies.last))).add(exchange, outcome, &metrics.buckets);
    if let Some(before) = before {
        before.spread(metrics, shard, &[]);
    }
}

/// Spreads all that waits.
pub(super) fn settle(metrics: &Metrics, shard: &mut Shard) {
    let mut all: Vec<_> = std::mem::take(&mut shard.tallies.places).into_iter().flatten().collect();
    // A router that leads elsewhere since then begins anew with its later tally.
    all.sort_by_key(|tally| tally.number);
    for tally in all {
        tally.spread(metrics, shard, &[]);
    }
}
