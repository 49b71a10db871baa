//! [`watch`]: from a store's changes to configurations, for as long as the router runs.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use trafficcop_provider::Publisher;
use trafficcop_provider::backoff::Backoff;

use crate::{Change, Pairs, Store, StoreError};

/// Before a lost store is tried again, at first and at most: whoever comes back is heard within a second or two.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
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
    let mut pairs = Arc::new(store.open().await?);
    if told.take().is_some() {
        tracing::info!(provider = out.provider(), keys = pairs.len(), "{} is read again.", S::NAME);
    }
    let mut took = publish::<S>(&pairs, root, out).await;
    backoff.reset();
    // A store that is followed only by being read whole is not read without a rest.
    let mut rest = Instant::now();
    loop {
        sleep_until(rest).await;
        let mut change = store.next().await?;
        let end = Instant::now() + took.max(STORM);
        let known = Arc::make_mut(&mut pairs);
        let mut is_changed = true;
        loop {
            match change {
                Change::Whole(whole) => {
                    is_changed = *known != whole;
                    *known = whole;
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
        took = publish::<S>(&pairs, root, out).await;
    }
}

/// Decodes on a thread where that holds up nothing; says how long it took.
async fn publish<S: Store>(pairs: &Arc<Pairs>, root: &str, out: &Publisher) -> Duration {
    let began = Instant::now();
    let (shared, root) = (Arc::clone(pairs), root.to_owned());
    let decoded = tokio::task::spawn_blocking(move || shared.configuration(&root, S::NAME));
    if let Ok(read) = decoded.await {
        out.accept(read).await;
    } else {
        tracing::error!(provider = out.provider(), "Decoding the keys failed inside.");
    }
    began.elapsed()
}
