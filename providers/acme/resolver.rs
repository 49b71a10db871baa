//! [`Resolver`]: one of `certificatesResolvers`, with its account.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use instant_acme::{Account, CertificateIdentifier};
use rustls_pki_types::CertificateDer;
use tokio::sync::Mutex;
use trafficcop_config::settings::certificates::Acme;

use crate::client::Client;
use crate::contents::{Change, Own};
use crate::dns::Dns;
use crate::failure::Failure;
use crate::keeper::Keeper;
use crate::order::{self, Issued, Means};
use crate::stage::Stage;
use crate::{account, renewal};

/// A whole order, with everything that it waits for.
const ORDER_TIME: Duration = Duration::from_mins(10);
/// Orders in a row that may fail for nonces alone.
const TRIES: u32 = 5;

pub(crate) struct Resolver {
    pub(crate) name: String,
    pub(crate) settings: Acme,
    pub(crate) keeper: Arc<Keeper>,
    client: Result<Client, String>,
    dns: Option<Result<Dns, String>>,
    account: Mutex<Option<Account>>,
}

/// When an authority would have a certificate renewed, and when to ask again.
pub(crate) struct Advice {
    pub(crate) window: Option<(SystemTime, SystemTime)>,
    pub(crate) again: Duration,
}

impl Resolver {
    /// Reads files: not for a worker.
    pub(crate) fn new(name: &str, settings: &Acme, keeper: Arc<Keeper>) -> Self {
        let (client, dns) = (Client::new(settings), settings.dns_challenge.as_ref().map(Dns::new));
        Self { name: name.to_owned(), settings: settings.clone(), keeper, client, dns, account: Mutex::default() }
    }

    /// Why it cannot order anything.
    pub(crate) fn unusable(&self) -> Option<String> {
        let dns = || self.dns.as_ref().and_then(|dns| dns.as_ref().err());
        self.client.as_ref().err().or_else(dns).cloned().or_else(|| self.keeper.broken())
    }

    /// A certificate for these names, after the one that it replaces.
    pub(crate) async fn order(
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
        let mut tries = 0;
        loop {
            tries += 1;
            let once = async {
                let account = self.account(client).await?;
                let dns = self.dns.as_ref().and_then(|dns| dns.as_ref().ok());
                let means = Means { account: &account, client, settings: &self.settings, stage, dns };
                order::order(&means, names, replaced).await
            };
            match once.await {
                Err(failure) if failure.is_of_nonces() && tries < TRIES => {}
                Err(failure) if failure.is_of_account() && tries < TRIES => {
                    tracing::warn!(resolver = %self.name, "The authority does not know the account any more.");
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
        let own = self.own();
        let kept = match &own {
            Some(own) => account::kept(&self.settings, client, own).await.transpose()?,
            None => None,
        };
        let account = match kept {
            Some(account) => account,
            None => self.registered(client).await?,
        };
        *open = Some(account.clone());
        Ok(account)
    }

    async fn register(&self, client: &Client) -> Result<(), Failure> {
        let mut open = self.account.lock().await;
        *open = Some(self.registered(client).await?);
        Ok(())
    }

    /// A new account is kept before anything else is done with it.
    async fn registered(&self, client: &Client) -> Result<Account, Failure> {
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
