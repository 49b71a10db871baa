//! # basicAuth
//!
//! Asks for a user name and password.
//!
//! ```yaml
//! middlewares:
//!   auth:
//!     basicAuth:
//!       users: ["test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"]
//!       realm: staff
//! ```
//!
//! Users are written as `htpasswd` does: `name:hash` with bcrypt, MD5 (`$apr1$`, `$1$`) or `{SHA}`; a `usersFile` holds
//! one a line, with `#` comments, and is read again within a second of a change (what is no good leaves the last in force). Without any user the middleware is not built and its routers are closed. The refusal is
//! 401 `401 Unauthorized`. An unknown user takes as long as a known one.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Around, Exchange, Headers, LocalBoxFuture, Next, Reason, Request, Response, StatusCode};

use crate::users::Users;
use crate::verified::Verified;
use crate::{BuildError, ChainBuilder, Middleware, password};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BasicAuth {
    /// `name:hash`; these override the entries of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<String>,
    /// A file with one user a line.
    #[serde(skip_serializing_if = "String::is_empty")]
    users_file: String,
    /// What the browser shows; `traefik` if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    realm: String,
    /// Do not send the Authorization header on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    remove_header: bool,
    /// The header in which the back end finds the user's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    header_field: String,
}

impl Middleware for BasicAuth {
    const NAME: &'static str = "basicAuth";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let users = Users::load(&self.users, &self.users_file, |line| match line.split_once(':') {
            Some((name, hash)) if !hash.contains(':') => Ok((name.to_owned(), hash.to_owned())),
            _ => Err(format!("error parsing BasicUser: {}", line.split(':').next().unwrap_or(""))),
        })?;
        let realm = if self.realm.is_empty() { "traefik" } else { &self.realm };
        chain.around(Gate {
            users,
            challenge: Bytes::from(format!("Basic realm=\"{realm}\"")),
            remove_header: self.remove_header,
            header_field: self.header_field,
            known: Verified::default(),
        });
        Ok(())
    }
}

struct Gate {
    users: Users,
    challenge: Bytes,
    remove_header: bool,
    header_field: String,
    known: Verified,
}

impl Gate {
    /// Whether the credentials are those of a user.
    async fn opens(&self, credentials: &str) -> bool {
        let Some((name, secret)) = credentials.split_once(':') else { return false };
        let users = self.users.now().await;
        let known = users.get(name);
        let hash = known.unwrap_or(&users.stand_in);
        let right = if password::is_slow(hash) {
            self.verify_slowly(hash, credentials, secret, known.is_some()).await
        } else {
            password::verify(hash, secret.as_bytes())
        };
        right && known.is_some()
    }

    async fn verify_slowly(&self, hash: &str, credentials: &str, secret: &str, is_known: bool) -> bool {
        // With its hash, so that a password that was changed is forgotten.
        let credentials = &format!("{hash} {credentials}");
        if self.known.holds(credentials) {
            return true;
        }
        let (hash, secret): (Arc<str>, Arc<[u8]>) = (hash.into(), secret.as_bytes().into());
        let right = password::apart(move || password::verify(&hash, &secret)).await.unwrap_or(false);
        if right && is_known {
            self.known.remember(credentials);
        }
        right
    }
}

impl Around for Gate {
    fn call<'a>(&'a self, mut req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let credentials = credentials(&req.headers).unwrap_or_default();
            // Logs tell who tried as well, and an empty name if nobody did.
            let user = credentials.split(':').next().unwrap_or_default().to_owned();
            cx.user = Some(user.as_str().into());
            if !self.opens(&credentials).await {
                cx.reason = Some(Reason::AuthDenied);
                return unauthorized(&self.challenge);
            }
            if !self.header_field.is_empty() {
                req.headers.insert(self.header_field.clone(), user);
            }
            if self.remove_header {
                req.headers.remove("Authorization");
            }
            next.run(req, cx).await
        })
    }
}

/// `name:password`, as the client sent it.
fn credentials(headers: &Headers) -> Option<String> {
    let (scheme, encoded) = headers.get_str("Authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}

/// The refusal; shared with digestAuth.
pub(crate) fn unauthorized(challenge: &Bytes) -> Response {
    let mut response = Response::new(StatusCode::UNAUTHORIZED);
    response.headers.append("Content-Type", "text/plain");
    response.headers.append("WWW-Authenticate", challenge.clone());
    response.body = Bytes::from_static(b"401 Unauthorized\n").into();
    response
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::Method;

    use super::*;
    use crate::testing::{self, Origin};

    #[track_caller]
    fn check(credentials: Option<&str>, expected: u16) {
        let origin = Origin::ok();
        let hash = bcrypt::hash("slow", 4).expect("a hash");
        let settings = format!(
            "{{users: ['test:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/', 'b:{hash}'], headerField: X-User, removeHeader: true}}"
        );
        let chain = testing::chain("basicAuth", &settings, origin.clone()).expect("good settings");
        for _ in 0..2 {
            let mut request = testing::request(Method::GET, "/");
            request.headers.append("X-User", "forged");
            if let Some(credentials) = credentials {
                request.headers.append("Authorization", format!("basic {}", STANDARD.encode(credentials)));
            }
            let response = testing::run(&chain, request, &mut testing::exchange());
            assert_eq!(response.status.as_u16(), expected, "{credentials:?}");
        }
        for seen in origin.seen() {
            assert_eq!(seen.header("X-User"), credentials.and_then(|text| text.split(':').next()));
            assert_eq!(seen.header("Authorization"), None);
        }
    }

    #[test]
    fn only_the_right_password_opens() {
        check(Some("test:test"), 200);
        check(Some("b:slow"), 200);
        check(Some("test:wrong"), 401);
        check(Some("b:wrong"), 401);
        check(Some("nobody:test"), 401);
        check(Some("nobody:slow"), 401);
        check(None, 401);
    }

    #[test]
    fn a_gate_without_users_is_not_built() {
        for settings in ["{}", "{users: [nocolon]}", "{users: ['a:b:c']}", "{usersFile: /nowhere}"] {
            assert!(testing::chain("basicAuth", settings, Origin::ok()).is_err(), "{settings}");
        }
    }
}
