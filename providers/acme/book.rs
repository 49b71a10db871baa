//! [`Book`]: which certificates there are, which are due, and which rest after a failure. Pure: the time comes in.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use rustls_pki_types::CertificateDer;
use trafficcop_provider::Order;

use crate::contents::Contents;
use crate::failure::Failure;
use crate::renewal::{self, Life, covers};
use crate::{Demand, Demands};

/// A certificate that no router has used for so long is not renewed.
const UNUSED: Duration = Duration::from_hours(7 * 24);
/// A renewal that an authority asks for comes no sooner than this after the last.
const ADVISED_PAUSE: Duration = Duration::from_hours(1);
/// How often an authority is asked for advice, at least and at most.
const ASK: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(24));

/// A certificate that is kept.
pub(crate) struct Kept {
    pub(crate) demand: Demand,
    /// None: it cannot be read, and is due.
    pub(crate) leaf: Option<CertificateDer<'static>>,
    life: Option<Life>,
    used: Instant,
    /// When the authority would have it renewed.
    advised: Option<SystemTime>,
    ask_at: Instant,
}

struct Resting {
    until: Instant,
    failures: u32,
    why: String,
}

/// What shall be ordered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Due {
    pub(crate) demand: Demand,
    pub(crate) replaced: Option<CertificateDer<'static>>,
}

#[derive(Default)]
pub(crate) struct Book {
    kept: Vec<Kept>,
    /// By resolver and name.
    resting: HashMap<(String, String), Resting>,
    /// When a certificate came last.
    came: HashMap<Demand, Instant>,
}

