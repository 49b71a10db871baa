//! # apiKey
//!
//! Lets requests pass that show a key; an extension under the option names of Traefik's commercial apiKey, which is also
//! understood as its users wrote it, below `plugin:`.
//!
//! ```yaml
//! middlewares:
//!   keys:
//!     apiKey:
//!       keySource: {header: Authorization, headerAuthScheme: Bearer}
//!       secretNonBase64Encoded: true
//!       secretValues: ["$2y$05$D4SPFxzfWKcx1OXfVhRbvOTH/QB0Lm6AXTk8.NOmU4rPLX2t6UUuW"]
//! ```
//!
//! The key is looked for in the header, then in the query parameter, then in the cookie of `keySource`; the first that is
//! there counts. Unless `secretNonBase64Encoded` is set, clients send it in base64. `secretValues` are hashes as
//! `htpasswd` makes them (bcrypt, MD5, `{SHA}`), or `{SHA256}` and the base64 of the key's digest: the best choice for
//! long random keys, as it costs nothing per request. A name before the hash (`billing:{SHA256}…`) becomes the user in
//! the access log. Without any hash the middleware is not built and its routers are closed. The refusal is 401
//! `401 Unauthorized`. The key is sent on to the server.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use trafficcop_config::Secret;
use trafficcop_exchange::{Around, Exchange, LocalBoxFuture, Next, Reason, Request, Response};

use crate::verified::Verified;
use crate::{BuildError, ChainBuilder, Middleware, basic_auth, password};

/// The longest key that is looked at.
const MAX_KEY: usize = 1024;

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ApiKey {
    /// Where the key is found.
    key_source: KeySource,
    /// Clients send the key as it is, not in base64.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    secret_non_base64_encoded: bool,
    /// Hashes of the keys that open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secret_values: Vec<Secret>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct KeySource {
    #[serde(skip_serializing_if = "String::is_empty")]
    header: String,
    /// What stands before the key in the header, such as `Bearer`.
    #[serde(skip_serializing_if = "String::is_empty")]
    header_auth_scheme: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    query: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    cookie: String,
}

impl Middleware for ApiKey {
    const NAME: &'static str = "apiKey";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let source = &self.key_source;
        if source.header.is_empty() && source.query.is_empty() && source.cookie.is_empty() {
            return Err(BuildError::invalid("keySource: one of header, query and cookie must be set"));
        }
        if source.header.is_empty() && !source.header_auth_scheme.is_empty() {
            return Err(BuildError::invalid("keySource: headerAuthScheme needs a header"));
        }
        let entries: Vec<_> = self.secret_values.iter().map(|value| entry(value.reveal())).collect::<Result<_, _>>()?;
        if entries.is_empty() {
            return Err(BuildError::invalid("secretValues is empty: no key could ever open"));
        }
        let (slow, quick) = entries.into_iter().partition(|entry: &Entry| password::is_slow(&entry.hash));
        chain.around(Gate {
            source: self.key_source,
            is_plain: self.secret_non_base64_encoded,
            quick,
            slow: Arc::new(slow),
            known: Verified::default(),
        });
        Ok(())
    }
}

/// A hash and, perhaps, whose it is.
struct Entry {
    name: Option<Box<str>>,
    hash: Box<str>,
}

fn entry(text: &str) -> Result<Entry, BuildError> {
    let (name, hash) = match text.trim().split_once(':') {
        Some((name, hash)) => (Some(name).filter(|name| !name.is_empty()), hash),
        None => (None, text.trim()),
    };
    let digest = hash.strip_prefix("{SHA256}").map(|encoded| STANDARD.decode(encoded));
    let is_known = match digest {
        Some(digest) => digest.is_ok_and(|digest| digest.len() == 32),
        None => password::is_slow(hash) || ["$apr1$", "$1$", "{SHA}"].iter().any(|form| hash.starts_with(form)),
    };
    if !is_known {
        // The value is not shown: it may be a key in clear.
        return Err(BuildError::invalid(
            "secretValues: each must be a hash as of htpasswd ($2y$…, $apr1$…, {SHA}…) or {SHA256} and a digest in base64",
        ));
    }
    Ok(Entry { name: name.map(Into::into), hash: hash.into() })
}

