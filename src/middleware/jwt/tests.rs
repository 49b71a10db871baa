//! The vectors of RFC 7515 and RFC 8037, and what must not pass: `none`, confused keys, times, issuers, audiences.

mod rotation;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaKeyPair,
};
use aws_lc_rs::{encoding::AsDer as _, hmac, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use trafficcop_exchange::{Chain, Method};

use super::keys::Algorithm;
use super::*;
use crate::testing::{self, Origin};

/// The payload of RFC 7515's appendix A: issued by joe, good until 2011.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const JOE_ENDS: f64 = 1_300_819_380.0;

const HS_KEY: &str = r#"{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]}"#;
const RS_KEY: &str = r#"{"keys":[{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}]}"#;
const ES_KEY: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

const HS: (&str, &str) = ("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
const RS: (&str, &str) = (
    "eyJhbGciOiJSUzI1NiJ9",
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
);
const ES: (&str, &str) =
    ("eyJhbGciOiJFUzI1NiJ9", "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");

fn demands(skew: f64) -> Demands {
    Demands { issuers: vec!["joe".into()], audiences: Vec::new(), skew }
}

#[track_caller]
fn vector(jwks: &str, (header, signature): (&str, &str)) {
    let keys = KeySet::jwks(jwks.as_bytes()).expect("keys");
    let text = format!("{header}.{JOE}.{signature}");
    let token = Token::parse(&text).expect("a token");
    let claims = token.claims(&keys, &demands(0.0), JOE_ENDS - 1.0).expect("it holds");
    assert_eq!(claims["http://example.com/is_root"], true);
    assert_eq!(token.claims(&keys, &demands(0.0), JOE_ENDS).err(), Some("expired"));
    assert!(token.claims(&keys, &demands(30.0), JOE_ENDS + 29.0).is_ok(), "within the skew");
    let changed =
        format!("{header}.{}.{signature}", JOE.replace("eyJpc3MiOiJqb2Ui", "eyJpc3MiOiJqb2Ui".to_uppercase().as_str()));
    let changed = Token::parse(&changed).expect("a token");
    assert_eq!(changed.claims(&keys, &demands(0.0), JOE_ENDS - 1.0).err(), Some("the signature does not hold"));
}

#[test]
fn the_vectors_of_rfc_7515() {
    vector(HS_KEY, HS);
    vector(RS_KEY, RS);
    vector(ES_KEY, ES);
}

#[test]
fn the_vector_of_rfc_8037() {
    let jwks = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let keys = KeySet::jwks(jwks.as_bytes()).expect("keys");
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    assert!(keys.verify(Algorithm::EdDsa, None, message, &signature));
    assert!(!keys.verify(Algorithm::EdDsa, None, b"other", &signature));
}

/// Header and payload, ready to be signed.
fn unsigned(header: &str, payload: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

fn signed(message: &str, signature: &[u8]) -> String {
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A token under the secret `secret`.
fn token(payload: &str) -> String {
    let message = unsigned(r#"{"alg":"HS256"}"#, payload);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"secret"), message.as_bytes());
    signed(&message, tag.as_ref())
}

#[track_caller]
fn opens(keys: &KeySet, text: &str, expected: bool) {
    let any = Demands { issuers: Vec::new(), audiences: Vec::new(), skew: 0.0 };
    let found = Token::parse(text).and_then(|token| token.claims(keys, &any, 0.0));
    assert_eq!(found.is_ok(), expected, "{text}");
}

#[test]
fn the_other_algorithms() {
    for (name, hash) in [("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)] {
        let message = unsigned(&format!("{{\"alg\":\"{name}\"}}"), "{}");
        let tag = hmac::sign(&hmac::Key::new(hash, b"secret"), message.as_bytes());
        opens(&KeySet::secret(b"secret".to_vec()), &signed(&message, tag.as_ref()), true);
        opens(&KeySet::secret(b"other".to_vec()), &signed(&message, tag.as_ref()), false);
    }
    let random = SystemRandom::new();
    let pem = |der: &[u8]| format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der));
    let pair = RsaKeyPair::generate(rsa::KeySize::Rsa2048).expect("a pair");
    let keys = KeySet::pem(&pem(pair.public_key().as_der().expect("DER").as_ref())).expect("a key");
    for (name, padding) in [("RS384", &RSA_PKCS1_SHA384), ("RS512", &RSA_PKCS1_SHA512)] {
        let message = unsigned(&format!("{{\"alg\":\"{name}\"}}"), "{}");
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(padding, &random, message.as_bytes(), &mut signature).expect("signed");
        opens(&keys, &signed(&message, &signature), true);
    }
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a pair");
    let keys = KeySet::pem(&pem(pair.public_key().as_der().expect("DER").as_ref())).expect("a key");
    let message = unsigned(r#"{"alg":"ES384"}"#, "{}");
    let signature = pair.sign(&random, message.as_bytes()).expect("signed");
    opens(&keys, &signed(&message, signature.as_ref()), true);
}

#[test]
fn none_and_confused_keys_never_open() {
    let secret = KeySet::secret(b"secret".to_vec());
    for name in ["none", "None", "NONE", "", "HS1", "PS256"] {
        opens(&secret, &format!("{}.", unsigned(&format!("{{\"alg\":\"{name}\"}}"), "{}")), false);
    }
    // A public key, known to everybody, must not serve as the secret of an HMAC.
    let keys = KeySet::jwks(RS_KEY.as_bytes()).expect("keys");
    let message = unsigned(r#"{"alg":"HS256"}"#, "{}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, RS_KEY.as_bytes()), message.as_bytes());
    opens(&keys, &signed(&message, tag.as_ref()), false);
    // A key that is for one algorithm is for no other.
    let keys = r#"{"keys":[{"kty":"oct","alg":"HS512","k":"c2VjcmV0"}]}"#;
    opens(&KeySet::jwks(keys.as_bytes()).expect("keys"), &token("{}"), false);
    opens(&secret, &token("{}"), true);
    let message = unsigned(r#"{"alg":"HS256","crit":["x"]}"#, "{}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"secret"), message.as_bytes());
    opens(&secret, &signed(&message, tag.as_ref()), false);
    for garbage in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", &"a".repeat(20_000)] {
        opens(&secret, garbage, false);
    }
    opens(&secret, &token(r#"{"exp":"never"}"#), false);
    opens(&secret, &token(r#"{"nbf":1}"#), false);
}

fn chain(more: &str) -> (Chain, std::sync::Arc<Origin>) {
    let origin = Origin::ok();
    let chain = testing::chain("jwt", &format!("{{signingSecret: secret{more}}}"), origin.clone());
    (chain.expect("good settings"), origin)
}

#[track_caller]
fn ask(chain: &Chain, uri: &str, header: Option<(&'static str, String)>) -> (u16, Option<Reason>, Option<Box<str>>) {
    let mut request = testing::request(Method::GET, uri);
    request.headers.append("X-User", "forged");
    if let Some((name, value)) = header {
        request.headers.append(name, value);
    }
    let mut exchange = testing::exchange();
    let response = testing::run(chain, request, &mut exchange);
    (response.status.as_u16(), exchange.reason, exchange.user)
}

fn bearer(payload: &str) -> (&'static str, String) {
    ("Authorization", format!("Bearer {}", token(payload)))
}

#[test]
fn issuer_audience_claims_and_access() {
    let (chain, _) = chain(
        ", issuer: [a], audience: [x, y], claims: 'Equals(`tenant`, `acme`)', access: [{path: /admin, roles: [admin]}]",
    );
    let good = r#"{"iss":"a","aud":["y","z"],"tenant":"acme","sub":"ann","exp":99999999999}"#;
    assert_eq!(ask(&chain, "/", Some(bearer(good))), (200, None, Some("ann".into())));
    let refused = |status| (status, Some(Reason::AuthDenied), None);
    assert_eq!(ask(&chain, "/admin", Some(bearer(good))), refused(403));
    for (from, to, status) in
        [("\"a\"", "\"b\"", 401), ("\"y\"", "\"n\"", 401), ("acme", "other", 403), ("99999999999", "1", 401)]
    {
        assert_eq!(ask(&chain, "/", Some(bearer(&good.replace(from, to)))), refused(status), "{to}");
    }
    assert_eq!(ask(&chain, "/", None), refused(401));
    assert_eq!(ask(&chain, "/", Some(("Authorization", format!("Basic {}", token(good))))), refused(401));
}

#[test]
fn what_the_server_sees() {
    let (chain, origin) = chain(", tokenKey: jwt, forwardHeaders: {X-User: user.name, X-Groups: groups}");
    let payload = r#"{"user":{"name":"Ann"},"groups":["a","b"]}"#;
    assert_eq!(ask(&chain, "/", Some(bearer(payload))).0, 200);
    assert_eq!(ask(&chain, &format!("/?jwt={}", token(r#"{"user":{"name":"a\r\nb"}}"#)), None).0, 200);
    assert_eq!(ask(&chain, "/", Some(("Cookie", format!("jwt={}", token("{}"))))).0, 200);
    let seen = origin.seen();
    assert_eq!((seen[0].header("X-User"), seen[0].header("X-Groups")), (Some("Ann"), Some("a,b")));
    assert_eq!(seen[0].header("Authorization"), None);
    // Neither a value that breaks the head nor what the client made up reaches the server.
    assert_eq!((seen[1].header("X-User"), seen[2].header("X-User")), (None, None));
}

#[test]
fn a_gate_that_cannot_be_meant_is_not_built() {
    for settings in [
        "{}",
        "{signingSecret: a, jwksUrl: 'http://a.test/'}",
        "{jwksUrl: 'ftp://a.test/'}",
        "{publicKey: /nowhere}",
        "{jwksFile: '{}'}",
        "{signingSecret: a, claims: 'Nope(`a`)'}",
        "{signingSecret: a, signingSecretBase64Encoded: true}",
        "{signingSecret: a, access: [{path: admin}]}",
    ] {
        assert!(testing::chain("jwt", settings, Origin::ok()).is_err(), "{settings}");
        assert!(testing::chain("plugin", &format!("{{jwt: {settings}}}"), Origin::ok()).is_err(), "{settings}");
    }
    assert!(testing::chain("plugin", "{jwt: {signingSecret: a}}", Origin::ok()).is_ok());
}
