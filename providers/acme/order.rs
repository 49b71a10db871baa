//! One order, from names to a chain of certificates.

use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, ChallengeType, Identifier, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use rcgen::KeyPair;
use rustls_pki_types::CertificateDer;
use trafficcop_config::settings::certificates::Acme;
use trafficcop_kv::Shared;

use crate::client::Client;
use crate::dns::{Answer, Dns, Placed};
use crate::failure::Failure;
use crate::mirror;
use crate::stage::{Shown, Stage};
use crate::{chain, keys};

/// How long the authority may take to look at the answers.
const VALIDATION: Duration = Duration::from_mins(2);
/// How long proving all names of an order may take, but for what DNS takes.
const PROOF: Duration = Duration::from_mins(5);

/// How long other instances have to hear of an answer.
const SPREAD: Duration = Duration::from_secs(1);

/// What an order is made with.
pub(crate) struct Means<'a> {
    pub(crate) account: &'a Account,
    pub(crate) client: &'a Client,
    pub(crate) settings: &'a Acme,
    pub(crate) stage: &'a Stage,
    /// Where other instances look for what they have to show.
    pub(crate) shared: Option<&'a Shared>,
    /// None: the resolver has no `dnsChallenge`.
    pub(crate) dns: Option<&'a Dns>,
}

/// A chain and its key, in PEM.
pub(crate) struct Issued {
    pub(crate) chain: String,
    pub(crate) key: String,
}

/// How far an order has come: one that was held up by refused nonces goes on instead of being made anew, with the key that
/// the authority may have signed already.
#[derive(Default)]
pub(crate) struct Progress {
    url: Option<String>,
    key: Option<Arc<KeyPair>>,
}

/// `replaced` is the certificate that the new one comes after, for an authority that wants to know.
pub(crate) async fn order(
    means: &Means<'_>,
    names: &[String],
    replaced: Option<&CertificateDer<'_>>,
    progress: &mut Progress,
) -> Result<Issued, Failure> {
    let mut order = match &progress.url {
        Some(url) => means.account.order(url.clone()).await.map_err(|error| refused(&error))?,
        None => begin(means, names, replaced).await?,
    };
    progress.url = Some(order.url().to_owned());
    let key = if let Some(key) = &progress.key {
        Arc::clone(key)
    } else {
        let key_type = means.settings.key_type.clone();
        let key = tokio::task::spawn_blocking(move || keys::generate(&key_type)).await;
        let key = Arc::new(key.map_err(|error| Failure::of(&error))?.map_err(Failure::new)?);
        Arc::clone(progress.key.insert(key))
    };
    if matches!(order.state().status, OrderStatus::Pending) {
        prove(means, &mut order).await?;
    }
    if matches!(order.state().status, OrderStatus::Pending | OrderStatus::Ready) {
        let request = keys::request(names, &key, means.settings).map_err(Failure::new)?;
        order.finalize_csr(&request).await.map_err(|error| Failure::of(&error))?;
    }
    let patience = means.settings.certificate_timeout.positive().unwrap_or(VALIDATION);
    let first =
        order.poll_certificate(&RetryPolicy::new().timeout(patience)).await.map_err(|error| Failure::of(&error))?;
    let chain = chain::choose(means.account, means.client, &mut order, first, &means.settings.preferred_chain).await;
    Ok(Issued { chain, key: key.serialize_pem() })
}

async fn begin(means: &Means<'_>, names: &[String], replaced: Option<&CertificateDer<'_>>) -> Result<Order, Failure> {
    let identifier = |name: &String| name.parse().map_or_else(|_| Identifier::Dns(name.clone()), Identifier::Ip);
    let identifiers: Vec<_> = names.iter().map(identifier).collect();
    let new = || {
        let new = NewOrder::new(&identifiers);
        if means.settings.profile.is_empty() { new } else { new.profile(&means.settings.profile) }
    };
    if let Some(replaced) = replaced
        && let Ok(id) = CertificateIdentifier::try_from(replaced)
        && let Ok(order) = means.account.new_order(&new().replaces(id)).await
    {
        return Ok(order);
    }
    // Also when the authority does not know of replacing, or says that it was done already.
    means.account.new_order(&new()).await.map_err(|error| refused(&error))
}

/// Proves every name, and leaves nothing behind in any zone, however it ends.
async fn prove(means: &Means<'_>, order: &mut Order) -> Result<(), Failure> {
    let mut placed = Vec::new();
    let patience = PROOF + means.dns.map_or(Duration::ZERO, Dns::patience);
    let proved = tokio::time::timeout(patience, show(means, order, &mut placed)).await;
    for record in &placed {
        if let Some(dns) = means.dns {
            dns.remove(record).await;
        }
    }
    proved.unwrap_or_else(|_| Err(Failure::new("proving the names took too long")))
}

