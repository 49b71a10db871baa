//! One conversation with the engine, from the connection to its loss.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::errors::Error;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{sleep_until, timeout};
use trafficcop_provider::Publisher;

use crate::change::Change;
use crate::container::{Container, Summary};
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

/// How soon a list is asked for again that was overtaken by changes.
const OVERTAKEN: Duration = Duration::from_secs(1);

/// An inspection under way.
type Inspection = BoxFuture<'static, (Arc<str>, Result<Option<Container>, Error>)>;
/// A list under way.
type Listing = BoxFuture<'static, Result<Vec<Summary>, Error>>;

/// See the module.
pub(crate) struct Session<'a> {
    engine: Engine,
    inventory: &'a mut Inventory,
    out: &'a Publisher,
    wanted: VecDeque<Arc<str>>,
    inspections: FuturesUnordered<Inspection>,
    /// Containers being inspected, and whether something happened to them since, so that what is found is out of date.
    inspecting: BTreeMap<Arc<str>, bool>,
    /// The list under way, and whether a change has overtaken it.
    listing: Option<Listing>,
    overtaken: bool,
    /// The host's address was looked for since the last list.
    host_known: bool,
    /// When the first of the changes came that were not published yet.
    dirty: Option<Instant>,
    published: Option<Instant>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(engine: Engine, inventory: &'a mut Inventory, out: &'a Publisher) -> Self {
        Self {
            engine,
            inventory,
            out,
            wanted: VecDeque::new(),
            inspections: FuturesUnordered::new(),
            inspecting: BTreeMap::new(),
            listing: None,
            overtaken: false,
            host_known: false,
            dirty: None,
            published: None,
        }
    }

    /// Lists everything and publishes it once all is known. With `wait` a container that the engine cannot inspect for the
    /// moment does not hold up the others: the rest of the inspections is left to [`Session::follow`].
    pub(crate) async fn list(&mut self, wait: Option<Duration>) -> Result<(), Error> {
        let summaries = self.engine.list().await?;
        self.listed(summaries);
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

    /// Follows changes until the engine is lost.
    pub(crate) async fn follow(&mut self, mut changes: tokio::sync::mpsc::Receiver<Change>) -> Result<(), Error> {
        let mut list_again = Instant::now() + LIST_AGAIN;
        loop {
            self.inspect();
            let expiry = self.inventory.expire(Instant::now());
            // A lone change is published at once, and none waits longer than `GATHER`, however many follow it.
            let latest = self.dirty.map(|since| since + GATHER);
            let soonest = self.dirty.map(|since| self.published.map_or(since, |last| last + GATHER));
            tokio::select! {
                // In this order: of what is at hand, changes come first, so that a storm becomes one publication.
                biased;
                () = until(latest) => self.publish().await,
                change = changes.recv() => match change {
                    Some(change) => self.changed(change),
                    None => return Ok(()),
                },
                Some((id, found)) = self.inspections.next() => self.inspected(&id, found)?,
                () = until(soonest) => self.publish().await,
                () = until(expiry) => self.soil(),
                listed = finished(&mut self.listing) => {
                    self.listing = None;
                    let summaries = listed?;
                    if self.overtaken {
                        list_again = Instant::now() + OVERTAKEN;
                    } else {
                        self.listed(summaries);
                    }
                }
                () = until(Some(list_again)) => {
                    list_again = Instant::now() + LIST_AGAIN;
                    self.overtaken = false;
                    let engine = self.engine.clone();
                    self.listing = Some(Box::pin(async move { engine.list().await }));
                }
            }
        }
    }

    fn listed(&mut self, summaries: Vec<Summary>) {
        for id in self.inventory.listed(summaries, Instant::now()) {
            self.want(id);
        }
        self.host_known = false;
        self.soil();
    }

    /// There is something to publish.
    fn soil(&mut self) {
        self.dirty.get_or_insert_with(Instant::now);
    }

    fn changed(&mut self, change: Change) {
        tracing::debug!(?change, "The engine tells of a change.");
        let now = Instant::now();
        self.overtaken = true;
        if let Some(outdated) = self.inspecting.get_mut(change.id()) {
            *outdated = true;
        }
        match change {
            Change::Started(id) => {
                self.inventory.started(&id);
                self.want(id);
            }
            Change::Altered(id) => self.want(id),
            Change::Signalled(id, signal) => {
                if self.inventory.signalled(&id, &signal, now) {
                    self.soil();
                }
            }
            Change::Paused(id) => {
                if self.inventory.paused(&id) {
                    self.soil();
                }
            }
            Change::Ended(id) => {
                self.inventory.ended(&id, now);
                self.soil();
                // Some containers are kept while they do not run.
                self.want(id);
            }
            Change::Removed(id) => {
                self.inventory.ended(&id, now);
                self.wanted.retain(|wanted| *wanted != id);
                self.soil();
            }
        }
    }

    fn want(&mut self, id: Arc<str>) {
        if !self.wanted.contains(&id) {
            self.wanted.push_back(id);
        }
    }

    /// Begins as many inspections as may run, but never two of one container: which of them saw it last nobody could tell.
    fn inspect(&mut self) {
        while self.inspections.len() < MAX_INSPECTIONS
            && let Some(next) = self.wanted.iter().position(|id| !self.inspecting.contains_key(id))
            && let Some(id) = self.wanted.remove(next)
        {
            let engine = self.engine.clone();
            self.inspecting.insert(Arc::clone(&id), false);
            self.inspections.push(Box::pin(async move {
                let found = engine.inspect(&id).await;
                (id, found)
            }));
        }
    }

    fn inspected(&mut self, id: &Arc<str>, found: Result<Option<Container>, Error>) -> Result<(), Error> {
        if self.inspecting.remove(id) == Some(true) {
            self.want(Arc::clone(id));
            return Ok(());
        }
        match found {
            Ok(found) => {
                if let Some(other) = self.inventory.inspected(id, found, Instant::now()) {
                    self.want(other);
                }
                self.soil();
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
        self.out.state().pass_over(self.inventory.passed_over());
        self.dirty = None;
        self.published = Some(Instant::now());
        self.out.publish_part(configuration, problems).await;
    }
}

/// Waits for the list under way; for ever if there is none.
async fn finished(listing: &mut Option<Listing>) -> Result<Vec<Summary>, Error> {
    match listing {
        Some(listing) => listing.await,
        None => std::future::pending().await,
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
