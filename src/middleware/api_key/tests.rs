//! Where the key may be, what it may be hashed with, and what opens nothing.

use trafficcop_exchange::{Chain, Method};

use super::*;
use crate::testing::{self, Origin};

fn chain(settings: &str) -> Chain {
    testing::chain("apiKey", settings, Origin::ok()).expect("good settings")
}

#[track_caller]
fn check(chain: &Chain, uri: &str, header: Option<(&'static str, &str)>, expected: (u16, Option<&str>)) {
    // Twice: the second time a slow hash is remembered.
    for _ in 0..2 {
        let mut request = testing::request(Method::GET, uri);
        if let Some((name, value)) = header {
            request.headers.append(name, value.to_owned());
        }
        let mut exchange = testing::exchange();
        let response = testing::run(chain, request, &mut exchange);
        assert_eq!((response.status.as_u16(), exchange.user.as_deref()), expected, "{uri} {header:?}");
        assert_eq!(exchange.reason, (expected.0 == 401).then_some(Reason::AuthDenied));
    }
}

fn sha256(key: &str) -> String {
    format!("{{SHA256}}{}", STANDARD.encode(Sha256::digest(key)))
}

#[test]
fn each_source_and_each_hash() {
    let bcrypt = bcrypt::hash("slow", 4).expect("a hash");
    let settings = format!(
        "{{keySource: {{header: Authorization, headerAuthScheme: Bearer, query: key, cookie: sid}}, \
         secretNonBase64Encoded: true, secretValues: ['billing:{}', '{bcrypt}', '{{SHA}}fEqNCco3Yq9h5ZUglD3CZJT4lBs=']}}",
        sha256("k+1")
    );
    let chain = chain(&settings);
    check(&chain, "/", Some(("Authorization", "bearer k+1")), (200, Some("billing")));
    check(&chain, "/", Some(("Authorization", "Bearer slow")), (200, None));
    check(&chain, "/", Some(("Authorization", "Basic slow")), (401, None));
    check(&chain, "/", Some(("Authorization", "slow")), (401, None));
    check(&chain, "/?a=b&key=k%2B1", None, (200, Some("billing")));
    check(&chain, "/", Some(("Cookie", "a=b; sid=123456")), (200, None));
    check(&chain, "/?key=wrong", None, (401, None));
    check(&chain, "/?key=", None, (401, None));
    check(&chain, "/", None, (401, None));
    // A wrong key in the header is not made good by a right one elsewhere.
    check(&chain, "/?key=k%2B1", Some(("Authorization", "Bearer wrong")), (401, None));
}

#[test]
fn clients_send_base64_unless_told_otherwise() {
    let chain = chain(&format!("{{keySource: {{header: X-Api-Key}}, secretValues: ['{}']}}", sha256("secret")));
    check(&chain, "/", Some(("X-Api-Key", "c2VjcmV0")), (200, None));
    check(&chain, "/", Some(("X-Api-Key", "secret")), (401, None));
}

#[test]
fn below_plugin_as_well() {
    let settings = format!(
        "{{apiKey: {{keySource: {{query: k}}, secretNonBase64Encoded: true, secretValues: ['{}']}}}}",
        sha256("a")
    );
    let chain = testing::chain("plugin", &settings, Origin::ok()).expect("good settings");
    check(&chain, "/?k=a", None, (200, None));
    check(&chain, "/?k=b", None, (401, None));
}

#[test]
fn a_gate_that_cannot_be_meant_is_not_built() {
    for settings in [
        "{}",
        "{keySource: {query: k}}",
        "{keySource: {query: k}, secretValues: [plain]}",
        "{keySource: {query: k}, secretValues: ['{SHA256}short']}",
        "{secretValues: ['{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=']}",
        "{keySource: {query: k, headerAuthScheme: Bearer}, secretValues: ['{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=']}",
    ] {
        let error = testing::chain("apiKey", settings, Origin::ok()).err().unwrap_or_else(|| panic!("{settings}"));
        assert!(!error.to_string().contains("plain"), "a key in clear is not shown: {error}");
    }
}
