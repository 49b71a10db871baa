//! Who is asked what, and what comes of it. The one service of these tests is both the server that is asked (first call)
//! and the back end (second call).

use trafficcop_exchange::{Body, Method, Response, StatusCode, reply};

use crate::testing::{self, Origin, Seen};

fn permission(number: usize) -> Response {
    let mut response = reply::empty(StatusCode::OK);
    if number == 0 {
        for (name, value) in
            [("X-User", "bob"), ("X-Auth-A", "1"), ("Set-Cookie", "sess=abc; Path=/"), ("Set-Cookie", "x=y")]
        {
            response.headers.append(name, value);
        }
    } else {
        response.headers.append("Set-Cookie", "sess=old");
        response.headers.append("Set-Cookie", "app=1");
    }
    response
}

#[track_caller]
fn ask(settings: &str, answer: fn(usize) -> Response) -> (Response, Vec<Seen>) {
    let origin = Origin::answering(answer);
    let settings = format!("{{address: 'http://auth.test/check?x=1', {settings}}}");
    let chain = testing::chain("forwardAuth", &settings, origin.clone()).expect("good settings");
    let mut request = testing::request(Method::POST, "/path?q=1");
    request.body = Body::from("hello");
    for (name, value) in [
        ("X-User", "forged"),
        ("X-Auth-Z", "forged"),
        ("X-Forwarded-Uri", "/u"),
        ("Connection", "X-Hop"),
        ("X-Hop", "1"),
    ] {
        request.headers.append(name, value);
    }
    (testing::run(&chain, request, &mut testing::exchange()), origin.seen())
}

#[test]
fn the_question_tells_of_the_request() {
    let (_, seen) = ask("", permission);
    let question = &seen[0];
    assert_eq!(
        (question.method.clone(), question.uri.as_str(), question.host.as_str()),
        (Method::GET, "/check?x=1", "")
    );
    for (name, value) in [
        ("X-Forwarded-Method", Some("POST")),
        ("X-Forwarded-Uri", Some("/path?q=1")),
        ("X-Forwarded-Host", Some("a.test")),
        ("X-Forwarded-For", Some("10.0.0.1")),
        ("X-Forwarded-Proto", Some("http")),
        ("X-Hop", None),
    ] {
        assert_eq!(question.header(name), value, "{name}");
    }
    assert_eq!((question.body.len(), &*seen[1].body), (0, &b"hello"[..]));
}

#[test]
fn trust_has_three_states() {
    let uri = |settings: &str| ask(settings, permission).1[0].header("X-Forwarded-Uri").map(ToOwned::to_owned);
    assert_eq!(uri("").as_deref(), Some("/path?q=1"));
    assert_eq!(uri("trustForwardHeader: false").as_deref(), Some("/path?q=1"));
    assert_eq!(uri("trustForwardHeader: true").as_deref(), Some("/u"));
}

#[test]
fn a_permission_is_taken_over_and_forgeries_are_not() {
    let (response, seen) = ask(
        "authResponseHeaders: [X-User], authResponseHeadersRegex: '^X-Auth-', addAuthCookiesToResponse: [sess]",
        permission,
    );
    let request = &seen[1];
    assert_eq!(
        (request.header("X-User"), request.header("X-Auth-A"), request.header("X-Auth-Z")),
        (Some("bob"), Some("1"), None)
    );
    let cookies: Vec<_> =
        response.headers.get_all("Set-Cookie").map(|value| String::from_utf8_lossy(value).into_owned()).collect();
    assert_eq!(cookies, ["app=1", "sess=abc; Path=/"]);
}

#[test]
fn a_refusal_goes_to_the_client_and_no_further() {
    let refuse: fn(usize) -> Response = |_| {
        let mut response = reply::status_text(StatusCode::UNAUTHORIZED);
        response.headers.append("Location", "/login");
        response
    };
    let (response, seen) = ask("", refuse);
    assert_eq!((response.status.as_u16(), seen.len()), (401, 1));
    assert_eq!(response.headers.get_str("Location"), Some("http://auth.test/login"));
    let (response, _) = ask("preserveLocationHeader: true", refuse);
    assert_eq!(response.headers.get_str("Location"), Some("/login"));
    let (response, _) = ask("authSigninURL: 'https://sso.test/'", refuse);
    assert_eq!((response.status.as_u16(), response.headers.get_str("Location")), (302, Some("https://sso.test/")));
}

#[test]
fn bodies_are_bounded() {
    let (_, seen) = ask("forwardBody: true, maxBodySize: 5, preserveRequestMethod: true", permission);
    assert_eq!((&*seen[0].body, &*seen[1].body, seen[0].method.clone()), (&b"hello"[..], &b"hello"[..], Method::POST));
    let (response, seen) = ask("forwardBody: true, maxBodySize: 4", permission);
    assert_eq!((response.status.as_u16(), seen.len()), (401, 0));
    let (response, seen) = ask("maxResponseBodySize: 3", |_| reply::status_text(StatusCode::OK));
    assert_eq!((response.status.as_u16(), seen.len()), (200, 2));
    let (response, seen) = ask("maxResponseBodySize: 1", |_| reply::status_text(StatusCode::OK));
    assert_eq!((response.status.as_u16(), seen.len()), (401, 1));
}

#[test]
fn an_address_that_is_none_is_an_error() {
    assert!(testing::chain("forwardAuth", "{address: nonsense}", Origin::ok()).is_err());
}
