//! Earliest deadline first over a chosen few, without a lock: each candidate carries a deadline, the earliest is taken
//! and moved on by the inverse of its weight.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Candidate;

/// One deadline per candidate, as the bits of a float.
#[derive(Debug)]
pub(crate) struct Deadlines(Box<[AtomicU64]>);

impl Deadlines {
    pub(crate) fn new(candidates: &[Candidate]) -> Self {
        Self(candidates.iter().map(|candidate| AtomicU64::new((1.0 / candidate.weight).to_bits())).collect())
    }

    /// The one among `eligible` whose turn it is. Every candidate that comes first but is not eligible has its turn
    /// pass, so that it does not get a flood of requests when it is back.
    pub(crate) fn next(&self, candidates: &[Candidate], eligible: impl Fn(usize) -> bool) -> Option<usize> {
        loop {
            let mut earliest: Option<(usize, f64, u64)> = None;
            for index in (0..candidates.len()).filter(|index| eligible(*index)) {
                let bits = self.0[index].load(Ordering::Relaxed);
                let deadline = f64::from_bits(bits);
                if earliest.is_none_or(|(_, least, _)| deadline < least) {
                    earliest = Some((index, deadline, bits));
                }
            }
            let (index, deadline, bits) = earliest?;
            if self.advance(index, bits, deadline + 1.0 / candidates[index].weight) {
                self.catch_up(candidates, deadline, &eligible);
                return Some(index);
            }
        }
    }

    /// Whoever sat out does not keep turns from the past.
    fn catch_up(&self, candidates: &[Candidate], now: f64, eligible: impl Fn(usize) -> bool) {
        for index in (0..candidates.len()).filter(|index| !eligible(*index)) {
            let bits = self.0[index].load(Ordering::Relaxed);
            let step = 1.0 / candidates[index].weight;
            let deadline = f64::from_bits(bits);
            if deadline <= now {
                let missed = ((now - deadline) / step).floor() + 1.0;
                self.advance(index, bits, deadline + missed * step);
            }
        }
    }

    fn advance(&self, index: usize, from: u64, to: f64) -> bool {
        self.0[index].compare_exchange(from, to.to_bits(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}
