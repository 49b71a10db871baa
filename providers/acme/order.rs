//! One order, from names to a chain of certificates.

use std::time::Duration;

use instant_acme::{Account, AuthorizationStatus, ChallengeType, Identifier, NewOrder, OrderStatus, RetryPolicy};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use trafficcop_config::settings::certificates::Acme;
use trafficcop_tls::Challenges;

use crate::account::told;
use crate::answers::Answers;
use crate::keys;

/// How long the authority may take to look at the answers.
const VALIDATION: Duration = Duration::from_secs(120);

/// Where answers to challenges are put.
#[derive(Clone, Default)]
pub struct Stage {
    pub answers: Answers,
    pub challenges: Challenges,
}

/// Takes the answers away when the order ends, however it ends.
struct Shown<'a> {
    stage: &'a Stage,
    tokens: Vec<String>,
    names: Vec<String>,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        for token in &self.tokens {
            self.stage.answers.remove(token);
        }
        for name in &self.names {
            self.stage.challenges.remove(name);
        }
    }
}

/// Chain and key in PEM.
pub(crate) async fn order(
    account: &Account,
    settings: &Acme,
    names: &[String],
    stage: &Stage,
) -> Result<(String, String), String> {
    let identifiers: Vec<_> = names.iter().cloned().map(Identifier::Dns).collect();
    let mut new = NewOrder::new(&identifiers);
    if !settings.profile.is_empty() {
        new = new.profile(&settings.profile);
    }
    let mut order = account.new_order(&new).await.map_err(|error| told(&error))?;
    let mut shown = Shown { stage, tokens: Vec::new(), names: Vec::new() };
    let (kind, delay) = match (&settings.tls_challenge, &settings.http_challenge) {
        (Some(tls), _) => (ChallengeType::TlsAlpn01, tls.delay),
        (None, Some(http)) => (ChallengeType::Http01, http.delay),
        (None, None) => return Err("the resolver has neither tlsChallenge nor httpChallenge".to_owned()),
    };
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(|error| told(&error))?;
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            other => return Err(format!("an authorization is {other:?} already")),
        }
        let mut challenge = authorization
            .challenge(kind.clone())
            .ok_or_else(|| format!("the authority does not offer the challenge {kind:?}"))?;
        let name = challenge.identifier().to_string().to_ascii_lowercase();
        let authorization = challenge.key_authorization();
        if kind == ChallengeType::Http01 {
            stage.answers.put(&challenge.token, &name, authorization.as_str());
            shown.tokens.push(challenge.token.clone());
        } else {
            let mut params = CertificateParams::new([name.clone()]).map_err(|error| error.to_string())?;
            params.custom_extensions = vec![CustomExtension::new_acme_identifier(authorization.digest().as_ref())];
            let key = KeyPair::generate().map_err(|error| error.to_string())?;
            let made = params.self_signed(&key).map_err(|error| error.to_string())?;
            let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
            stage.challenges.put(&name, made.der().clone(), key).map_err(|error| error.to_string())?;
            shown.names.push(name);
        }
        if let Some(delay) = delay.positive() {
            tokio::time::sleep(delay).await;
        }
        challenge.set_ready().await.map_err(|error| told(&error))?;
    }
    let status = order.poll_ready(&RetryPolicy::new().timeout(VALIDATION)).await.map_err(|error| told(&error))?;
    if !matches!(status, OrderStatus::Ready | OrderStatus::Valid) {
        return Err(failure(&mut order).await);
    }
    drop(shown);

    let key_type = settings.key_type.clone();
    let key =
        tokio::task::spawn_blocking(move || keys::generate(&key_type)).await.map_err(|error| error.to_string())??;
    let request = keys::request(names, &key, !settings.disable_common_name)?;
    order.finalize_csr(&request).await.map_err(|error| told(&error))?;
    let patience = settings.certificate_timeout.positive().unwrap_or(VALIDATION);
    let chain = order.poll_certificate(&RetryPolicy::new().timeout(patience)).await.map_err(|error| told(&error))?;
    Ok((chain, key.serialize_pem()))
}

/// What the authority found wrong, name by name.
async fn failure(order: &mut instant_acme::Order) -> String {
    let mut found = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else { continue };
        let name = state.identifier().to_string();
        found.extend(state.challenges.iter().filter_map(|one| one.error.as_ref()).map(|why| format!("{name}: {why}")));
    }
    if found.is_empty() { "the authority refuses the order".to_owned() } else { found.join("; ") }
}
