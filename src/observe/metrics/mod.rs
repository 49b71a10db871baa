//! Metrics: counts of exchanges per entry point, router and service, under the names that Traefik gave them.
//!
//! What must hold: counting never waits for a reader for long, nor for another worker at all: each worker counts in a
//! shard of its own, and whoever reads adds the shards up. What a client sends cannot make the number of series grow
//! without bound. Series of objects that are gone go after the next reading.

mod families;
mod labels;
mod lines;
mod process;
mod prometheus;
mod push;
mod series;
mod tally;
mod text;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use trafficcop_config::settings::observability::Prometheus as Settings;
use trafficcop_exchange::{Exchange, Headers, Request};

use crate::Outcome;
pub use families::{Families, Family, FamilyKind, Point, PointValue, Sink};
use labels::{Method, Protocol};
pub use prometheus::{Certificate, Present, Prometheus, ProviderState, Server, World};
pub use push::{Destination, Dialect, Pusher, Target};
use series::Shard;

/// Shards; workers beyond that share.
const SHARDS: usize = 64;

/// See the module.
pub struct Metrics {
    by_entry_point: bool,
    by_router: bool,
    by_service: bool,
    buckets: Box<[f64]>,
    /// Label and the request header it shows.
    header_labels: Vec<(Box<str>, Box<str>)>,
    shards: Box<[Mutex<Shard>]>,
    connections: BTreeMap<Box<str>, AtomicI64>,
    reloads: AtomicU64,
    /// Seconds since 1970 of the last one that worked.
    last_reload: AtomicI64,
    /// Microseconds that all of them together took.
    applying: AtomicU64,
    /// How many times these metrics could not be sent.
    failures: AtomicU64,
}

/// What is kept of a request until it is counted.
pub(crate) struct Kept {
    method: Method,
    protocol: Protocol,
    /// The last `grpc-status` seen.
    grpc: Option<u16>,
    headers: Box<[Box<str>]>,
}

impl Kept {
    pub(crate) fn grpc_status(&mut self, headers: &Headers) {
        if self.protocol.is_grpc()
            && let Some(status) = headers.get_str("grpc-status").and_then(|status| status.parse().ok())
        {
            self.grpc = Some(status);
        }
    }
}

thread_local! {
    /// This thread's place among the shards.
    static PLACE: Cell<Option<usize>> = const { Cell::new(None) };
}
static PLACES: AtomicUsize = AtomicUsize::new(0);

fn place() -> usize {
    PLACE.with(|place| {
        place.get().unwrap_or_else(|| {
            let taken = PLACES.fetch_add(1, Ordering::Relaxed) % SHARDS;
            place.set(Some(taken));
            taken
        })
    })
}

impl Metrics {
    /// `entry_points`: the names of those whose connections are counted.
    pub fn new<'a>(settings: &Settings, entry_points: impl IntoIterator<Item = &'a str>) -> Self {
        let mut buckets: Vec<f64> = settings.buckets.iter().copied().filter(|bound| bound.is_finite()).collect();
        buckets.sort_by(f64::total_cmp);
        buckets.dedup();
        let header_labels = settings.header_labels.iter();
        Self {
            by_entry_point: settings.add_entry_points_labels,
            by_router: settings.add_routers_labels,
            by_service: settings.add_services_labels,
            buckets: buckets.into(),
            header_labels: header_labels.map(|(label, name)| (label.as_str().into(), name.as_str().into())).collect(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            connections: entry_points.into_iter().map(|name| (name.into(), AtomicI64::new(0))).collect(),
            reloads: AtomicU64::new(0),
            last_reload: AtomicI64::new(Timestamp::now().as_second()),
            applying: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    /// How many times these metrics could not be sent.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// A new dynamic configuration is in force; that took so long from when it was gathered.
    pub fn reloaded(&self, took: Duration) {
        self.applying.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.reloads.fetch_add(1, Ordering::Relaxed);
        self.last_reload.store(Timestamp::now().as_second(), Ordering::Relaxed);
    }

    pub(crate) fn connections(&self, entry_point: &str, change: i64) {
        if let Some(count) = self.connections.get(entry_point) {
            count.fetch_add(change, Ordering::Relaxed);
        }
    }

    pub(crate) fn keep(&self, request: &Request) -> Kept {
        let value = |(_, name): &(_, Box<str>)| labels::header_value(request.headers.get(name));
        Kept {
            method: Method::of(&request.method),
            protocol: Protocol::of(request),
            grpc: None,
            headers: self.header_labels.iter().map(value).collect(),
        }
    }

    /// Counts the reason of an answer that was given before there was a request to count.
    pub(crate) fn refused(&self, exchange: &Exchange) {
        if let Some(reason) = exchange.reason {
            *self.shards[place()].lock().reasons.entry(reason.code()).or_default() += 1;
        }
    }

    pub(crate) fn count(&self, kept: &Kept, exchange: &Exchange, outcome: &Outcome) {
        let mut shard = self.shards[place()].lock();
        if let Some(reason) = exchange.reason {
            *shard.reasons.entry(reason.code()).or_default() += 1;
        }
        tally::count(self, &mut shard, kept, exchange, outcome);
    }

    /// All shards added up, and in each of them what is gone forgotten. Beside it, how many requests each worker had,
    /// as far as the last that had any.
    fn read(&self, present: &Present) -> (Shard, Vec<u64>) {
        let (mut all, mut workers) = (Shard::default(), Vec::new());
        for shard in &self.shards {
            let mut shard = shard.lock();
            tally::settle(self, &mut shard);
            all.merge(&shard);
            shard.forget(present);
            workers.push(shard.requests());
        }
        // Places stay: whoever had none yet, before others that had some, shows none.
        workers.truncate(workers.iter().rposition(|requests| *requests > 0).map_or(0, |last| last + 1));
        (all, workers)
    }
}

#[cfg(test)]
mod tests;
