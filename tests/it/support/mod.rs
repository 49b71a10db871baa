//! What every subject needs: a router on free ports, back ends, a client, and waiting for a condition.

pub(crate) mod backend;
pub(crate) mod client;
pub(crate) mod router;

use std::time::{Duration, Instant};

pub(crate) use backend::Backend;
pub(crate) use client::{Answer, get};
pub(crate) use router::Router;

/// How long anything may take before the test is given up.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(1);

/// Asks again until the answer is yes, and says how long that took.
#[track_caller]
pub(crate) fn until<F: Future<Output = bool>>(
    what: &str,
    mut is_so: impl FnMut() -> F,
) -> impl Future<Output = Duration> {
    let caller = std::panic::Location::caller();
    async move {
        let begun = Instant::now();
        while !is_so().await {
            assert!(begun.elapsed() < DEADLINE, "{caller}: within {DEADLINE:?} this did not come true: {what}");
            tokio::time::sleep(LOOK).await;
        }
        begun.elapsed()
    }
}

/// The work, which has to end before the deadline.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, work)
        .await
        .unwrap_or_else(|_| panic!("within {DEADLINE:?} this did not end: {what}"))
}
