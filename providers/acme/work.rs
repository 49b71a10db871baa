//! [`Work`]: which orders are due, which run, and what became of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use instant_acme::Account;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinSet;
use trafficcop_config::settings;
use trafficcop_provider::Publisher;

use crate::order::Stage;
use crate::storage::{Certificate, Contents, Own, Storage, Stored};
use crate::{Demand, Demands, Settings, account, configuration, order, renewal};

/// Orders that run at the same time; more wait.
const AT_ONCE: usize = 4;
/// Orders that may wait; the rest is found again in the next round.
const MOST_WAITING: usize = 256;
/// A whole order, with everything that it waits for.
const ORDER_TIME: Duration = Duration::from_secs(600);
/// A certificate that no router has used for so long is not renewed.
const UNUSED: Duration = Duration::from_secs(7 * 24 * 3600);

struct Resolver {
    settings: settings::certificates::Acme,
    account: Mutex<Option<Account>>,
}

type Ordered = Result<(String, String, Option<Own>), String>;

pub(crate) struct Work {
    resolvers: BTreeMap<String, Arc<Resolver>>,
    /// By path, with what was read last.
    files: BTreeMap<String, (Storage, Contents)>,
    stage: Stage,
    running: HashSet<Demand>,
    /// Until when they are left alone, and how often they failed.
    failed: HashMap<Demand, (Instant, u32)>,
    used: HashMap<Demand, Instant>,
}