impl Entry {
    fn opens(&self, key: &[u8]) -> bool {
        match self.hash.strip_prefix("{SHA256}") {
            Some(encoded) => STANDARD.encode(Sha256::digest(key)).as_bytes().ct_eq(encoded.as_bytes()).into(),
            None => password::verify(&self.hash, key),
        }
    }
}

struct Gate {
    source: KeySource,
    is_plain: bool,
    quick: Vec<Entry>,
    slow: Arc<Vec<Entry>>,
    /// By the position of the hash and the key.
    known: Verified,
}

impl Gate {
    fn key(&self, req: &Request) -> Option<String> {
        let found = self.in_header(req).or_else(|| self.in_query(req)).or_else(|| self.in_cookie(req))?;
        if found.is_empty() || found.len() > MAX_KEY {
            return None;
        }
        if self.is_plain {
            return Some(found);
        }
        let bytes = STANDARD_NO_PAD.decode(found.trim_end_matches('=')).ok()?;
        String::from_utf8(bytes).ok().filter(|key| !key.is_empty())
    }

    fn in_header(&self, req: &Request) -> Option<String> {
        let value = req.headers.get_str(&self.source.header).filter(|_| !self.source.header.is_empty())?;
        if self.source.header_auth_scheme.is_empty() {
            return Some(value.trim().to_owned());
        }
        let (scheme, key) = value.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case(&self.source.header_auth_scheme).then(|| key.trim().to_owned())
    }

    fn in_query(&self, req: &Request) -> Option<String> {
        let query = req.target.query().filter(|_| !self.source.query.is_empty())?;
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| *name == self.source.query).map(|(_, value)| value.into_owned())
    }

    fn in_cookie(&self, req: &Request) -> Option<String> {
        if self.source.cookie.is_empty() {
            return None;
        }
        let lines = req.headers.get_all("Cookie").filter_map(|line| std::str::from_utf8(line).ok());
        let mut cookies = lines.flat_map(cookie::Cookie::split_parse).filter_map(Result::ok);
        cookies.find(|cookie| cookie.name() == self.source.cookie).map(|cookie| cookie.value().to_owned())
    }

    /// The name of the hash that the key opens, if it opens one. Every hash is tried, so that time tells nothing.
    async fn opened(&self, key: String) -> Option<Option<Box<str>>> {
        let mut found = None;
        for entry in &self.quick {
            if entry.opens(key.as_bytes()) {
                found = Some(entry.name.clone());
            }
        }
        if found.is_some() || self.slow.is_empty() {
            return found;
        }
        let mark = |at: usize| format!("{at}:{key}");
        if let Some(at) = (0..self.slow.len()).find(|at| self.known.holds(&mark(*at))) {
            return Some(self.slow[at].name.clone());
        }
        let (slow, copy) = (Arc::clone(&self.slow), key.clone());
        let opened = move || slow.iter().position(|entry| entry.opens(copy.as_bytes()));
        let at = password::apart(opened).await.flatten()?;
        self.known.remember(&mark(at));
        Some(self.slow[at].name.clone())
    }
}

impl Around for Gate {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let opened = match self.key(&req) {
                Some(key) => self.opened(key).await,
                None => None,
            };
            let Some(name) = opened else {
                cx.reason = Some(Reason::AuthDenied);
                let scheme = &self.source.header_auth_scheme;
                let challenge = if scheme.is_empty() { "ApiKey" } else { scheme };
                return basic_auth::unauthorized(&Bytes::copy_from_slice(challenge.as_bytes()));
            };
            if name.is_some() {
                cx.user = name;
            }
            next.run(req, cx).await
        })
    }
}

#[cfg(test)]
mod tests;
