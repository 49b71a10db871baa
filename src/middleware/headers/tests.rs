//! What the headers middleware does to requests and answers.

use trafficcop_exchange::{Body, Method, Response, StatusCode};

use crate::testing::{self, Origin};

/// Runs a request with these headers; shows the status, the answer's headers sorted, and what the back end saw of them.
#[track_caller]
fn check(settings: &str, method: Method, headers: &[(&'static str, &'static str)], expected: (u16, &[&str], usize)) {
    let origin = Origin::answering(|_| {
        let mut response = Response::new(StatusCode::OK);
        response.headers.append("Vary", "Accept");
        response.headers.append("X-Gone", "1");
        response.body = Body::from("ok");
        response
    });
    let chain = testing::chain("headers", settings, origin.clone()).expect("good settings");
    let mut request = testing::request(method, "/");
    for (name, value) in headers {
        request.headers.append(*name, *value);
    }
    let response = testing::run(&chain, request, &mut testing::exchange());
    let mut lines: Vec<_> =
        response.headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))).collect();
    lines.sort();
    assert_eq!((response.status.as_u16(), lines, origin.seen().len()), {
        (expected.0, expected.1.iter().map(|line| (*line).to_owned()).collect(), expected.2)
    });
}

const CORS: &str = "{accessControlAllowMethods: [GET, PUT], accessControlAllowOriginList: ['https://ok.test'], \
                    accessControlMaxAge: 100, addVaryHeader: true}";

#[test]
fn a_preflight_goes_no_further() {
    check(
        CORS,
        Method::OPTIONS,
        &[("Origin", "https://ok.test"), ("Access-Control-Request-Method", "PUT")],
        (
            200,
            &[
                "Access-Control-Allow-Methods: GET,PUT",
                "Access-Control-Allow-Origin: https://ok.test",
                "Access-Control-Max-Age: 100",
                "Content-Length: 0",
            ],
            0,
        ),
    );
}

#[test]
fn other_answers_name_an_allowed_origin_only() {
    let allowed = ["Access-Control-Allow-Origin: https://ok.test", "Vary: Accept,Origin", "X-Gone: 1"];
    check(CORS, Method::GET, &[("Origin", "https://ok.test")], (200, &allowed, 1));
    check(CORS, Method::GET, &[("Origin", "https://bad.test")], (200, &allowed[1..], 1));
}

#[test]
fn security_headers_and_hosts() {
    check(
        "{frameDeny: true, stsSeconds: 5}",
        Method::GET,
        &[],
        (200, &["Vary: Accept", "X-Frame-Options: DENY", "X-Gone: 1"], 1),
    );
    let bad_host = ["Content-Type: text/plain; charset=utf-8", "X-Content-Type-Options: nosniff"];
    check("{allowedHosts: [b.test]}", Method::GET, &[], (500, &bad_host, 0));
    let sts = ["Strict-Transport-Security: max-age=5", "Vary: Accept", "X-Gone: 1"];
    check("{stsSeconds: 5, sslProxyHeaders: {X-P: tls}}", Method::GET, &[("X-P", "tls")], (200, &sts, 1));
}

#[test]
fn headers_are_set_and_removed_both_ways() {
    let origin = Origin::ok();
    let settings = "{customRequestHeaders: {X-Add: '1', X-Remove: '', Host: h.test, X-Forwarded-For: ''}}";
    let chain = testing::chain("headers", settings, origin.clone()).expect("good settings");
    let mut request = testing::request(Method::GET, "/");
    request.headers.append("x-remove", "1");
    let mut exchange = testing::exchange();
    testing::run(&chain, request, &mut exchange);
    let seen = &origin.seen()[0];
    assert_eq!((seen.header("X-Add"), seen.header("X-Remove"), seen.host.as_str()), (Some("1"), None, "h.test"));
    assert!(exchange.omit_forwarded_for);
    check("{customResponseHeaders: {X-Gone: '', X-New: n}}", Method::GET, &[], (200, &["Vary: Accept", "X-New: n"], 1));
}

#[test]
fn nothing_to_do_is_an_error() {
    assert!(testing::chain("headers", "{}", Origin::ok()).is_err());
}
