//! The account at an authority: the one that was kept, or a new one.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use instant_acme::{Account, ExternalAccountKey, NewAccount};
use trafficcop_config::settings::certificates::Acme;

use crate::client::Client;
use crate::contents::Own;
use crate::failure::Failure;

/// The account that was kept, if it is this authority's and of the same address.
pub(crate) async fn kept(settings: &Acme, client: &Client, own: &Own) -> Option<Result<Account, Failure>> {
    if own.directory != settings.ca_server || own.email != settings.email {
        return None;
    }
    let credentials = serde_json::from_value(own.credentials.clone()).ok()?;
    let opened = Account::builder_with_http(Box::new(client.clone())).from_credentials(credentials).await;
    Some(opened.map_err(|error| Failure::of(&error)))
}

/// A new account, and what is to be kept of it.
pub(crate) async fn register(settings: &Acme, client: &Client) -> Result<(Account, Own), Failure> {
    let contact = format!("mailto:{}", settings.email);
    let contacts = [contact.as_str()];
    let contact: &[&str] = if settings.email.is_empty() { &[] } else { &contacts };
    let new = NewAccount { contact, terms_of_service_agreed: true, only_return_existing: false };
    let binding = binding(settings)?;
    let created = Account::builder_with_http(Box::new(client.clone()))
        .create(&new, settings.ca_server.clone(), binding.as_ref())
        .await;
    let (account, credentials) = created.map_err(|error| Failure::of(&error))?;
    let credentials = serde_json::to_value(&credentials).map_err(|error| Failure::of(&error))?;
    let own = Own { email: settings.email.clone(), directory: settings.ca_server.clone(), credentials };
    Ok((account, own))
}

fn binding(settings: &Acme) -> Result<Option<ExternalAccountKey>, Failure> {
    let Some(eab) = settings.eab.as_ref().filter(|eab| !eab.kid.is_empty() || !eab.hmac_encoded.is_empty()) else {
        return Ok(None);
    };
    if eab.kid.is_empty() || eab.hmac_encoded.is_empty() {
        return Err(Failure::new("eab needs both kid and hmacEncoded"));
    }
    let text = eab.hmac_encoded.reveal().trim();
    let key = URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text));
    let key = key.map_err(|error| Failure::new(format!("eab.hmacEncoded is not base64url: {error}")))?;
    Ok(Some(ExternalAccountKey::new(eab.kid.clone(), &key)))
}
