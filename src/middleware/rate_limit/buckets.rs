//! One token bucket per source, in bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Sources that are remembered.
const SOURCES: usize = 65_536;
/// Locks, so that workers seldom meet.
const SHARDS: usize = 16;

/// What is to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Now,
    After(Duration),
    /// It would have to wait so long.
    Refused(Duration),
}

pub(super) struct Buckets {
    /// Tokens per second.
    rate: f64,
    burst: f64,
    /// Waits up to this long are waited out.
    max_delay: f64,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

/// Two generations: what was not asked for while one filled up is forgotten. So a flood of sources costs a lookup each
/// and never a search.
#[derive(Default)]
struct Shard {
    young: HashMap<Box<str>, Bucket>,
    old: HashMap<Box<str>, Bucket>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Buckets {
    pub(super) fn new(rate: f64, burst: f64) -> Self {
        let max_delay = if rate < 1.0 { 0.5 } else { 0.5 / rate };
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { rate, burst, max_delay, shards, hasher: RandomState::new() }
    }

    /// Takes a token of that source, if one is there soon enough.
    pub(super) fn take(&self, source: &str, now: Instant) -> Verdict {
        let shard = self.hasher.hash_one(source) as usize % SHARDS;
        let mut shard = self.shards[shard].lock();
        let bucket = shard.bucket(source, Bucket { tokens: self.burst, at: now });
        let elapsed = now.saturating_duration_since(bucket.at).as_secs_f64();
        let tokens = (bucket.tokens + elapsed * self.rate).min(self.burst) - 1.0;
        let wait = (-tokens / self.rate).max(0.0);
        if wait > self.max_delay {
            return Verdict::Refused(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX));
        }
        *bucket = Bucket { tokens, at: now };
        if wait > 0.0 { Verdict::After(Duration::from_secs_f64(wait)) } else { Verdict::Now }
    }
}

impl Shard {
    fn bucket(&mut self, source: &str, new: Bucket) -> &mut Bucket {
        if !self.young.contains_key(source) {
            if self.young.len() >= SOURCES / SHARDS / 2 {
                self.old = std::mem::take(&mut self.young);
            }
            let bucket = self.old.remove(source).unwrap_or(new);
            self.young.insert(source.into(), bucket);
        }
        self.young.get_mut(source).expect("it was there or has just been put there")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_waits_are_waited_out_and_long_ones_refused() {
        let buckets = Buckets::new(10.0, 1.0);
        let now = Instant::now();
        assert_eq!(buckets.take("a", now), Verdict::Now);
        assert!(matches!(buckets.take("a", now), Verdict::Refused(_)));
        let soon = now + Duration::from_millis(60);
        assert!(matches!(buckets.take("a", soon), Verdict::After(wait) if wait <= Duration::from_millis(41)));
        assert_eq!(buckets.take("b", now), Verdict::Now);
    }

    #[test]
    fn memory_is_bounded_under_a_flood() {
        let buckets = Buckets::new(1.0, 1.0);
        let now = Instant::now();
        for source in 0..4 * SOURCES {
            buckets.take(&source.to_string(), now);
        }
        let size = |shard: &Mutex<Shard>| {
            let shard = shard.lock();
            shard.young.len() + shard.old.len()
        };
        let kept: usize = buckets.shards.iter().map(size).sum();
        assert!(kept <= SOURCES, "{kept}");
    }
}
