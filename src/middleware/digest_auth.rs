//! # digestAuth
//!
//! Asks for a user name and password without sending the password (RFC 7616, MD5, `qop=auth`).
//!
//! ```yaml
//! middlewares:
//!   auth: {digestAuth: {users: ["test:traefik:a2688e031edb4be6a3797f3882655c05"]}}
//! ```
//!
//! Users are written as `htdigest` does: `name:realm:hash`; a `usersFile` holds one a line. The realm of the challenge is
//! `realm`, or `traefik`. A nonce is good for each counter once. The refusal is 401 `401 Unauthorized`.

mod credentials;
mod nonces;

use std::fmt::Write as _;

use bytes::Bytes;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use trafficcop_exchange::{Around, Exchange, LocalBoxFuture, Next, Reason, Request, Response};

use self::credentials::Credentials;
use self::nonces::Nonces;
use crate::users::{List, Users};
use crate::{BuildError, ChainBuilder, Middleware, basic_auth};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DigestAuth {
    /// `name:realm:hash`; these override the entries of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<String>,
    /// A file with one user a line.
    #[serde(skip_serializing_if = "String::is_empty")]
    users_file: String,
    /// Do not send the Authorization header on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    remove_header: bool,
    /// `traefik` if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    realm: String,
    /// The header in which the back end finds the user's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    header_field: String,
}

impl Middleware for DigestAuth {
    const NAME: &'static str = "digestAuth";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let users = Users::load(&self.users, &self.users_file, |line| match *line.split(':').collect::<Vec<_>>() {
            [name, realm, hash] => Ok((format!("{name}:{realm}"), hash.to_ascii_lowercase())),
            _ => Err(format!("error parsing DigestUser: {}", line.split(':').next().unwrap_or(""))),
        })?;
        chain.around(Gate {
            users,
            realm: if self.realm.is_empty() { "traefik".into() } else { self.realm },
            opaque: nonces::random(),
            nonces: Nonces::default(),
            remove_header: self.remove_header,
            header_field: self.header_field,
        });
        Ok(())
    }
}

struct Gate {
    /// By `name:realm`.
    users: Users,
    realm: String,
    opaque: String,
    nonces: Nonces,
    remove_header: bool,
    header_field: String,
}

impl Gate {
    /// Whether that is the right answer to our challenge.
    fn opens(&self, users: &List, req: &Request, given: &Credentials) -> Option<()> {
        let mine =
            given.realm == self.realm && given.opaque == self.opaque && given.algorithm_is_md5 && given.qop == "auth";
        let about_this = given.uri == req.target.to_uri();
        if !mine || !about_this {
            return None;
        }
        // An unknown user is computed like a known one.
        let known = users.get(&format!("{}:{}", given.user, self.realm));
        let secret = known.unwrap_or("00000000000000000000000000000000");
        let request = hex(format!("{}:{}", req.method, given.uri).as_bytes());
        let expected =
            hex(format!("{secret}:{}:{}:{}:{}:{request}", given.nonce, given.count, given.client_nonce, given.qop)
                .as_bytes());
        let right: bool = expected.as_bytes().ct_eq(given.response.as_bytes()).into();
        let count = u64::from_str_radix(&given.count, 16).ok()?;
        (right && known.is_some() && self.nonces.accept(&given.nonce, count)).then_some(())
    }

    fn challenge(&self) -> Bytes {
        Bytes::from(format!(
            "Digest realm=\"{}\", nonce=\"{}\", opaque=\"{}\", algorithm=\"MD5\", qop=\"auth\"",
            self.realm,
            self.nonces.issue(),
            self.opaque
        ))
    }
}

fn hex(text: &[u8]) -> String {
    Md5::digest(text).iter().fold(String::with_capacity(32), |mut hex, byte| {
        let _text_always_fits = write!(hex, "{byte:02x}");
        hex
    })
}

impl Around for Gate {
    fn call<'a>(&'a self, mut req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let given = req.headers.get_str("Authorization").and_then(Credentials::parse);
            // Logs tell who tried as well.
            cx.user = given.as_ref().map(|given| given.user.as_str().into());
            let users = self.users.now().await;
            let right = given.filter(|given| self.opens(&users, &req, given).is_some());
            let Some(Credentials { user, .. }) = right else {
                cx.reason = Some(Reason::AuthDenied);
                return basic_auth::unauthorized(&self.challenge());
            };
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

#[cfg(test)]
mod tests {
    use trafficcop_exchange::{Chain, Method};

    use super::*;
    use crate::testing::{self, Origin};

    fn ask(chain: &Chain, uri: &str, authorization: Option<String>) -> (u16, String) {
        let mut request = testing::request(Method::GET, uri);
        if let Some(value) = authorization {
            request.headers.append("Authorization", value);
        }
        let response = testing::run(chain, request, &mut testing::exchange());
        (response.status.as_u16(), response.headers.get_str("WWW-Authenticate").unwrap_or("").to_owned())
    }

    /// The answer of a client to a challenge.
    fn answer(challenge: &str, uri: &str, password: &str, count: &str) -> String {
        let given = Credentials::parse(challenge).expect("a challenge");
        let secret = hex(format!("test:traefik:{password}").as_bytes());
        let response =
            hex(format!("{secret}:{}:{count}:abc:auth:{}", given.nonce, hex(format!("GET:{uri}").as_bytes()))
                .as_bytes());
        format!(
            "Digest username=\"test\", realm=\"traefik\", nonce=\"{}\", uri=\"{uri}\", qop=auth, nc={count}, \
             cnonce=\"abc\", response=\"{response}\", opaque=\"{}\", algorithm=MD5",
            given.nonce, given.opaque
        )
    }

    #[test]
    fn only_a_right_answer_to_our_challenge_opens_and_only_once() {
        let settings = "{users: ['test:traefik:a2688e031edb4be6a3797f3882655c05']}";
        let chain = testing::chain("digestAuth", settings, Origin::ok()).expect("good settings");
        let (status, challenge) = ask(&chain, "/page?q=1", None);
        assert_eq!(status, 401);
        let right = answer(&challenge, "/page?q=1", "test", "00000001");
        assert_eq!(ask(&chain, "/page?q=1", Some(right.clone())).0, 200);
        assert_eq!(ask(&chain, "/page?q=1", Some(right.clone())).0, 401, "a replay");
        assert_eq!(ask(&chain, "/other", Some(right)).0, 401, "another page");
        let next = answer(&challenge, "/page?q=1", "test", "00000002");
        assert_eq!(ask(&chain, "/page?q=1", Some(next)).0, 200);
        let wrong = answer(&challenge, "/page?q=1", "wrong", "00000003");
        assert_eq!(ask(&chain, "/page?q=1", Some(wrong)).0, 401);
        assert_eq!(ask(&chain, "/", Some("Digest garbage".into())).0, 401);
    }

    #[test]
    fn bad_users_are_an_error() {
        for settings in ["{}", "{users: ['a:b']}"] {
            assert!(testing::chain("digestAuth", settings, Origin::ok()).is_err(), "{settings}");
        }
    }
}
