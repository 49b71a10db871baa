//! [`Candidate`]: what strategies know of a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::Status;

/// How many answers the average looks back on.
const SAMPLES: usize = 100;

/// See the module.
#[derive(Debug)]
pub struct Candidate {
    /// The URL of a server, the name of a service: what affinity and hashing go by.
    pub name: Box<str>,
    /// Above zero.
    pub weight: f64,
    /// Takes only requests that are already bound to it.
    pub fenced: bool,
    pub status: Arc<Status>,
    in_flight: Arc<AtomicUsize>,
    times: Box<Times>,
}

/// Milliseconds to the first byte of the last answers.
#[derive(Debug)]
struct Times {
    samples: [AtomicU32; SAMPLES],
    taken: AtomicUsize,
    sum: AtomicU64,
}

impl Candidate {
    pub fn new(name: impl Into<Box<str>>, weight: f64, fenced: bool, status: Arc<Status>) -> Self {
        let times = Times {
            samples: [const { AtomicU32::new(0) }; SAMPLES],
            taken: AtomicUsize::new(0),
            sum: AtomicU64::new(0),
        };
        Self { name: name.into(), weight, fenced, status, in_flight: Arc::default(), times: Box::new(times) }
    }

    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts one request until the guard is dropped.
    pub fn enter(&self) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(&self.in_flight))
    }

    /// Takes down how long an answer took to begin.
    pub fn record(&self, milliseconds: u32) {
        let at = self.times.taken.fetch_add(1, Ordering::Relaxed) % SAMPLES;
        let old = self.times.samples[at].swap(milliseconds, Ordering::Relaxed);
        self.times.sum.fetch_add(u64::from(milliseconds).wrapping_sub(u64::from(old)), Ordering::Relaxed);
    }

    /// Average over the last 100 answers, in milliseconds; 0 before the first.
    pub fn average(&self) -> f64 {
        match self.times.taken.load(Ordering::Relaxed).min(SAMPLES) {
            0 => 0.0,
            taken => self.times.sum.load(Ordering::Relaxed) as f64 / taken as f64,
        }
    }
}

/// One request that is being answered.
#[derive(Debug)]
pub struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
pub(crate) fn candidates(weights: &[f64]) -> Vec<Candidate> {
    let name = |index: usize| format!("http://s{index}");
    weights
        .iter()
        .enumerate()
        .map(|(index, weight)| Candidate::new(name(index), *weight, false, Status::leaf()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_forgets_what_is_older_than_a_hundred_answers() {
        let one = &candidates(&[1.0])[0];
        assert!(one.average().abs() < f64::EPSILON);
        one.record(10);
        one.record(20);
        assert!((one.average() - 15.0).abs() < f64::EPSILON);
        for _ in 0..SAMPLES {
            one.record(7);
        }
        assert!((one.average() - 7.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_request_counts_until_its_guard_is_dropped() {
        let one = &candidates(&[1.0])[0];
        let guard = one.enter();
        assert_eq!(one.in_flight(), 1);
        drop(guard);
        assert_eq!(one.in_flight(), 0);
    }
}
