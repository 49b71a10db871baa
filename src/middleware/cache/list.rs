//! The caches of this process, for the API: what they hold, and how to empty them.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::Kept;

/// Caches that live. Old ones go when their snapshot does.
static ALL: Mutex<Vec<Weak<Kept>>> = Mutex::new(Vec::new());

/// What one cache holds.
#[derive(Clone, Debug)]
pub struct Cached {
    pub router: String,
    pub middleware: String,
    pub entries: usize,
    pub bytes: usize,
    pub hits: u64,
    pub misses: u64,
    pub stored: u64,
    pub may_be_purged: bool,
}

pub(super) fn register(kept: &Arc<Kept>) {
    let mut all = ALL.lock();
    all.retain(|one| one.strong_count() > 0);
    all.push(Arc::downgrade(kept));
}

fn living() -> Vec<Arc<Kept>> {
    ALL.lock().iter().filter_map(Weak::upgrade).collect()
}

/// Every cache, by router and middleware.
pub fn caches() -> Vec<Cached> {
    let shown = |kept: &Arc<Kept>| {
        let counts = kept.store.counts();
        Cached {
            router: kept.router.to_string(),
            middleware: kept.middleware.to_string(),
            entries: counts.entries,
            bytes: counts.bytes,
            hits: counts.hits,
            misses: counts.misses,
            stored: counts.stored,
            may_be_purged: kept.may_be_purged,
        }
    };
    let mut all: Vec<_> = living().iter().map(shown).collect();
    all.sort_by(|one, other| (&one.router, &one.middleware).cmp(&(&other.router, &other.middleware)));
    all
}

/// Empties the caches of a router (None: of all) that allow it: of one address, of all that begin like `url` before its
/// `*`, or wholly. Says how many addresses went; None when no cache is meant.
pub fn purge(router: Option<&str>, url: Option<&str>) -> Option<usize> {
    let meant: Vec<_> = living()
        .into_iter()
        .filter(|kept| kept.may_be_purged && router.is_none_or(|router| *kept.router == *router))
        .collect();
    let is_meant = |key: &str| match url {
        None => true,
        Some(url) => url.strip_suffix('*').map_or(key == url, |start| key.starts_with(start)),
    };
    (!meant.is_empty()).then(|| meant.iter().map(|kept| kept.store.remove_all(is_meant)).sum())
}
