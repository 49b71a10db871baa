//! [`Work`]: makes the orders that are due, and publishes what comes of them.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustls_pki_types::CertificateDer;
use tokio::sync::{Semaphore, watch};
use tokio::task::{Id, JoinError, JoinSet};
use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem};
use trafficcop_provider::Publisher;

use crate::book::{Book, Due};
use crate::contents::{Certificate, Change};
use crate::failure::Failure;
use crate::keeper::Keeper;
use crate::order::Issued;
use crate::resolver::{Advice, Resolver};
use crate::storage::File;
use crate::watching::Watch;
use crate::{Demand, Demands, Settings, configuration};

/// Orders that run at the same time; more wait.
const AT_ONCE: usize = 4;
/// Orders that may wait; the rest is found again in the next round.
const MOST_WAITING: usize = 256;
/// Certificates whose renewal is asked about at the same time.
const MOST_ASKING: usize = 4;
/// How long a change of a file may take to be complete.
const SETTLE: Duration = Duration::from_millis(50);
/// How soon a storage that failed is tried again.
const RETRY: Duration = Duration::from_secs(10);

enum Done {
    Order(Demand, Result<Issued, Failure>),
    Advice(CertificateDer<'static>, Option<Advice>),
}

pub(crate) struct Work {
    settings: Settings,
    resolvers: BTreeMap<String, Arc<Resolver>>,
    /// By path.
    keepers: BTreeMap<String, Arc<Keeper>>,
    book: Book,
    tasks: JoinSet<Done>,
    permits: Arc<Semaphore>,
    /// What is being ordered.
    running: HashMap<Id, Demand>,
    asking: usize,
}

impl Work {
    pub(crate) async fn new(settings: &Settings) -> Self {
        let mut keepers: BTreeMap<String, Arc<Keeper>> = BTreeMap::new();
        for acme in settings.resolvers.values() {
            let new = || Arc::new(Keeper::new(File::new(&acme.storage)));
            keepers.entry(acme.storage.clone()).or_insert_with(new);
        }
        for keeper in keepers.values() {
            // Why it cannot be read is told with the resolvers.
            let _broken = keeper.reread().await;
        }
        let (asked, shared) = (settings.resolvers.clone(), keepers.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let made = asked.iter().filter_map(|(name, acme)| {
                let keeper = Arc::clone(shared.get(&acme.storage)?);
                Some((name.clone(), Arc::new(Resolver::new(name, acme, keeper))))
            });
            made.collect()
        });
        let resolvers = opened.await.unwrap_or_default();
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let (book, tasks, running) = (Book::default(), JoinSet::new(), HashMap::new());
        Self { settings: settings.clone(), resolvers, keepers, book, tasks, permits, running, asking: 0 }
    }

    /// Until the root is gone.
    pub(crate) async fn run(mut self, demands: &mut watch::Receiver<Arc<Demands>>, out: &Publisher) {
        let mut watch = Watch::of(self.keepers.keys().map(PathBuf::from).collect());
        self.refresh(out).await;
        loop {
            let now = Arc::clone(&demands.borrow_and_update());
            self.book.forget(&now);
            self.start(&now);
            self.ask();
            let rest = self.rest();
            tokio::select! {
                Some(done) = self.tasks.join_next_with_id() => self.done(done, out).await,
                changed = demands.changed() => if changed.is_err() { return },
                () = watch.next() => {
                    tokio::time::sleep(SETTLE).await;
                    self.reread(out).await;
                }
                () = tokio::time::sleep(rest) => self.reread(out).await,
            }
        }
    }

    /// Starts the orders that are due.
    fn start(&mut self, demands: &Demands) {
        let time = (Instant::now(), SystemTime::now());
        let resolvers = &self.resolvers;
        let due = self.book.due(demands, &self.running.values(), |name| hours(resolvers, name), time);
        for Due { demand, replaced } in due {
            if self.running.len() >= MOST_WAITING {
                break;
            }
            let Some(resolver) = self.resolvers.get(&demand.resolver).map(Arc::clone) else { continue };
            let (stage, permits, ordered) = (self.settings.stage.clone(), Arc::clone(&self.permits), demand.clone());
            let task = self.tasks.spawn(async move {
                let _permit = permits.acquire_owned().await;
                let issued = resolver.order(&ordered.names, replaced.as_ref(), &stage).await;
                Done::Order(ordered, issued)
            });
            self.running.insert(task.id(), demand);
        }
    }

