//! One conversation with the engine, from the connection to its loss.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::errors::Error;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{sleep_until, timeout};
use trafficcop_provider::Publisher;

use crate::change::Change;
use crate::container::Container;
use crate::engine::Engine;
use crate::inventory::Inventory;

/// Inspections at the same time.
const MAX_INSPECTIONS: usize = 16;
/// The least time between two configurations: a lone change is published at once, a storm is gathered.
const GATHER: Duration = Duration::from_millis(20);
/// How often everything is listed again in case an event was lost. Only what changed is inspected.
const LIST_AGAIN: Duration = Duration::from_mins(1);
/// How long a name for the host may take to be resolved.
const RESOLVE: Duration = Duration::from_secs(2);

/// An inspection under way.
type Inspection = BoxFuture<'static, (Arc<str>, Result<Option<Container>, Error>)>;

/// See the module.
pub(crate) struct Session<'a> {
    engine: Engine,
    inventory: &'a mut Inventory,
    out: &'a Publisher,
    wanted: VecDeque<Arc<str>>,
    inspections: FuturesUnordered<Inspection>,
    /// The host's address was looked for since the last list.
    host_known: bool,
    /// Something changed that was not published yet.
    dirty: bool,
    published: Option<Instant>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(engine: Engine, inventory: &'a mut Inventory, out: &'a Publisher) -> Self {
        let (wanted, inspections) = (VecDeque::new(), FuturesUnordered::new());
        Self { engine, inventory, out, wanted, inspections, host_known: false, dirty: false, published: None }
    }

    /// Lists everything and publishes it once all is known. With `wait` a container that the engine cannot inspect for the
    /// moment does not hold up the others: the rest of the inspections is left to [`Session::follow`].
    pub(crate) async fn list(&mut self, wait: Option<Duration>) -> Result<(), Error> {
        self.list_again().await?;
        let deadline = wait.map(|wait| Instant::now() + wait);
        loop {
            self.inspect();
            tokio::select! {
                found = self.inspections.next() => match found {
                    Some((id, found)) => self.inspected(&id, found)?,
                    None => break,
                },
                () = until(deadline) => break,
            }
        }
        self.publish().await;
        Ok(())
    }

    async fn list_again(&mut self) -> Result<(), Error> {
        let summaries = self.engine.list().await?;
        self.wanted.extend(self.inventory.listed(summaries, Instant::now()));
        self.host_known = false;
        self.dirty = true;
        Ok(())
    }

    /// Follows changes until the engine is lost.
    pub(crate) async fn follow(&mut self, mut changes: tokio::sync::mpsc::Receiver<Change>) -> Result<(), Error> {
        let mut list_again = tokio::time::Instant::now() + LIST_AGAIN;
        loop {
            self.inspect();
            let expiry = self.inventory.expire(Instant::now());
            let publication = self.dirty.then(|| self.published.map_or_else(Instant::now, |last| last + GATHER));
            tokio::select! {
                // In this order: of what is at hand, changes come first, so that a storm becomes one publication.
                biased;
                change = changes.recv() => match change {
                    Some(change) => self.changed(change),
                    None => return Ok(()),
                },
                Some((id, found)) = self.inspections.next() => self.inspected(&id, found)?,
                () = until(publication) => self.publish().await,
                () = until(expiry) => self.dirty = true,
                () = sleep_until(list_again) => {
                    list_again = tokio::time::Instant::now() + LIST_AGAIN;
                    self.list_again().await?;
                }
            }
        }
    }

    fn changed(&mut self, change: Change) {
        tracing::debug!(?change, "The engine tells of a change.");
        let now = Instant::now();
        match change {
            Change::Started(id) => {
                self.inventory.started(&id);
                self.want(id);
            }
            Change::Altered(id) => self.want(id),
            Change::Signalled(id, signal) => self.dirty |= self.inventory.signalled(&id, &signal, now),
            Change::Paused(id) => self.dirty |= self.inventory.paused(&id),
            Change::Ended(id) => {
                self.inventory.ended(&id, now);
                self.dirty = true;
                // Some containers are kept while they do not run.
                self.want(id);
            }
            Change::Removed(id) => {
                self.inventory.ended(&id, now);
                self.wanted.retain(|wanted| *wanted != id);
                self.dirty = true;
            }
        }
    }

    fn want(&mut self, id: Arc<str>) {
        if !self.wanted.contains(&id) {
            self.wanted.push_back(id);
        }
    }

    /// Begins as many inspections as may run.
    fn inspect(&mut self) {
        while self.inspections.len() < MAX_INSPECTIONS
            && let Some(id) = self.wanted.pop_front()
        {
            let engine = self.engine.clone();
            self.inspections.push(Box::pin(async move {
                let found = engine.inspect(&id).await;
                (id, found)
            }));
        }
    }

    fn inspected(&mut self, id: &Arc<str>, found: Result<Option<Container>, Error>) -> Result<(), Error> {
        match found {
            Ok(found) => {
                if let Some(other) = self.inventory.inspected(id, found, Instant::now()) {
                    self.want(other);
                }
                self.dirty = true;
                Ok(())
            }
            // One container that cannot be read must not hide the others.
            Err(
                error @ (Error::JsonDataError { .. }
                | Error::JsonSerdeError { .. }
                | Error::DockerResponseServerError { .. }
                | Error::RequestTimeoutError),
            ) => {
                tracing::warn!(%id, %error, "Container cannot be inspected; what was known of it stays in force.");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn publish(&mut self) {
        if !self.host_known && self.inventory.needs_host() {
            self.inventory.reach_host_by(host().await);
            self.host_known = true;
        }
        let check = |path: &str, middleware: &_| self.out.check(path, middleware);
        let (configuration, problems) = self.inventory.configuration(&check);
        self.dirty = false;
        self.published = Some(Instant::now());
        self.out.publish_part(configuration, problems).await;
    }
}

/// Waits until then; for ever if there is no such time.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then.into()).await,
        None => std::future::pending().await,
    }
}

/// The address by which containers in the host's network are reached from here.
async fn host() -> String {
    for name in ["host.docker.internal", "host.containers.internal"] {
        if let Ok(Ok(mut found)) = timeout(RESOLVE, tokio::net::lookup_host((name, 0))).await
            && let Some(address) = found.next()
        {
            return address.ip().to_string();
        }
    }
    "127.0.0.1".to_owned()
}