/// Shows an answer for every name that is not proved yet, and waits until the authority has seen them.
async fn show(means: &Means<'_>, order: &mut Order, placed: &mut Vec<Placed>) -> Result<(), Failure> {
    let mut shown = Shown::on(means.stage, means.shared);
    let mut kinds = Vec::new();
    let mut delay = Duration::ZERO;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(|error| Failure::of(&error))?;
        match authorization.status {
            AuthorizationStatus::Valid => {
                kinds.push(None);
                continue;
            }
            AuthorizationStatus::Pending => {}
            other => return Err(Failure::new(format!("an authorization is {other:?} already"))),
        }
        let (kind, pause) = choose(means.settings, &authorization)?;
        let Some(challenge) = authorization.challenge(kind.clone()) else {
            return Err(Failure::new("a challenge went away"));
        };
        let name = challenge.identifier().to_string().to_ascii_lowercase();
        let answer = challenge.key_authorization();
        match (&kind, means.dns) {
            (ChallengeType::Http01, _) => {
                shown.show(mirror::Answer::http(&name, &challenge.token, answer.as_str())).map_err(Failure::new)?;
            }
            (ChallengeType::Dns01, Some(dns)) => {
                let answer = Answer {
                    name: name.trim_start_matches("*.").to_owned(),
                    token: challenge.token.clone(),
                    authorization: answer.as_str().to_owned(),
                    value: answer.dns_value(),
                };
                placed.push(dns.put(answer).await.map_err(|why| Failure { names: vec![name], ..Failure::new(why) })?);
            }
            _ => shown.show(mirror::Answer::tls(&name, answer.digest().as_ref())).map_err(Failure::new)?,
        }
        delay = delay.max(pause);
        kinds.push(Some(kind));
    }
    if shown.tell().await.map_err(Failure::new)? {
        delay = delay.max(SPREAD);
    }
    tokio::time::sleep(delay).await;
    if let Some(dns) = means.dns.filter(|_| !placed.is_empty()) {
        dns.wait(placed).await.map_err(Failure::new)?;
    }
    let mut kinds = kinds.into_iter();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(|error| Failure::of(&error))?;
        if let Some(mut challenge) = kinds.next().flatten().and_then(|kind| authorization.challenge(kind)) {
            challenge.set_ready().await.map_err(|error| Failure::of(&error))?;
        }
    }
    match order.poll_ready(&RetryPolicy::new().timeout(VALIDATION)).await {
        Ok(OrderStatus::Ready | OrderStatus::Valid) => Ok(()),
        Ok(_) => Err(found_wrong(order, Failure::new("the authority refuses the order")).await),
        Err(error) => Err(found_wrong(order, refused(&error)).await),
    }
}

/// The kind of challenge, of those that the authority offers and the resolver can answer, and how long to wait before
/// the authority is told to look. Traefik's order: TLS, HTTP, DNS.
fn choose(
    settings: &Acme,
    authorization: &instant_acme::AuthorizationState,
) -> Result<(ChallengeType, Duration), Failure> {
    let pause = |delay: trafficcop_config::Duration| delay.positive().unwrap_or_default();
    let tls = settings.tls_challenge.as_ref().map(|tls| (ChallengeType::TlsAlpn01, pause(tls.delay)));
    let http = settings.http_challenge.as_ref().map(|http| (ChallengeType::Http01, pause(http.delay)));
    let dns = settings.dns_challenge.as_ref().map(|_| (ChallengeType::Dns01, Duration::ZERO));
    let able: Vec<_> = tls.into_iter().chain(http).chain(dns).collect();
    let offered = |kind: &ChallengeType| authorization.challenges.iter().any(|challenge| challenge.r#type == *kind);
    let name = authorization.identifier().to_string();
    able.into_iter().find(|(kind, _)| offered(kind)).ok_or_else(|| {
        let offers: Vec<_> = authorization.challenges.iter().map(|one| format!("{:?}", one.r#type)).collect();
        let text =
            format!("{name} can be proved by {}, but the resolver has none of these challenges", offers.join(" or "));
        Failure { names: vec![name], ..Failure::new(text) }
    })
}

/// An error, with the names that it is about.
fn refused(error: &instant_acme::Error) -> Failure {
    let mut failure = Failure::of(error);
    if let instant_acme::Error::Api(problem) = error {
        let named = problem.subproblems.iter().filter_map(|one| one.identifier.as_ref());
        failure.names = named.map(|identifier| identifier.clone().authorized(false).to_string()).collect();
    }
    failure
}

/// What the authority found wrong, name by name; `otherwise` when it does not say.
async fn found_wrong(order: &mut Order, otherwise: Failure) -> Failure {
    let (mut found, mut names) = (Vec::new(), Vec::new());
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        let name = state.identifier().to_string();
        let before = found.len();
        found.extend(state.challenges.iter().filter_map(|one| one.error.as_ref()).map(|why| format!("{name}: {why}")));
        if found.len() > before {
            names.push(name);
        }
    }
    if found.is_empty() { otherwise } else { Failure { names, ..Failure::new(found.join("; ")) } }
}