impl Book {
    /// What the storages say of these resolvers (name, what is kept, `certificatesDuration`).
    pub(crate) fn update<'a>(&mut self, all: impl Iterator<Item = (&'a str, &'a Contents)>, now: Instant) {
        let mut before: HashMap<_, _> = self.kept.drain(..).map(|kept| (kept.demand.clone(), kept)).collect();
        for (resolver, contents) in all {
            let certificates = contents.get(resolver).and_then(|stored| stored.certificates.as_ref());
            for certificate in certificates.into_iter().flatten() {
                let demand = Demand { resolver: resolver.to_owned(), names: certificate.domain.names() };
                if demand.names.is_empty() {
                    continue;
                }
                let leaf = certificate.pem().and_then(|(chain, _)| renewal::leaf(&chain));
                let known = before.remove(&demand);
                let used = known.as_ref().map_or(now, |known| known.used);
                let kept = match known {
                    Some(known) if known.leaf == leaf => known,
                    _ => {
                        let life = leaf.as_ref().and_then(Life::of);
                        Kept { demand, leaf, life, used, advised: None, ask_at: now }
                    }
                };
                self.kept.push(kept);
            }
        }
        let kept = &self.kept;
        self.came.retain(|demand, _| kept.iter().any(|one| one.demand == *demand));
    }

    /// Orders to be made now: what ends, and what is missing. `hours` is a resolver's `certificatesDuration`; None: the
    /// resolver is unknown or cannot order.
    pub(crate) fn due<'a>(
        &mut self,
        demands: &Demands,
        running: &(impl Iterator<Item = &'a Demand> + Clone),
        hours: impl Fn(&str) -> Option<i64>,
        (now, wall): (Instant, SystemTime),
    ) -> Vec<Due> {
        let mut due: Vec<Due> = Vec::new();
        for kept in &mut self.kept {
            let serves = |wanted: &String| kept.demand.names.iter().any(|name| covers(name, wanted));
            if demands.wanted.iter().any(|demand| demand.names.iter().any(serves)) {
                kept.used = now;
            }
        }
        for kept in &self.kept {
            let Some(hours) = hours(&kept.demand.resolver) else { continue };
            let is_running = running.clone().any(|demand| *demand == kept.demand);
            let is_used = now.duration_since(kept.used) < UNUSED;
            if is_used && !is_running && self.is_to_renew(kept, hours, now, wall) && !self.rests(&kept.demand, now) {
                due.push(Due { demand: kept.demand.clone(), replaced: kept.leaf.clone() });
            }
        }
        // Wildcards first: they may serve what others ask for.
        let mut wanted: Vec<_> = demands.wanted.iter().collect();
        wanted.sort_by_key(|demand| !demand.names.iter().any(|name| name.starts_with("*.")));
        for wanted in wanted {
            if hours(&wanted.resolver).is_none() {
                continue;
            }
            let mut names: Vec<String> = Vec::new();
            for name in &wanted.names {
                let orders = |order: &Demand| order.names.iter().any(|pattern| covers(pattern, name));
                let is_ordered = due.iter().any(|due| orders(&due.demand)) || running.clone().any(orders);
                if !names.contains(name) && !is_ordered && !self.is_present(name, demands) {
                    names.push(name.clone());
                }
            }
            let demand = Demand { resolver: wanted.resolver.clone(), names };
            if !demand.names.is_empty() && !self.rests(&demand, now) {
                due.push(Due { demand, replaced: None });
            }
        }
        due
    }

    fn is_to_renew(&self, kept: &Kept, hours: i64, now: Instant, wall: SystemTime) -> bool {
        let Some(life) = kept.life else { return true };
        let came = self.came.get(&kept.demand).map(|came| now.duration_since(*came));
        // A clock that is wrong must not make orders without end.
        let quarter = life.end.duration_since(life.start).unwrap_or_default() / 4;
        let by_time = life.renew_at(hours) <= wall && came.is_none_or(|came| came >= quarter);
        let by_advice = kept.advised.is_some_and(|at| at <= wall) && came.is_none_or(|came| came >= ADVISED_PAUSE);
        by_time || by_advice
    }

    fn is_present(&self, name: &str, demands: &Demands) -> bool {
        demands.present.iter().any(|pattern| covers(pattern, name))
            || self.kept.iter().any(|kept| kept.demand.names.iter().any(|pattern| covers(pattern, name)))
    }

    fn rests(&self, demand: &Demand, now: Instant) -> bool {
        demand.names.iter().any(|name| {
            let key = (demand.resolver.clone(), name.clone());
            self.resting.get(&key).is_some_and(|resting| resting.until > now)
        })
    }

    /// An order came to nothing: its names (or those that are to blame) rest. How long, for the log.
    pub(crate) fn failed(&mut self, demand: &Demand, failure: &Failure, now: Instant) -> Duration {
        let is_to_blame = |name: &&String| {
            failure.names.is_empty() || failure.names.iter().any(|blamed| blamed.eq_ignore_ascii_case(name))
        };
        let mut blamed: Vec<_> = demand.names.iter().filter(is_to_blame).collect();
        if blamed.is_empty() {
            blamed = demand.names.iter().collect();
        }
        let mut longest = Duration::ZERO;
        for name in blamed {
            let key = (demand.resolver.clone(), name.clone());
            let failures = self.resting.get(&key).map_or(0, |resting| resting.failures + 1);
            let pause = renewal::pause(failures).max(failure.rest.unwrap_or_default());
            longest = longest.max(pause);
            self.resting.insert(key, Resting { until: now + pause, failures, why: failure.text.clone() });
        }
        longest
    }

    pub(crate) fn came(&mut self, demand: &Demand, now: Instant) {
        for name in &demand.names {
            self.resting.remove(&(demand.resolver.clone(), name.clone()));
        }
        self.came.insert(demand.clone(), now);
    }

    /// Forgets the failures of names that nobody asks for any more.
    pub(crate) fn forget(&mut self, demands: &Demands) {
        let kept = &self.kept;
        self.resting.retain(|(resolver, name), _| {
            let asks = |demand: &Demand| demand.resolver == *resolver && demand.names.contains(name);
            demands.wanted.iter().any(asks) || kept.iter().any(|kept| asks(&kept.demand))
        });
    }

    /// What is known to be wrong: resolver, name, why.
    pub(crate) fn troubles(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.resting.iter().map(|((resolver, name), resting)| (&**resolver, &**name, &*resting.why))
    }

    /// The names that rest after a failure.
    pub(crate) fn resting(&self, (now, wall): (Instant, SystemTime)) -> Vec<Order> {
        let order = |((resolver, name), resting): (&(String, String), &Resting)| Order {
            resolver: resolver.clone(),
            names: vec![name.clone()],
            failure: Some(resting.why.clone()),
            is_limited: resting.why.contains("rateLimited"),
            failures: resting.failures + 1,
            next: Some(wall + resting.until.saturating_duration_since(now)),
        };
        self.resting.iter().map(order).collect()
    }

    /// Certificates whose authority should be asked when to renew them.
    pub(crate) fn take_questions(&mut self, now: Instant, most: usize) -> Vec<(Demand, CertificateDer<'static>)> {
        let mut found = Vec::new();
        let is_to_ask = |kept: &&mut Kept| kept.ask_at <= now && now.duration_since(kept.used) < UNUSED;
        for kept in self.kept.iter_mut().filter(is_to_ask).take(most) {
            if let Some(leaf) = &kept.leaf {
                kept.ask_at = now + ASK.1;
                found.push((kept.demand.clone(), leaf.clone()));
            }
        }
        found
    }

    /// What the authority said: renew at a moment of its window, chosen by `random` from 0 to 1.
    pub(crate) fn advised(
        &mut self,
        leaf: &CertificateDer<'_>,
        window: Option<(SystemTime, SystemTime)>,
        again: Duration,
        (random, now): (f64, Instant),
    ) {
        let Some(kept) = self.kept.iter_mut().find(|kept| kept.leaf.as_ref() == Some(leaf)) else { return };
        if let Some((start, end)) = window {
            let span = end.duration_since(start).unwrap_or_default();
            // Once chosen the moment stays, as long as it is within the window.
            if !kept.advised.is_some_and(|at| (start..=end).contains(&at)) {
                kept.advised = Some(start + span.mul_f64(random.clamp(0.0, 1.0)));
            }
        }
        kept.ask_at = now + again.clamp(ASK.0, ASK.1);
    }

    /// Until something may be due, by what is known now.
    pub(crate) fn rest(&self, hours: impl Fn(&str) -> Option<i64>, (now, wall): (Instant, SystemTime)) -> Duration {
        let mut rest = Duration::from_hours(24);
        let mut soon = |at: Duration| {
            if !at.is_zero() {
                rest = rest.min(at);
            }
        };
        for resting in self.resting.values() {
            soon(resting.until.saturating_duration_since(now));
        }
        for kept in &self.kept {
            soon(kept.ask_at.saturating_duration_since(now));
            let Some(hours) = hours(&kept.demand.resolver) else { continue };
            soon(renewal::windows(hours).1);
            let at = kept.life.map(|life| life.renew_at(hours)).into_iter().chain(kept.advised).min();
            if let Some(at) = at {
                soon(at.duration_since(wall).unwrap_or_default());
            }
            if let Some((life, came)) = kept.life.zip(self.came.get(&kept.demand)) {
                let quarter = life.end.duration_since(life.start).unwrap_or_default() / 4;
                soon((*came + quarter).saturating_duration_since(now));
            }
        }
        rest.max(Duration::from_millis(100))
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
