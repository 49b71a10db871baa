//! A token: taken apart, and its times and addressees checked. Nothing in it is believed before the signature holds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::claims::Claims;
use super::keys::{Algorithm, KeySet};

/// The longest token that is looked at.
const MAX_TOKEN: usize = 16 * 1024;

pub(super) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key: Option<String>,
    /// What was signed: header and payload as they came.
    message: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood; none is.
    crit: Option<Value>,
}

/// Who must have issued the token, whom it must be for, and how far clocks may be apart.
pub(super) struct Demands {
    pub(super) issuers: Vec<String>,
    pub(super) audiences: Vec<String>,
    /// In seconds.
    pub(super) skew: f64,
}

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        if text.len() > MAX_TOKEN {
            return Err("the token is too long");
        }
        let (message, signature) = text.rsplit_once('.').ok_or("not a token")?;
        let (header, payload) = message.split_once('.').ok_or("not a token")?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "not a token");
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| "not a token")?;
        if header.crit.is_some() {
            return Err("the token demands an extension");
        }
        let algorithm = Algorithm::parse(&header.alg).ok_or("an algorithm that is not accepted")?;
        Ok(Self { algorithm, key: header.kid, message, payload, signature: decode(signature)? })
    }

    /// Would these keys serve for this token at all?
    pub(super) fn is_for(&self, keys: &KeySet) -> bool {
        keys.serves(self.algorithm, self.key.as_deref())
    }

    /// The claims, when the signature holds and `now` (seconds since 1970) is within the token's times.
    pub(super) fn claims(&self, keys: &KeySet, demands: &Demands, now: f64) -> Result<Claims, &'static str> {
        if !keys.verify(self.algorithm, self.key.as_deref(), self.message.as_bytes(), &self.signature) {
            return Err("the signature does not hold");
        }
        let payload = URL_SAFE_NO_PAD.decode(self.payload).map_err(|_| "not a token")?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| "the payload is not a list of claims")?;
        let time = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or("a time that is not a number"),
        };
        if time("exp")?.is_some_and(|end| now >= end + demands.skew) {
            return Err("expired");
        }
        if time("nbf")?.is_some_and(|start| now < start - demands.skew) {
            return Err("not valid yet");
        }
        let issuer = claims.get("iss").and_then(Value::as_str);
        if !demands.issuers.is_empty() && !issuer.is_some_and(|iss| demands.issuers.iter().any(|one| one == iss)) {
            return Err("another issuer");
        }
        let meant = |name: &Value| name.as_str().is_some_and(|name| demands.audiences.iter().any(|one| one == name));
        let is_for_us = match claims.get("aud") {
            Some(Value::Array(names)) => names.iter().any(meant),
            Some(name) => meant(name),
            None => false,
        };
        if !demands.audiences.is_empty() && !is_for_us {
            return Err("another audience");
        }
        Ok(claims)
    }
}
