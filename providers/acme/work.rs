//! [`Work`]: makes the orders that are due, and publishes what comes of them.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use rustls_pki_types::CertificateDer;
use tokio::sync::{Semaphore, watch};
use tokio::task::{Id, JoinError, JoinSet};
use trafficcop_config::settings::certificates::Acme;
use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem};
use trafficcop_kv::Shared;
use trafficcop_provider::{Order, Publisher};

use crate::book::{Book, Due};
use crate::contents::Certificate;
use crate::failure::Failure;
use crate::keeper::Keeper;
use crate::lock::Locks;
use crate::mirror::Mirror;
use crate::resolver::{Advice, Ordered, Resolver};
use crate::shared::SharedStorage;
use crate::storage::{File, Nothing};
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
/// How soon it is seen whether another instance has brought what it orders.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

enum Done {
    Order(Demand, Result<Ordered, Failure>),
    Advice(CertificateDer<'static>, Option<Advice>),
}

/// Where something is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    File(String),
    /// By name.
    Shared(String),
    Nowhere,
}

/// Told when something changes in any of these.
struct News(Vec<Shared>);

impl News {
    async fn next(&mut self) {
        let mut waits: Vec<_> = self.0.iter_mut().map(|shared| Box::pin(shared.changed())).collect();
        std::future::poll_fn(|cx| {
            let is_told = waits.iter_mut().any(|wait| wait.as_mut().poll(cx).is_ready());
            if is_told { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

pub(crate) struct Work {
    settings: Settings,
    resolvers: BTreeMap<String, Arc<Resolver>>,
    /// By where they keep.
    keepers: BTreeMap<Place, Arc<Keeper>>,
    book: Book,
    tasks: JoinSet<Done>,
    permits: Arc<Semaphore>,
    /// What is being ordered.
    running: HashMap<Id, Demand>,
    asking: usize,
    /// Stores that are shared with other instances, by name.
    shared: BTreeMap<String, (Shared, Locks, Mirror)>,
    /// What another instance orders, and when to look again.
    elsewhere: HashMap<Demand, Instant>,
}

impl Work {
    pub(crate) async fn new(settings: &Settings) -> Self {
        let mut keepers: BTreeMap<Place, Arc<Keeper>> = BTreeMap::new();
        let mut shared = BTreeMap::new();
        for one in settings.shared.values().flatten() {
            let new = || (one.clone(), Locks::new(one.clone()), Mirror::default());
            shared.entry(one.name().to_owned()).or_insert_with(new);
        }
        let place = |name: &str, acme: &Acme| match settings.shared.get(name) {
            Some(Ok(shared)) => Place::Shared(shared.name().to_owned()),
            // It orders nothing.
            Some(Err(_)) => Place::Nowhere,
            None => Place::File(acme.storage.clone()),
        };
        for (name, acme) in &settings.resolvers {
            let place = place(name, acme);
            let new = || {
                Arc::new(match (&place, settings.shared.get(name)) {
                    (Place::File(path), _) => Keeper::new(File::new(path)),
                    (Place::Shared(_), Some(Ok(shared))) => Keeper::new(SharedStorage(shared.clone())),
                    _ => Keeper::new(Nothing),
                })
            };
            keepers.entry(place.clone()).or_insert_with(new);
        }
        for keeper in keepers.values() {
            // Why it cannot be read is told with the resolvers.
            let _broken = keeper.reread().await;
        }
        let asked: Vec<_> = settings
            .resolvers
            .iter()
            .filter_map(|(name, acme)| {
                let keeper = Arc::clone(keepers.get(&place(name, acme))?);
                let locks =
                    |one: &Shared| shared.get(one.name()).map(|(shared, locks, _)| (shared.clone(), locks.clone()));
                let shared = settings.shared.get(name).and_then(|one| match one {
                    Ok(one) => locks(one).map(Ok),
                    Err(why) => Some(Err(why.clone())),
                });
                Some((name.clone(), acme.clone(), keeper, shared))
            })
            .collect();
        let opened = tokio::task::spawn_blocking(move || {
            let made = asked.into_iter().map(|(name, acme, keeper, shared)| {
                let resolver = Resolver::new(&name, &acme, keeper, shared);
                (name, Arc::new(resolver))
            });
            made.collect()
        });
        let resolvers = opened.await.unwrap_or_default();
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let (book, tasks, running) = (Book::default(), JoinSet::new(), HashMap::new());
        let (settings, elsewhere) = (settings.clone(), HashMap::new());
        Self { settings, resolvers, keepers, book, tasks, permits, running, asking: 0, shared, elsewhere }
    }

    /// Until the root is gone.
    pub(crate) async fn run(mut self, demands: &mut watch::Receiver<Arc<Demands>>, out: &Publisher) {
        let files = self.keepers.keys().filter_map(|place| match place {
            Place::File(path) => Some(PathBuf::from(path)),
            _ => None,
        });
        let mut watch = Watch::of(files.collect());
        let mut news = News(self.shared.values().map(|(shared, ..)| shared.clone()).collect());
        self.mirror();
        self.refresh(out).await;
        loop {
            let now = Arc::clone(&demands.borrow_and_update());
            self.book.forget(&now);
            self.start(&now);
            self.ask();
            out.state().order(self.orders());
            let rest = self.rest();
            tokio::select! {
                Some(done) = self.tasks.join_next_with_id() => self.done(done, out).await,
                changed = demands.changed() => if changed.is_err() { return },
                () = watch.next() => {
                    tokio::time::sleep(SETTLE).await;
                    self.reread(out).await;
                }
                () = news.next() => {
                    self.mirror();
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
        self.elsewhere.retain(|_, until| *until > time.0);
        let due = self.book.due(demands, &self.running.values(), |name| hours(resolvers, name), time);
        for Due { demand, replaced } in due {
            if self.running.len() >= MOST_WAITING {
                break;
            }
            if self.elsewhere.get(&demand).is_some_and(|until| *until > time.0) {
                continue;
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

    async fn ordered(&mut self, demand: Demand, ordered: Result<Ordered, Failure>, out: &Publisher) {
        let names = demand.names.join(", ");
        self.elsewhere.remove(&demand);
        match ordered {
            Ok(Ordered::Came(kept)) => {
                tracing::info!(resolver = %demand.resolver, names, "A certificate arrived.");
                self.book.came(&demand, Instant::now());
                if let Err(error) = kept {
                    tracing::error!("The certificate is used but cannot be kept yet: {error}");
                }
            }
            Ok(Ordered::Elsewhere | Ordered::Brought) => {
                self.elsewhere.insert(demand, Instant::now() + LOOK_AGAIN);
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

    /// What is being ordered, and what failed.
    fn orders(&self) -> Vec<Order> {
        let under_way = |demand: &Demand| Order {
            resolver: demand.resolver.clone(),
            names: demand.names.clone(),
            failure: None,
            is_limited: false,
            failures: 0,
            next: None,
        };
        let mut orders = self.book.resting((Instant::now(), SystemTime::now()));
        orders.retain(|resting| {
            let is_tried = |demand: &&Demand| {
                demand.resolver == resting.resolver && resting.names.iter().all(|name| demand.names.contains(name))
            };
            !self.running.values().any(|demand| is_tried(&demand))
        });
        orders.extend(self.running.values().map(under_way));
        orders.sort();
        orders
    }

    fn rest(&self) -> Duration {
        let is_broken = |keeper: &Arc<Keeper>| keeper.has_unsaved() || keeper.broken().is_some();
        let rest = self.book.rest(|name| hours(&self.resolvers, name), (Instant::now(), SystemTime::now()));
        let rest = if self.keepers.values().any(is_broken) { rest.min(RETRY) } else { rest };
        if self.elsewhere.is_empty() { rest } else { rest.min(LOOK_AGAIN) }
    }

    /// Shows what other instances have to show.
    fn mirror(&mut self) {
        for (shared, _, mirror) in self.shared.values_mut() {
            mirror.follow(shared, &self.settings.stage);
        }
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
