//! One count per source, in bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::algorithm::{Algorithm, Count, Verdict};
use crate::source::Key;

/// Sources that are remembered.
const SOURCES: usize = 65_536;
/// Locks, so that workers seldom meet.
const SHARDS: usize = 16;

pub(super) struct Buckets {
    algorithm: Algorithm,
    origin: Instant,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

/// Two generations: what was not asked for while one filled up is forgotten. So a flood of sources costs a lookup each
/// and never a search.
#[derive(Default)]
struct Shard {
    young: Counts,
    old: Counts,
}

type Counts = HashMap<Hashed, Count, BuildHasherDefault<AsItIs>>;

/// A source whose hash is known: it finds the shard and then the place in it.
#[derive(PartialEq, Eq)]
struct Hashed {
    hash: u64,
    source: Key,
}

impl Hash for Hashed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Hashes what is a hash already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Buckets {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { algorithm, origin: Instant::now(), shards, hasher: RandomState::new() }
    }

    /// Counts a request of that source, unless it is refused.
    pub(super) fn take(&self, source: Key, now: Instant) -> Verdict {
        let hash = self.hasher.hash_one(&source);
        // Bits in the middle: maps go by those at both ends.
        let shard = (hash >> 32) as usize % SHARDS;
        let now = now.saturating_duration_since(self.origin).as_secs_f64();
        let mut shard = self.shards[shard].lock();
        let count = shard.count(Hashed { hash, source }, self.algorithm.fresh(now));
        self.algorithm.take(count, now)
    }
}

impl Shard {
    fn count(&mut self, source: Hashed, new: Count) -> &mut Count {
        if self.young.len() >= SOURCES / SHARDS / 2 && !self.young.contains_key(&source) {
            self.old = std::mem::take(&mut self.young);
        }
        match self.young.entry(source) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let count = self.old.remove(place.key()).unwrap_or(new);
                place.insert(count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(text: &str) -> Key {
        Key::Text(text.into())
    }

    #[test]
    fn short_waits_are_waited_out_and_long_ones_refused() {
        let buckets = Buckets::new(Algorithm::token_bucket(10.0, 1.0));
        let now = Instant::now();
        assert_eq!(buckets.take(key("a"), now), Verdict::Now);
        assert!(matches!(buckets.take(key("a"), now), Verdict::Refused(_)));
        let soon = now + Duration::from_millis(60);
        assert!(matches!(buckets.take(key("a"), soon), Verdict::After(wait) if wait <= Duration::from_millis(41)));
        assert_eq!(buckets.take(key("b"), now), Verdict::Now);
    }

    #[test]
    fn memory_is_bounded_under_a_flood() {
        let buckets = Buckets::new(Algorithm::token_bucket(1.0, 1.0));
        let now = Instant::now();
        for source in 0..4 * SOURCES {
            buckets.take(key(&source.to_string()), now);
        }
        let size = |shard: &Mutex<Shard>| {
            let shard = shard.lock();
            shard.young.len() + shard.old.len()
        };
        let kept: usize = buckets.shards.iter().map(size).sum();
        assert!(kept <= SOURCES, "{kept}");
    }
}
