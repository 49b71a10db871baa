//! [`follow`]: a catalogue of services, listed again when it says that it changed, or again and again.

use std::convert::Infallible;
use std::future::Future;
use std::time::{Duration, Instant};

use trafficcop_provider::Publisher;
use trafficcop_provider::backoff::Backoff;
use trafficcop_provider::catalog::{Instance, Rules};

use crate::RemoteError;

/// Questions that are under way at once while a catalogue is listed.
pub const AT_ONCE: usize = 16;
/// Before a lost catalogue is asked again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(750);
/// Between two listings; a storm of changes is one.
const REST: Duration = Duration::from_millis(20);

/// Lists services, and waits for changes of them.
pub trait Catalog: Send {
    /// Waits until something changed since it was called last; the first time it waits for nothing.
    fn changed(&mut self) -> impl Future<Output = Result<(), RemoteError>> + Send;

    /// Every instance that may be taken.
    fn list(&mut self) -> impl Future<Output = Result<Vec<Instance>, RemoteError>> + Send;
}

/// When to list again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// When something changed, but not sooner than after this time.
    Watch(Duration),
    Poll(Duration),
}

/// Publishes what a catalogue lists, for as long as the router runs.
pub async fn follow<C: Catalog>(catalog: &mut C, rules: &Rules, pace: Pace, out: &Publisher) -> Infallible {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let (mut told, mut known) = (None, None);
    loop {
        let began = Instant::now();
        let pause = match look(catalog, pace).await {
            Ok(instances) => {
                backoff.reset();
                if told.take().is_some() {
                    tracing::info!(provider = out.provider(), "The catalogue answers again.");
                }
                let took = began.elapsed();
                if known.as_ref() == Some(&instances) {
                    out.state().reached();
                } else {
                    let (configuration, problems) =
                        rules.configuration(&instances, &|path, middleware| out.check(path, middleware));
                    out.publish_part(configuration, problems).await;
                    known = Some(instances);
                }
                match pace {
                    Pace::Watch(least) => REST.max(least).max(took.min(Duration::from_secs(1))),
                    Pace::Poll(interval) => interval,
                }
            }
            Err(error) => {
                out.state().lost(&error);
                let pause = backoff.next(rand::random());
                if told.as_ref() != Some(&error) {
                    tracing::error!(
                        provider = out.provider(), %error, retry_in = ?pause,
                        "The catalogue does not answer; what was published stays in force."
                    );
                }
                told = Some(error);
                pause
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn look<C: Catalog>(catalog: &mut C, pace: Pace) -> Result<Vec<Instance>, RemoteError> {
    if matches!(pace, Pace::Watch(_)) {
        catalog.changed().await?;
    }
    let mut instances = catalog.list().await?;
    instances.sort_by(|one, other| (&one.name, &one.node, &one.id).cmp(&(&other.name, &other.node, &other.id)));
    Ok(instances)
}
