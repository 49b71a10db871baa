//! [`Store`]: entries by address, in bounded memory, and who is fetching what.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Duration, Instant};

use super::stored::{Entry, Standing};

/// Entries of one address, for different requests.
const VARIANTS: usize = 16;
/// Addresses that are remembered as not to be kept, so that nobody waits for what will not be shared.
const PASSING: usize = 4096;
/// The longest of them in bytes.
const LONGEST_PASSING: usize = 2048;
/// For how long.
const PASSES_FOR: Duration = Duration::from_secs(10);

/// See the module.
pub(super) struct Store {
    most: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    by_key: HashMap<Arc<str>, Address>,
    /// By when they were last asked for.
    order: BTreeMap<u64, Arc<str>>,
    tick: u64,
    bytes: usize,
    flights: HashMap<Arc<str>, Arc<Notify>>,
    passing: HashMap<Arc<str>, Instant>,
    counts: Counts,
}

struct Address {
    tick: u64,
    variants: Vec<Entry>,
}

/// What became of requests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) stored: u64,
    pub(super) entries: usize,
    pub(super) bytes: usize,
}

/// Who fetches.
pub(super) enum Turn {
    /// We do; whoever comes meanwhile waits until this is dropped.
    Ours(Flight),
    /// Somebody else does.
    Theirs(OwnedNotified),
    /// Everybody for himself.
    Free,
}

/// A fetch that others wait for.
pub(super) struct Flight {
    kept: Arc<super::Kept>,
    key: Arc<str>,
    done: Arc<Notify>,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.kept.store.inner.lock().flights.remove(&self.key);
        self.done.notify_waiters();
    }
}

impl Store {
    pub(super) fn new(most: usize) -> Self {
        Self { most, inner: Mutex::default() }
    }

    /// The entry that `stands` best to a request, and how; beside it whether the address is known at all.
    pub(super) fn find(&self, key: &str, stands: impl Fn(&Entry) -> Standing) -> (Option<(Entry, Standing)>, bool) {
        let mut inner = self.inner.lock();
        let Inner { by_key, order, tick, .. } = &mut *inner;
        let Some(address) = by_key.get_mut(key) else { return (None, false) };
        if let Some(known) = order.remove(&address.tick) {
            *tick += 1;
            address.tick = *tick;
            order.insert(*tick, known);
        }
        let mut best = None;
        for entry in &address.variants {
            match stands(entry) {
                Standing::Fresh => return (Some((Arc::clone(entry), Standing::Fresh)), true),
                Standing::Stale => best = Some((Arc::clone(entry), Standing::Stale)),
                Standing::Other => {}
            }
        }
        (best, true)
    }

    /// Puts an entry in the place of those that `is_replaced` names.
    pub(super) fn put(&self, key: &Arc<str>, entry: Entry, is_replaced: impl Fn(&Entry) -> bool) {
        let size = entry.size() + key.len();
        if size > self.most {
            return;
        }
        let mut inner = self.inner.lock();
        inner.tick += 1;
        let tick = inner.tick;
        let mut variants = match inner.by_key.remove(key) {
            Some(old) => {
                inner.order.remove(&old.tick);
                let all: usize = old.variants.iter().map(|entry| entry.size() + key.len()).sum();
                inner.bytes -= all;
                old.variants
            }
            None => Vec::new(),
        };
        variants.retain(|old| !is_replaced(old));
        if variants.len() >= VARIANTS {
            variants.remove(0);
        }
        variants.push(entry);
        inner.bytes += variants.iter().map(|entry| entry.size() + key.len()).sum::<usize>();
        inner.by_key.insert(Arc::clone(key), Address { tick, variants });
        inner.order.insert(tick, Arc::clone(key));
        inner.counts.stored += 1;
        inner.passing.remove(key);
        while inner.bytes > self.most {
            let Some((_, oldest)) = inner.order.pop_first() else { break };
            inner.forget(&oldest);
        }
    }

    pub(super) fn remove(&self, key: &str) -> bool {
        self.inner.lock().forget(key)
    }

    /// Removes what `is_meant`; says how many addresses that were.
    pub(super) fn remove_all(&self, is_meant: impl Fn(&str) -> bool) -> usize {
        let mut inner = self.inner.lock();
        let meant: Vec<_> = inner.by_key.keys().filter(|key| is_meant(key)).cloned().collect();
        meant.iter().filter(|key| inner.forget(key)).count()
    }

    /// Whose turn it is to fetch.
    pub(super) fn turn(kept: &Arc<super::Kept>, key: &Arc<str>) -> Turn {
        let mut inner = kept.store.inner.lock();
        if inner.passing.get(key).is_some_and(|since| since.elapsed() < PASSES_FOR) {
            return Turn::Free;
        }
        if let Some(done) = inner.flights.get(key) {
            // Made under the lock, so that its end is not missed.
            return Turn::Theirs(Arc::clone(done).notified_owned());
        }
        let done = Arc::new(Notify::new());
        inner.flights.insert(Arc::clone(key), Arc::clone(&done));
        Turn::Ours(Flight { kept: Arc::clone(kept), key: Arc::clone(key), done })
    }

    /// The answer is not one to be kept: the next ones need not wait for each other.
    pub(super) fn passes(&self, key: &Arc<str>) {
        if key.len() > LONGEST_PASSING {
            return;
        }
        let mut inner = self.inner.lock();
        if inner.passing.len() >= PASSING {
            inner.passing.clear();
        }
        inner.passing.insert(Arc::clone(key), Instant::now());
    }

    pub(super) fn count(&self, is_hit: bool) {
        let mut inner = self.inner.lock();
        if is_hit {
            inner.counts.hits += 1;
        } else {
            inner.counts.misses += 1;
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let inner = self.inner.lock();
        let entries = inner.by_key.values().map(|address| address.variants.len()).sum();
        Counts { entries, bytes: inner.bytes, ..inner.counts }
    }
}

impl Inner {
    fn forget(&mut self, key: &str) -> bool {
        let Some(address) = self.by_key.remove(key) else { return false };
        self.order.remove(&address.tick);
        self.bytes -= address.variants.iter().map(|entry| entry.size() + key.len()).sum::<usize>();
        true
    }
}
