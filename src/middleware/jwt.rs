//! # jwt
//!
//! Lets requests pass that carry a JSON Web Token; an extension under the option names of Traefik's commercial jwt, which
//! is also understood as its users wrote it, below `plugin:`.
//!
//! ```yaml
//! middlewares:
//!   api:
//!     jwt:
//!       jwksUrl: https://login.example.com/.well-known/jwks.json
//!       issuer: [https://login.example.com/]
//!       audience: [api]
//!       claims: "Equals(`tenant`, `acme`) && !Contains(`groups`, `guests`)"
//!       forwardHeaders: {X-User: sub}
//!       access: [{path: /admin, roles: [admin]}, {path: /write, scopes: [write]}]
//! ```
//!
//! Exactly one of `signingSecret`, `publicKey` (PEM or a file), `jwksFile` (JSON or a file) and `jwksUrl` says what
//! verifies. HS, RS (from 2048 bits) with 256, 384 and 512, ES256, ES384 and EdDSA are understood; a key verifies
//! signatures of its own kind only, and `none` never passes. `exp` and `nbf` are heeded, with `clockSkew` to spare.
//!
//! The token is the Bearer of `Authorization`, else the query parameter or cookie `tokenKey`. `Authorization` goes on to
//! the server with `forwardAuthorization` only. `forwardHeaders` are set from claims, lists joined by commas; what a client
//! sent under these names is removed. Each entry of `access` whose path the request is below (or at) demands one of its
//! roles (claim `rolesClaim`) and all of its scopes (claim `scope` or `scp`).
//!
//! No token, or one that does not hold: 401 with `WWW-Authenticate: Bearer`. Claims, roles or scopes that do not suffice:
//! 403. No keys to be had: 503. Keys of a URL are kept for `jwksRefresh` and used on while it fails.

mod access;
mod claims;
mod keys;
mod remote;
mod settings;
mod token;

use std::time::SystemTime;

use bytes::Bytes;
use serde_json::Value;
use trafficcop_exchange::{Around, Exchange, LocalBoxFuture, Next, Reason, Request, Response, StatusCode, reply};

use self::access::Access;
use self::claims::Claims;
use self::keys::KeySet;
use self::remote::Remote;
pub(crate) use self::settings::Jwt;
use self::token::{Demands, Token};
use crate::expression::Logic;

/// Where keys come from.
enum Source {
    Fixed(KeySet),
    Remote(Box<Remote>),
}

struct Gate {
    source: Source,
    demands: Demands,
    claims: Option<Logic<claims::Test>>,
    access: Vec<Access>,
    roles_claim: String,
    token_key: String,
    user_claim: String,
    forward_authorization: bool,
    /// Header, claim.
    forward_headers: Vec<(String, String)>,
}

/// Why a request does not pass.
enum Refusal {
    /// No token, or one that does not hold.
    Token(&'static str),
    Claims(&'static str),
    NoKeys,
}

impl Gate {
    async fn claims_of(&self, req: &Request, cx: &Exchange) -> Result<Claims, Refusal> {
        let text = self.token(req).ok_or(Refusal::Token(""))?;
        let token = Token::parse(&text).map_err(Refusal::Token)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64());
        let fetched;
        let keys = match &self.source {
            Source::Fixed(keys) => keys,
            Source::Remote(remote) => {
                fetched = remote.keys(cx, |keys| token.is_for(keys)).await.ok_or(Refusal::NoKeys)?;
                &*fetched
            }
        };
        let claims = token.claims(keys, &self.demands, now).map_err(Refusal::Token)?;
        if self.claims.as_ref().is_some_and(|expression| !claims::hold(expression, &claims)) {
            return Err(Refusal::Claims("the claims do not suffice"));
        }
        if !access::permits(&self.access, req.target.path(), &claims, &self.roles_claim) {
            return Err(Refusal::Claims("roles or scopes do not suffice"));
        }
        Ok(claims)
    }

    fn token(&self, req: &Request) -> Option<String> {
        if let Some(value) = req.headers.get_str("Authorization") {
            let (scheme, token) = value.trim().split_once(' ')?;
            return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned());
        }
        if self.token_key.is_empty() {
            return None;
        }
        let query = req.target.query().unwrap_or("");
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        if let Some((_, value)) = pairs.find(|(name, _)| *name == self.token_key) {
            return Some(value.into_owned());
        }
        let lines = req.headers.get_all("Cookie").filter_map(|line| std::str::from_utf8(line).ok());
        let mut cookies = lines.flat_map(cookie::Cookie::split_parse).filter_map(Result::ok);
        cookies.find(|cookie| cookie.name() == self.token_key).map(|cookie| cookie.value().to_owned())
    }

    fn hand_on(&self, req: &mut Request, cx: &mut Exchange, claims: &Claims) {
        if !self.forward_authorization {
            req.headers.remove("Authorization");
        }
        for (header, claim) in &self.forward_headers {
            req.headers.remove(header);
            if let Some(value) = claims::find(claims, claim).and_then(header_value) {
                req.headers.insert(header.clone(), value);
            }
        }
        if let Some(user) = claims::find(claims, &self.user_claim).and_then(claims::text) {
            cx.user = Some(user.into());
        }
    }
}

/// A claim as a header; one that would break the head is not sent.
fn header_value(value: &Value) -> Option<String> {
    let text = match value {
        Value::Array(items) => items.iter().filter_map(claims::text).collect::<Vec<_>>().join(","),
        Value::Object(_) => value.to_string(),
        other => claims::text(other)?,
    };
    (!text.chars().any(char::is_control)).then_some(text)
}

fn refuse(cx: &mut Exchange, refusal: &Refusal) -> Response {
    let (reason, status, challenge, why) = match refusal {
        Refusal::Token("") => (Reason::AuthDenied, StatusCode::UNAUTHORIZED, "Bearer", "no token"),
        Refusal::Token(why) => (Reason::AuthDenied, StatusCode::UNAUTHORIZED, "Bearer error=\"invalid_token\"", *why),
        Refusal::Claims(why) => {
            (Reason::AuthDenied, StatusCode::FORBIDDEN, "Bearer error=\"insufficient_scope\"", *why)
        }
        Refusal::NoKeys => (Reason::AuthUnreachable, StatusCode::SERVICE_UNAVAILABLE, "", "no keys to verify with"),
    };
    tracing::debug!(why, "The request does not pass jwt.");
    cx.reason = Some(reason);
    let mut response = reply::error(status, reply::text_of(status));
    if !challenge.is_empty() {
        response.headers.append("WWW-Authenticate", Bytes::from_static(challenge.as_bytes()));
    }
    response
}

impl Around for Gate {
    fn call<'a>(&'a self, mut req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            match self.claims_of(&req, cx).await {
                Ok(claims) => self.hand_on(&mut req, cx, &claims),
                Err(refusal) => return refuse(cx, &refusal),
            }
            next.run(req, cx).await
        })
    }
}

#[cfg(test)]
mod tests;