impl Work {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut files = BTreeMap::new();
        let mut resolvers = BTreeMap::new();
        for (name, acme) in &settings.resolvers {
            if !files.contains_key(&acme.storage) {
                let storage = Storage::new(&acme.storage);
                match storage.load() {
                    Ok(contents) => files.insert(acme.storage.clone(), (storage, contents)),
                    Err(error) => {
                        tracing::error!(resolver = %name, "The ACME resolver is skipped: {error}");
                        continue;
                    }
                };
            }
            let resolver = Resolver { settings: acme.clone(), account: Mutex::new(None) };
            resolvers.insert(name.clone(), Arc::new(resolver));
        }
        let (running, failed, used) = (HashSet::new(), HashMap::new(), HashMap::new());
        Self { resolvers, files, stage: settings.stage.clone(), running, failed, used }
    }

    /// Until the root is gone.
    pub(crate) async fn run(mut self, demands: &mut watch::Receiver<Arc<Demands>>, out: &Publisher) {
        let mut orders: JoinSet<(Demand, Ordered)> = JoinSet::new();
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        out.publish(configuration(self.pairs())).await;
        loop {
            let now = Arc::clone(&demands.borrow_and_update());
            for demand in self.due(&now) {
                if orders.len() >= MOST_WAITING {
                    break;
                }
                let Some(resolver) = self.resolvers.get(&demand.resolver).map(Arc::clone) else { continue };
                let kept = self.stored(&demand.resolver).and_then(|stored| stored.own.clone());
                let (stage, permits) = (self.stage.clone(), Arc::clone(&permits));
                self.running.insert(demand.clone());
                orders.spawn(async move {
                    let _permit = permits.acquire_owned().await;
                    let ordered = tokio::time::timeout(ORDER_TIME, get(&resolver, kept, &demand.names, &stage)).await;
                    (demand, ordered.unwrap_or_else(|_| Err("the order took too long".to_owned())))
                });
            }
            tokio::select! {
                Some(done) = orders.join_next() => match done {
                    Ok((demand, ordered)) => self.done(demand, ordered, out).await,
                    Err(error) => tracing::error!(%error, "An order failed inside."),
                },
                changed = demands.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(self.rest()) => {}
            }
        }
    }

    async fn done(&mut self, demand: Demand, ordered: Ordered, out: &Publisher) {
        self.running.remove(&demand);
        let (chain, key, own) = match ordered {
            Ok(ordered) => ordered,
            Err(error) => {
                let failures = self.failed.get(&demand).map_or(0, |failed| failed.1 + 1);
                let pause = renewal::pause(failures, &error);
                tracing::error!(
                    resolver = %demand.resolver, names = %demand.names.join(", "), retry_in = ?pause,
                    "Unable to obtain ACME certificate: {error}"
                );
                self.failed.insert(demand, (Instant::now() + pause, failures));
                return;
            }
        };
        tracing::info!(resolver = %demand.resolver, names = %demand.names.join(", "), "A certificate arrived.");
        self.failed.remove(&demand);
        let Some(path) = self.resolvers.get(&demand.resolver).map(|resolver| &resolver.settings.storage) else {
            return;
        };
        let Some((storage, contents)) = self.files.get_mut(path) else { return };
        // Somebody else may have written meanwhile: Traefik, or another resolver's owner.
        match storage.load() {
            Ok(read) => *contents = read,
            Err(error) => tracing::warn!("What was read last is kept: {error}"),
        }
        let stored = contents.entry(demand.resolver.clone()).or_default();
        stored.own = own.or(stored.own.take());
        let new = Certificate::new(&demand.names, &chain, &key);
        let certificates = stored.certificates.get_or_insert_default();
        match certificates.iter_mut().find(|kept| kept.domain == new.domain) {
            Some(kept) => *kept = Certificate { store: std::mem::take(&mut kept.store), ..new },
            None => certificates.push(new),
        }
        if let Err(error) = storage.save(contents) {
            tracing::error!("The certificate is used but cannot be kept: {error}");
        }
        out.publish(configuration(self.pairs())).await;
    }

    /// Orders to be made now: what is missing, and what ends.
    fn due(&mut self, demands: &Demands) -> Vec<Demand> {
        let now = Instant::now();
        let mut due: Vec<Demand> = Vec::new();
        let mut renewals = Vec::new();
        for (name, resolver) in &self.resolvers {
            let (window, _) = renewal::windows(resolver.settings.certificates_duration);
            let Some(certificates) = self.stored(name).and_then(|stored| stored.certificates.as_ref()) else {
                continue;
            };
            for kept in certificates {
                let demand = Demand { resolver: name.clone(), names: kept.domain.names() };
                let serves = |wanted: &String| demand.names.iter().any(|name| renewal::covers(name, wanted));
                let is_used = demands.wanted.iter().any(|demand| demand.names.iter().any(serves));
                let ends = || kept.pem().is_none_or(|(chain, _)| renewal::is_due(&chain, window, SystemTime::now()));
                if !demand.names.is_empty() {
                    renewals.push((is_used, ends(), demand));
                }
            }
        }
        for (is_used, ends, demand) in renewals {
            let last = self.used.entry(demand.clone()).or_insert(now);
            if is_used {
                *last = now;
            }
            if ends && last.elapsed() < UNUSED {
                due.push(demand);
            }
        }
        for wanted in &demands.wanted {
            let mut names: Vec<String> = Vec::new();
            for name in &wanted.names {
                let is_known = self.is_present(name, demands) || names.contains(name);
                let is_ordered = |order: &Demand| order.names.iter().any(|pattern| renewal::covers(pattern, name));
                if !is_known && !due.iter().chain(&self.running).any(is_ordered) {
                    names.push(name.clone());
                }
            }
            if !names.is_empty() {
                due.push(Demand { resolver: wanted.resolver.clone(), names });
            }
        }
        due.retain(|demand| {
            let rests = self.failed.get(demand).is_some_and(|(until, _)| *until > now);
            !rests && !self.running.contains(demand) && self.resolvers.contains_key(&demand.resolver)
        });
        due
    }

    fn is_present(&self, name: &str, demands: &Demands) -> bool {
        let mut kept = self.files.values().flat_map(|(_, contents)| contents.values());
        demands.present.iter().any(|pattern| renewal::covers(pattern, name))
            || kept.any(|stored| {
                let mut certificates = stored.certificates.iter().flatten();
                certificates.any(|kept| kept.domain.names().iter().any(|pattern| renewal::covers(pattern, name)))
            })
    }

    /// Until something may be due.
    fn rest(&self) -> Duration {
        let checks = self.resolvers.values().map(|one| renewal::windows(one.settings.certificates_duration).1);
        let retries = self.failed.values().map(|(until, _)| until.saturating_duration_since(Instant::now()));
        checks.chain(retries.filter(|rest| !rest.is_zero())).min().unwrap_or(Duration::from_secs(86400))
    }

    fn stored(&self, resolver: &str) -> Option<&Stored> {
        self.files.get(&self.resolvers.get(resolver)?.settings.storage)?.1.get(resolver)
    }

    /// Every certificate of the resolvers that are configured, in PEM.
    fn pairs(&self) -> Vec<(String, String)> {
        let stored = self.resolvers.keys().filter_map(|name| self.stored(name));
        stored.flat_map(|stored| stored.certificates.iter().flatten()).filter_map(Certificate::pem).collect()
    }
}

async fn get(resolver: &Resolver, kept: Option<Own>, names: &[String], stage: &Stage) -> Ordered {
    let (account, own) = {
        // Held across the registration: two orders must not register twice.
        let mut open = resolver.account.lock().await;
        match &*open {
            Some(account) => (account.clone(), None),
            None => {
                let (account, own) = account::open(&resolver.settings, kept.as_ref()).await?;
                *open = Some(account.clone());
                (account, own)
            }
        }
    };
    let (chain, key) = order::order(&account, &resolver.settings, names, stage).await?;
    Ok((chain, key, own))
}
