//! [`Resolver`]: one of `certificatesResolvers`, with its account.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use instant_acme::{Account, CertificateIdentifier};
use rustls_pki_types::CertificateDer;
use tokio::sync::Mutex;
use trafficcop_config::settings::certificates::Acme;
use trafficcop_kv::Shared;

use crate::client::Client;
use crate::contents::{Certificate, Change, Own};
use crate::dns::Dns;
use crate::failure::Failure;
use crate::keeper::Keeper;
use crate::lock::{Held, Locks, Taken};
use crate::order::{self, Issued, Means, Progress};
use crate::stage::Stage;
use crate::{account, renewal};

/// A whole order, with everything that it waits for.
const ORDER_TIME: Duration = Duration::from_mins(10);
/// Orders in a row that may fail for nonces alone.
const TRIES: u32 = 12;
/// How long another instance may take to register, and how often that is looked at.
const REGISTERING: Duration = Duration::from_mins(2);
const LOOK_AGAIN: Duration = Duration::from_millis(500);

pub(crate) struct Resolver {
    pub(crate) name: String,
    pub(crate) settings: Acme,
    pub(crate) keeper: Arc<Keeper>,
    client: Result<Client, String>,
    dns: Option<Result<Dns, String>>,
    account: Mutex<Option<Account>>,
    /// Where several instances share the storage.
    shared: Option<Result<(Shared, Locks), String>>,
}

/// What came of an order.
pub(crate) enum Ordered {
    /// A certificate; the error says why it is not written yet.
    Came(Result<(), String>),
    /// Another instance makes this order.
    Elsewhere,
    /// Another instance has brought it already.
    Brought,
}

/// When an authority would have a certificate renewed, and when to ask again.
pub(crate) struct Advice {
    pub(crate) window: Option<(SystemTime, SystemTime)>,
    pub(crate) again: Duration,
}

impl Resolver {
    /// Reads files: not for a worker.
    pub(crate) fn new(
        name: &str,
        settings: &Acme,
        keeper: Arc<Keeper>,
        shared: Option<Result<(Shared, Locks), String>>,
    ) -> Self {
        let (client, dns) = (Client::new(settings), settings.dns_challenge.as_ref().map(Dns::new));
        let (name, settings, account) = (name.to_owned(), settings.clone(), Mutex::default());
        Self { name, settings, keeper, client, dns, account, shared }
    }

    /// Why it cannot order anything.
    pub(crate) fn unusable(&self) -> Option<String> {
        let dns = || self.dns.as_ref().and_then(|dns| dns.as_ref().err());
        let shared = || self.shared.as_ref().and_then(|shared| shared.as_ref().err());
        self.client.as_ref().err().or_else(dns).or_else(shared).cloned().or_else(|| self.keeper.broken())
    }

    fn shared(&self) -> Option<&(Shared, Locks)> {
        self.shared.as_ref()?.as_ref().ok()
    }

    /// A certificate for these names, after the one that it replaces; it is kept before anybody hears of it.
    pub(crate) async fn order(
        &self,
        names: &[String],
        replaced: Option<&CertificateDer<'_>>,
        stage: &Stage,
    ) -> Result<Ordered, Failure> {
        let Some((_, locks)) = self.shared() else {
            let issued = self.issue(names, replaced, stage).await?;
            return Ok(Ordered::Came(self.keep(names, &issued).await));
        };
        let mut held = match locks.take("name", &self.name, names).await {
            Ok(held) => held,
            Err(Taken::Busy) => return Ok(Ordered::Elsewhere),
            Err(Taken::Failed(failure)) => return Err(failure),
            Err(Taken::Unknown(why)) => return Err(Failure::new(why)),
        };
        // Whoever had the lock before may have brought it.
        if self.keeper.reread().await.is_err() || self.has(names, replaced) {
            held.release(None).await;
            return Ok(Ordered::Brought);
        }
        let issued = tokio::select! {
            issued = self.issue(names, replaced, stage) => issued,
            () = held.lost() => return Ok(Ordered::Elsewhere),
        };
        match issued {
            Ok(issued) => {
                let kept = self.keep(names, &issued).await;
                // Where it is not written, nobody else shall order it for now.
                if kept.is_ok() {
                    held.release(None).await;
                }
                Ok(Ordered::Came(kept))
            }
            Err(failure) => {
                held.release(Some(&failure)).await;
                Err(failure)
            }
        }
    }

    async fn keep(&self, names: &[String], issued: &Issued) -> Result<(), String> {
        let certificate = Certificate::new(names, &issued.chain, &issued.key);
        self.keeper.change(Change::Certificate { resolver: self.name.clone(), certificate }).await
    }

    /// Whether the storage has what is about to be ordered: a successor, or certificates for all names.
    fn has(&self, names: &[String], replaced: Option<&CertificateDer<'_>>) -> bool {
        let contents = self.keeper.contents();
        let mut kept = contents.values().flat_map(|stored| stored.certificates.iter().flatten());
        if let Some(replaced) = replaced {
            return kept.any(|one| {
                let leaf = one.pem().and_then(|(chain, _)| renewal::leaf(&chain));
                one.domain.names() == names && leaf.is_some_and(|leaf| leaf != *replaced)
            });
        }
        let patterns: Vec<_> = kept.flat_map(|one| one.domain.names()).collect();
        names.iter().all(|name| patterns.iter().any(|pattern| renewal::covers(pattern, name)))
    }