    /// Asks authorities when they would have certificates renewed.
    fn ask(&mut self) {
        if self.asking > 0 {
            return;
        }
        for (demand, leaf) in self.book.take_questions(Instant::now(), MOST_ASKING) {
            let Some(resolver) = self.resolvers.get(&demand.resolver).map(Arc::clone) else { continue };
            self.asking += 1;
            self.tasks.spawn(async move {
                let advice = resolver.advice(&leaf).await;
                Done::Advice(leaf, advice)
            });
        }
    }

    async fn done(&mut self, done: Result<(Id, Done), JoinError>, out: &Publisher) {
        match done {
            Ok((id, Done::Order(demand, issued))) => {
                self.running.remove(&id);
                self.ordered(demand, issued, out).await;
            }
            Ok((_, Done::Advice(leaf, advice))) => {
                self.asking -= 1;
                if let Some(advice) = advice {
                    let now = (rand::random(), Instant::now());
                    self.book.advised(&leaf, advice.window, advice.again, now);
                }
            }
            Err(error) => match self.running.remove(&error.id()) {
                Some(demand) => self.ordered(demand, Err(Failure::new("the order failed inside")), out).await,
                None => self.asking = self.asking.saturating_sub(1),
            },
        }
    }

    async fn ordered(&mut self, demand: Demand, issued: Result<Issued, Failure>, out: &Publisher) {
        let names = demand.names.join(", ");
        match issued {
            Ok(Issued { chain, key }) => {
                tracing::info!(resolver = %demand.resolver, names, "A certificate arrived.");
                self.book.came(&demand, Instant::now());
                let Some(resolver) = self.resolvers.get(&demand.resolver) else { return };
                let certificate = Certificate::new(&demand.names, &chain, &key);
                let change = Change::Certificate { resolver: demand.resolver, certificate };
                if let Err(error) = resolver.keeper.change(change).await {
                    tracing::error!("The certificate is used but cannot be kept yet: {error}");
                }
            }
            Err(failure) => {
                let retry_in = self.book.failed(&demand, &failure, Instant::now());
                let (resolver, why) = (&demand.resolver, &failure.text);
                tracing::error!(%resolver, names, ?retry_in, "Unable to obtain ACME certificate: {why}");
            }
        }
        self.refresh(out).await;
    }

    async fn reread(&mut self, out: &Publisher) {
        for keeper in self.keepers.values() {
            // Told with the resolvers.
            let _broken = keeper.reread().await;
        }
        self.refresh(out).await;
    }

    /// Looks at what the storages say now, and publishes it.
    async fn refresh(&mut self, out: &Publisher) {
        let contents: Vec<_> =
            self.resolvers.iter().map(|(name, resolver)| (name.as_str(), resolver.keeper.contents())).collect();
        self.book.update(contents.iter().map(|(name, contents)| (*name, &**contents)), Instant::now());
        let mut pairs = Vec::new();
        for (name, contents) in &contents {
            let certificates = contents.get(*name).and_then(|stored| stored.certificates.as_ref());
            pairs.extend(certificates.into_iter().flatten().filter_map(Certificate::pem));
        }
        let mut problems = Vec::new();
        for (name, resolver) in &self.resolvers {
            if let Some(why) = resolver.unusable() {
                problems.push(problem(name, format!("it orders nothing: {why}")));
            }
        }
        let mut troubles: Vec<_> = self.book.troubles().collect();
        troubles.sort_unstable();
        problems.extend(troubles.iter().map(|(resolver, name, why)| problem(resolver, format!("{name}: {why}"))));
        out.publish_part(configuration(pairs), ConfigErrors(problems)).await;
    }

    fn rest(&self) -> Duration {
        let is_broken = |keeper: &Arc<Keeper>| keeper.has_unsaved() || keeper.broken().is_some();
        let rest = self.book.rest(|name| hours(&self.resolvers, name), (Instant::now(), SystemTime::now()));
        if self.keepers.values().any(is_broken) { rest.min(RETRY) } else { rest }
    }
}

/// A resolver's `certificatesDuration`, if it can order at all.
fn hours(resolvers: &BTreeMap<String, Arc<Resolver>>, name: &str) -> Option<i64> {
    resolvers.get(name).filter(|one| one.unusable().is_none()).map(|one| one.settings.certificates_duration)
}

fn problem(resolver: &str, message: String) -> ConfigError {
    let path = format!("certificatesResolvers.{resolver}.acme");
    ConfigError { at: Origin::Unknown, path, problem: Problem::Other { message } }
}
