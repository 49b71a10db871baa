//! The numbers themselves: scopes (an entry point, a router, a service) and the series of each.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::Present;
use super::labels::{Method, Protocol};
use super::tally::Tallies;

/// Combinations of header labels per series; what comes after counts under [`OTHERS`].
const MOST_COMBINATIONS: usize = 1000;
const OTHERS: &str = "others";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) code: u16,
    pub(super) method: Method,
    pub(super) protocol: Protocol,
}

/// How long exchanges took and how much they carried.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread {
    /// Not added up: how many fell in each bucket; the last one has no bound.
    pub(super) buckets: Vec<u64>,
    pub(super) seconds: f64,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
}

/// Exchanges that have all of their labels in common.
#[derive(Clone, Copy)]
pub(super) struct Counted<'a> {
    pub(super) what: &'a Spread,
    /// Version and cipher suite.
    pub(super) tls: Option<(&'static str, &'static str)>,
    /// Values of the header labels.
    pub(super) labels: &'a [Box<str>],
}

#[derive(Clone, Debug, Default)]
pub(super) struct Series {
    /// By values of the header labels; the one empty combination when there are none.
    pub(super) requests: BTreeMap<Box<[Box<str>]>, u64>,
    pub(super) spread: Spread,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// The service of a router.
    pub(super) beside: Box<str>,
    pub(super) series: BTreeMap<Key, Series>,
    pub(super) tls: BTreeMap<(&'static str, &'static str), u64>,
}

#[derive(Debug, Default)]
pub(super) struct Scopes(pub(super) HashMap<Box<str>, Scope>);

/// What one worker has counted.
#[derive(Default)]
pub(super) struct Shard {
    /// Not in the scopes yet.
    pub(super) tallies: Tallies,
    pub(super) entry_points: Scopes,
    pub(super) routers: Scopes,
    pub(super) services: Scopes,
    /// Answers of our own by the code of their reason.
    pub(super) reasons: BTreeMap<&'static str, u64>,
}

impl Spread {
    /// One exchange more.
    pub(super) fn add(&mut self, duration: Duration, bytes_in: u64, bytes_out: u64, bounds: &[f64]) {
        if self.buckets.is_empty() {
            self.buckets.resize(bounds.len() + 1, 0);
        }
        let seconds = duration.as_secs_f64();
        let bucket = bounds.iter().position(|bound| seconds <= *bound).unwrap_or(bounds.len());
        self.buckets[bucket] += 1;
        self.seconds += seconds;
        self.bytes_in += bytes_in;
        self.bytes_out += bytes_out;
    }

    fn merge(&mut self, other: &Self) {
        self.buckets.resize(other.buckets.len(), 0);
        for (ours, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *ours += theirs;
        }
        self.seconds += other.seconds;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
    }

    pub(super) fn requests(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

impl Scope {
    pub(super) fn add(&mut self, key: Key, counted: &Counted<'_>) {
        let series = self.series.entry(key).or_default();
        let requests = counted.what.requests();
        series.spread.merge(counted.what);
        series.request(counted.labels, requests);
        if let Some(tls) = counted.tls {
            *self.tls.entry(tls).or_default() += requests;
        }
    }

    fn merge(&mut self, other: &Self) {
        for (key, theirs) in &other.series {
            let ours = self.series.entry(*key).or_default();
            ours.spread.merge(&theirs.spread);
            for (labels, count) in &theirs.requests {
                ours.request(labels, *count);
            }
        }
        for (tls, count) in &other.tls {
            *self.tls.entry(*tls).or_default() += count;
        }
    }
}

impl Series {
    fn request(&mut self, labels: &[Box<str>], count: u64) {
        if let Some(known) = self.requests.get_mut(labels) {
            *known += count;
            return;
        }
        let labels: Box<[Box<str>]> = if self.requests.len() < MOST_COMBINATIONS {
            labels.into()
        } else {
            labels.iter().map(|_| OTHERS.into()).collect()
        };
        *self.requests.entry(labels).or_default() += count;
    }
}

impl Scopes {
    /// The scope of that name. One that stood beside another service begins anew.
    pub(super) fn scope(&mut self, name: &str, beside: &str) -> &mut Scope {
        let is_known = self.0.get(name).is_some_and(|scope| &*scope.beside == beside);
        if !is_known {
            self.0.insert(name.into(), Scope { beside: beside.into(), ..Scope::default() });
        }
        self.0.get_mut(name).expect("it was there or was put there just now")
    }

    fn merge(&mut self, other: &Self) {
        for (name, scope) in &other.0 {
            // A worker that had no request since the service changed still tells of the old one; both may be shown.
            match self.0.get_mut(name) {
                Some(ours) if ours.beside != scope.beside => {}
                Some(ours) => ours.merge(scope),
                None => {
                    self.0.insert(name.clone(), scope.clone());
                }
            }
        }
    }
}

impl Shard {
    pub(super) fn merge(&mut self, other: &Self) {
        self.entry_points.merge(&other.entry_points);
        self.routers.merge(&other.routers);
        self.services.merge(&other.services);
        for (reason, count) in &other.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
    }

    /// All requests at entry points.
    pub(super) fn requests(&self) -> u64 {
        let series = self.entry_points.0.values().flat_map(|scope| scope.series.values());
        series.map(|series| series.spread.requests()).sum()
    }

    /// Drops what is not configured any more. Of nested routers every part must be there.
    pub(super) fn forget(&mut self, present: &Present) {
        let is_there = |name: &str, scope: &Scope| {
            let mut path = name.split(" -> ");
            path.all(|router| present.routers.contains_key(router))
                && name
                    .rsplit(" -> ")
                    .next()
                    .and_then(|last| present.routers.get(last))
                    .is_some_and(|service| service.is_empty() || **service == *scope.beside)
        };
        self.routers.0.retain(|name, scope| is_there(name, scope));
        self.services.0.retain(|name, _| present.services.contains(&**name));
    }
}