    async fn issue(
        &self,
        names: &[String],
        replaced: Option<&CertificateDer<'_>>,
        stage: &Stage,
    ) -> Result<Issued, Failure> {
        let dns = self.dns.as_ref().and_then(|dns| dns.as_ref().ok());
        let patience = ORDER_TIME + dns.map_or(Duration::ZERO, Dns::patience);
        let ordered = tokio::time::timeout(patience, self.tries(names, replaced, stage)).await;
        let mut failure = match ordered {
            Ok(Ok(issued)) => return Ok(issued),
            Ok(Err(failure)) => failure,
            Err(_) => Failure::new("the order took too long"),
        };
        let limited = failure.text.contains("rateLimited").then_some(renewal::LIMITED);
        failure.rest = self.client.as_ref().ok().and_then(Client::rest).or(limited);
        Err(failure)
    }

    async fn tries(
        &self,
        names: &[String],
        replaced: Option<&CertificateDer<'_>>,
        stage: &Stage,
    ) -> Result<Issued, Failure> {
        let client = self.client.as_ref().map_err(Failure::new)?;
        if let Some(name) = names.iter().find(|name| name.matches('*').count() > 1) {
            return Err(Failure::new(format!("unable to generate a wildcard certificate for {name}: more than one *")));
        }
        let (mut tries, mut progress) = (0, Progress::default());
        loop {
            tries += 1;
            let once = async {
                let account = self.account(client).await?;
                let dns = self.dns.as_ref().and_then(|dns| dns.as_ref().ok());
                let shared = self.shared().map(|(shared, _)| shared);
                let means = Means { account: &account, client, settings: &self.settings, stage, shared, dns };
                order::order(&means, names, replaced, &mut progress).await
            };
            match once.await {
                Err(failure) if failure.is_of_nonces() && tries < TRIES => {}
                Err(failure) if failure.is_of_account() && tries < TRIES => {
                    tracing::warn!(resolver = %self.name, "The authority does not know the account any more.");
                    progress = Progress::default();
                    self.register(client).await?;
                }
                other => return other,
            }
        }
    }

    async fn account(&self, client: &Client) -> Result<Account, Failure> {
        // Held across the registration: two orders must not register twice.
        let mut open = self.account.lock().await;
        if let Some(account) = &*open {
            return Ok(account.clone());
        }
        let account = match self.kept(client).await? {
            Some(account) => account,
            None => self.registered(client, None).await?,
        };
        *open = Some(account.clone());
        Ok(account)
    }

    async fn register(&self, client: &Client) -> Result<(), Failure> {
        let mut open = self.account.lock().await;
        let lost = open.take();
        *open = Some(self.registered(client, lost.as_ref().map(Account::id)).await?);
        Ok(())
    }

    async fn kept(&self, client: &Client) -> Result<Option<Account>, Failure> {
        match self.own() {
            Some(own) => account::kept(&self.settings, client, &own).await.transpose(),
            None => Ok(None),
        }
    }

    /// A new account; of several instances one registers it, and the others take that. `lost` is the one that the
    /// authority does not know any more.
    async fn registered(&self, client: &Client, lost: Option<&str>) -> Result<Account, Failure> {
        let Some((_, locks)) = self.shared() else { return self.alone_registered(client).await };
        let end = Instant::now() + REGISTERING;
        let held: Held = loop {
            match locks.take("account", &self.name, std::slice::from_ref(&self.settings.ca_server)).await {
                Ok(held) => break held,
                Err(Taken::Failed(failure)) => return Err(failure),
                Err(Taken::Unknown(why)) => return Err(Failure::new(why)),
                Err(Taken::Busy) if Instant::now() > end => {
                    return Err(Failure::new("another instance registers at the authority and comes to no end"));
                }
                Err(Taken::Busy) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        };
        self.keeper.reread().await.map_err(Failure::new)?;
        let found = match self.kept(client).await {
            Ok(Some(account)) if lost != Some(account.id()) => Ok(account),
            Ok(_) => self.alone_registered(client).await,
            Err(failure) => Err(failure),
        };
        held.release(None).await;
        found
    }

    /// A new account is kept before anything else is done with it.
    async fn alone_registered(&self, client: &Client) -> Result<Account, Failure> {
        let (account, own) = account::register(&self.settings, client).await?;
        tracing::info!(resolver = %self.name, account = account.id(), "Registered at the authority.");
        if let Err(error) = self.keeper.change(Change::Account { resolver: self.name.clone(), own }).await {
            tracing::error!(resolver = %self.name, "The account is used but cannot be kept yet: {error}");
        }
        Ok(account)
    }

    fn own(&self) -> Option<Own> {
        self.keeper.contents().get(&self.name)?.own.clone()
    }

    /// Asks when to renew a certificate. Nobody registers for that alone.
    pub(crate) async fn advice(&self, leaf: &CertificateDer<'_>) -> Option<Advice> {
        let (Ok(client), Some(_)) = (&self.client, self.own()) else { return None };
        let account = self.account(client).await.ok()?;
        let id = CertificateIdentifier::try_from(leaf).ok()?;
        match account.renewal_info(&id).await {
            Ok((info, again)) => {
                let window = info.suggested_window;
                Some(Advice { window: Some((window.start.into(), window.end.into())), again })
            }
            Err(instant_acme::Error::Unsupported(_)) => None,
            Err(error) => {
                tracing::debug!(resolver = %self.name, %error, "No advice about renewing.");
                Some(Advice { window: None, again: Duration::from_hours(1) })
            }
        }
    }
}
