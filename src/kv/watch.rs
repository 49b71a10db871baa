//! [`watch`]: from a store's changes to configurations, for as long as the router runs.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use trafficcop_provider::backoff::Backoff;
use trafficcop_provider::{Publisher, workshop};

use crate::tree::Tree;
use crate::{Change, Pairs, Store, StoreError};

/// Before a lost store is tried again, at first and at most: whoever comes back is heard within a second or two.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(750);
/// Before a tree that is too large is read again.
const HEAVY_PAUSE: Duration = Duration::from_secs(30);
/// Whoever writes one object writes several keys; so long is waited for the next.
const LULL: Duration = Duration::from_millis(3);
/// A storm is gathered for so long, or for as long as the last decoding took.
const STORM: Duration = Duration::from_millis(20);

/// Publishes what lies below `root`, and what becomes of it.
pub async fn watch<S: Store>(store: &mut S, root: &str, out: &Publisher) -> Infallible {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut told = None;
    loop {
        let Err(error) = follow(store, root, out, &mut backoff, &mut told).await;
        out.state().lost(&error);
        let pause = if error == StoreError::TooLarge { HEAVY_PAUSE } else { backoff.next(rand::random()) };
        if told.as_ref() != Some(&error) {
            tracing::error!(
                provider = out.provider(), %error, retry_in = ?pause,
                "{} is not read; what was published stays in force.", S::NAME
            );
        }
        told = Some(error);
        tokio::time::sleep(pause).await;
    }
}

async fn follow<S: Store>(
    store: &mut S,
    root: &str,
    out: &Publisher,
    backoff: &mut Backoff,
    told: &mut Option<StoreError>,
) -> Result<Infallible, StoreError> {
    let mut known = Known { pairs: store.open().await?, tree: Tree::new(root, S::NAME) };
    known.tree.replaced(&Pairs::default(), &known.pairs);
    if told.take().is_some() {
        tracing::info!(provider = out.provider(), keys = known.pairs.len(), "{} is read again.", S::NAME);
    }
    let mut took;
    (known, took) = publish::<S>(known, root, out).await;
    backoff.reset();
    // A store that is followed only by being read whole is not read without a rest.
    let mut rest = Instant::now();
    loop {
        sleep_until(rest).await;
        let mut change = store.next().await?;
        let end = Instant::now() + took.max(STORM);
        let mut is_changed = true;
        loop {
            match change {
                Change::Whole(whole) => {
                    is_changed = known.pairs != whole;
                    known.tree.replaced(&known.pairs, &whole);
                    known.pairs = whole;
                    rest = Instant::now() + took.max(STORM);
                    break;
                }
                Change::Keys(keys) => known.apply(keys)?,
            }
            match timeout_at(end.min(Instant::now() + LULL), store.next()).await {
                Ok(next) => change = next?,
                Err(_) => break,
            }
        }
        if !is_changed {
            out.state().reached();
            continue;
        }
        (known, took) = publish::<S>(known, root, out).await;
    }
}

/// What the store holds, and what it means.
struct Known {
    pairs: Pairs,
    tree: Tree,
}

impl Known {
    fn apply(&mut self, keys: Vec<(String, Option<Vec<u8>>)>) -> Result<(), StoreError> {
        for (key, value) in keys {
            if self.pairs.get(&key) == value.as_deref() {
                continue;
            }
            self.tree.changed(&key, value.is_some());
            match value {
                Some(value) => self.pairs.put(key, value)?,
                None => self.pairs.remove(&key),
            }
        }
        Ok(())
    }
}

/// Decodes on a thread where that holds up nothing; says how long it took.
async fn publish<S: Store>(mut known: Known, root: &str, out: &Publisher) -> (Known, Duration) {
    let began = Instant::now();
    let decoded = workshop::work(move || {
        let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| known.tree.configuration(&known.pairs)));
        (known, read.ok())
    });
    // It does not fail: that is caught inside.
    let nothing = || (Known { pairs: Pairs::default(), tree: Tree::new(root, S::NAME) }, None);
    let (known, read) = decoded.await.unwrap_or_else(nothing);
    if let Some(read) = read {
        out.accept(read).await;
    } else {
        tracing::error!(provider = out.provider(), "Decoding the keys failed inside.");
    }
    (known, began.elapsed())
}
