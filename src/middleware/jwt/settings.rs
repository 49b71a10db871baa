//! The settings, and what is built of them.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration as StdDuration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use trafficcop_config::{Duration, Secret};
use url::Url;

use super::access::Access;
use super::keys::KeySet;
use super::remote::{Remote, State};
use super::token::Demands;
use super::{Gate, Source, claims};
use crate::client_tls::ClientTls;
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Jwt {
    /// The secret of HS256, HS384 and HS512.
    #[serde(skip_serializing_if = "Secret::is_empty")]
    signing_secret: Secret,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    signing_secret_base64_encoded: bool,
    /// A public key or certificate in PEM, or a file with one.
    #[serde(skip_serializing_if = "String::is_empty")]
    public_key: String,
    /// A JWKS as JSON, or a file with one.
    #[serde(skip_serializing_if = "String::is_empty")]
    jwks_file: String,
    /// Where a JWKS is fetched.
    #[serde(skip_serializing_if = "String::is_empty")]
    jwks_url: String,
    /// Age at which the JWKS is fetched again.
    jwks_refresh: Duration,
    /// TLS and time towards the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_config: Option<ClientConfig>,
    /// Issuers that are accepted; any if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    issuer: Vec<String>,
    /// Audiences of which a token must name one; any if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audience: Vec<String>,
    /// How far clocks may be apart.
    clock_skew: Duration,
    /// The expression that the claims must satisfy.
    #[serde(skip_serializing_if = "String::is_empty")]
    claims: String,
    /// Roles and scopes by path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    access: Vec<Access>,
    /// The claim that lists roles.
    roles_claim: String,
    /// The query parameter or cookie that holds the token when there is no Authorization.
    #[serde(skip_serializing_if = "String::is_empty")]
    token_key: String,
    /// The claim that is the user's name in the access log; `sub` if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    username_claim: String,
    /// Send Authorization on to the server.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    forward_authorization: bool,
    /// Headers that are set from claims: header, claim.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    forward_headers: BTreeMap<String, String>,
}

impl Default for Jwt {
    fn default() -> Self {
        Self {
            signing_secret: Secret::default(),
            signing_secret_base64_encoded: false,
            public_key: String::new(),
            jwks_file: String::new(),
            jwks_url: String::new(),
            jwks_refresh: Duration::from_secs(900),
            client_config: None,
            issuer: Vec::new(),
            audience: Vec::new(),
            clock_skew: Duration::from_secs(0),
            claims: String::new(),
            access: Vec::new(),
            roles_claim: "roles".into(),
            token_key: String::new(),
            username_claim: String::new(),
            forward_authorization: false,
            forward_headers: BTreeMap::new(),
        }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct ClientConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<ClientTls>,
    /// For a whole fetch.
    timeout_seconds: u64,
    /// Repetitions of a fetch that failed.
    max_retries: u32,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self { tls: None, timeout_seconds: 5, max_retries: 3 }
    }
}

impl Middleware for Jwt {
    const NAME: &'static str = "jwt";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let source = self.source(chain)?;
        let claims = match self.claims.as_str() {
            "" => None,
            text => Some(claims::parse(text).map_err(BuildError::Invalid)?),
        };
        if let Some(entry) = self.access.iter().find(|entry| !entry.path.starts_with('/')) {
            return Err(BuildError::invalid(format!("access: path {:?} must begin with a slash", entry.path)));
        }
        chain.around(Gate {
            source,
            demands: Demands {
                issuers: self.issuer,
                audiences: self.audience,
                skew: self.clock_skew.positive().map_or(0.0, |skew| skew.as_secs_f64()),
            },
            claims,
            access: self.access,
            roles_claim: self.roles_claim,
            token_key: self.token_key,
            user_claim: if self.username_claim.is_empty() { "sub".into() } else { self.username_claim },
            forward_authorization: self.forward_authorization,
            forward_headers: self.forward_headers.into_iter().collect(),
        });
        Ok(())
    }
}

impl Jwt {
    fn source(&self, chain: &mut ChainBuilder<'_>) -> Result<Source, BuildError> {
        let set = [
            !self.signing_secret.is_empty(),
            !self.public_key.is_empty(),
            !self.jwks_file.is_empty(),
            !self.jwks_url.is_empty(),
        ];
        if set.iter().filter(|set| **set).count() != 1 {
            return Err(BuildError::invalid(
                "exactly one of signingSecret, publicKey, jwksFile and jwksUrl must be set",
            ));
        }
        if !self.signing_secret.is_empty() {
            let text = self.signing_secret.reveal();
            let secret = if self.signing_secret_base64_encoded {
                STANDARD.decode(text.trim()).map_err(|_| BuildError::invalid("signingSecret is not base64"))?
            } else {
                text.as_bytes().to_vec()
            };
            return Ok(Source::Fixed(KeySet::secret(secret)));
        }
        if !self.public_key.is_empty() {
            let text = text_or_file(&self.public_key, "-----BEGIN", "publicKey")?;
            return KeySet::pem(&text).map(Source::Fixed).map_err(|error| named("publicKey", &error));
        }
        if !self.jwks_file.is_empty() {
            let text = text_or_file(&self.jwks_file, "{", "jwksFile")?;
            return KeySet::jwks(text.as_bytes()).map(Source::Fixed).map_err(|error| named("jwksFile", &error));
        }
        let url = Url::parse(&self.jwks_url).map_err(|error| named("jwksUrl", &error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(named("jwksUrl", "http or https expected"));
        }
        let client = self.client_config.clone().unwrap_or_default();
        let tls = client.tls.as_ref().map(ClientTls::client);
        Ok(Source::Remote(Box::new(Remote {
            service: chain.client(&self.jwks_url, tls.as_ref())?,
            url,
            deadline: StdDuration::from_secs(client.timeout_seconds.clamp(1, 60)),
            retries: client.max_retries.min(10),
            refresh: self.jwks_refresh.positive().unwrap_or(StdDuration::from_mins(15)),
            state: Mutex::new(State::default()),
            done: Notify::new(),
        })))
    }
}

fn named(option: &str, error: &str) -> BuildError {
    BuildError::invalid(format!("{option}: {error}"))
}

fn text_or_file(value: &str, mark: &str, option: &str) -> Result<String, BuildError> {
    if value.trim_start().starts_with(mark) {
        return Ok(value.to_owned());
    }
    fs::read_to_string(value).map_err(|error| named(option, &format!("cannot read {value}: {error}")))
}
