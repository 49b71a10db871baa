//! Requests and their answers.

use std::fmt::Write as _;
use std::rc::Rc;

use trafficcop_exchange::{Body, ConnectionInfo, Target};
use trafficcop_snapshot::Live;

use super::*;

const STATIC: &str = "{api: {dashboard: true}, entryPoints: {web: {address: ':80'}}}";
const FILE: &str = "
http:
  middlewares: {p: {addPrefix: {prefix: /p}}}
  services: {a: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}}
  routers:
    r: {rule: 'Host(`a`) && Path(`/x`)', service: a, middlewares: [p]}
    wrong: {rule: 'Hots(`a`)', service: aa}
    'odd/name': {rule: 'Host(`b`)', service: a}
";

/// Status, chosen headers and body of the answer to one request.
fn ask(static_yaml: &str, method: &Method, uri: &str, headers: &[(&'static str, &'static str)]) -> String {
    let settings = settings(static_yaml);
    let window = Window::default();
    let live = Live::new(1, &snapshot(&settings, FILE)).expect("a thread can be started");
    window.open(&live);
    let api = Api::new(settings, window, Extras::default());
    let mut request = Request::new(method.clone(), Target::parse(bytes::Bytes::copy_from_slice(uri.as_bytes())));
    for (name, value) in headers {
        request.headers.append(*name, *value);
    }
    let (peer, local) = (([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 80).into());
    let mut cx = Exchange::new(Rc::new(ConnectionInfo::new("web".into(), peer, local, None)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut response = api.call(request, &mut cx).await;
        let mut out = response.status.as_u16().to_string();
        for name in ["Location", "Content-Type", "X-Next-Page", "X-Content-Type-Options"] {
            if let Some(value) = response.headers.get_str(name) {
                let _writing_to_a_string_succeeds = write!(out, " {name}={value}");
            }
        }
        let body = std::mem::replace(&mut response.body, Body::Empty).collect(1 << 20).await.expect("a body");
        format!("{out} {}", String::from_utf8_lossy(&body))
    })
}

#[track_caller]
fn check(uri: &str, expected: &str) {
    assert_eq!(ask(STATIC, &Method::GET, uri, &[]), expected, "{uri}");
}

const NOT_FOUND: &str =
    "404 Content-Type=text/plain; charset=utf-8 X-Content-Type-Options=nosniff 404 page not found\n";

#[test]
fn paths_that_name_nothing() {
    for path in ["/api/nothing", "/api", "/api/", "/api/http", "/api/http/routers/", "/api/http/routers/a/b", "/x"] {
        check(path, NOT_FOUND);
    }
    check("/api/udp/middlewares", NOT_FOUND);
    assert_eq!(ask(STATIC, &Method::POST, "/api/overview", &[]), "405 ");
    assert_eq!(ask(STATIC, &Method::HEAD, "/api/overview", &[]), "405 ");
    assert_eq!(ask(STATIC, &Method::POST, "/api/nothing", &[]), NOT_FOUND);
}

#[test]
fn objects_by_name() {
    let missing = |what: &str| {
        let message = format!("{{\"message\":\"{what} not found: x@file\"}}\n");
        format!("404 Content-Type=text/plain; charset=utf-8 X-Content-Type-Options=nosniff {message}")
    };
    check("/api/http/routers/x@file", &missing("router"));
    check("/api/tcp/services/x@file", &missing("service"));
    check("/api/entrypoints/x@file", &missing("entry point"));
    check("/api/certificates/x@file", &missing("certificate"));
    let odd = ask(STATIC, &Method::GET, "/api/http/routers/odd%2Fname@file", &[]);
    assert!(odd.starts_with("200 Content-Type=application/json {"), "{odd}");
    let escaped = ask(STATIC, &Method::GET, "/api/http/routers/r@file", &[]);
    assert!(escaped.contains(r"Host(`a`) \u0026\u0026 Path(`/x`)"), "{escaped}");
    assert!(escaped.contains(r#""middlewares":["p@file"]"#), "{escaped}");
}

#[test]
fn problems_tell_place_and_suggestion() {
    let problems = ask(STATIC, &Method::GET, "/api/problems", &[]);
    assert!(problems.contains("did you mean `Host`?"), "{problems}");
    assert!(problems.contains(r#"did you mean \"a@file\"?"#), "{problems}");
    assert!(problems.contains(r#""place":"file.yml:7:"#), "{problems}");
}

#[test]
fn the_dashboard_is_where_the_base_path_says() {
    let redirect = |uri: &str, headers: &[_]| ask(STATIC, &Method::GET, uri, headers);
    assert_eq!(redirect("/", &[]), "302 Location=/dashboard/ ");
    assert_eq!(redirect("/", &[("X-Forwarded-Prefix", "/behind/")]), "302 Location=/behind/dashboard/ ");
    for elsewhere in ["https://evil.test", "//evil.test"] {
        assert_eq!(redirect("/", &[("X-Forwarded-Prefix", elsewhere)]), "302 Location=/dashboard/ ");
    }
    assert!(redirect("/dashboard/", &[]).starts_with("200 Content-Type=text/html; charset=utf-8"));
    assert!(redirect("/dashboard/assets/app.js", &[]).starts_with("200 Content-Type=text/javascript; charset=utf-8"));
    assert_eq!(redirect("/dashboard/index.html", &[]), "301 Location=./ ");
    assert_eq!(redirect("/dashboard/app.js", &[]), NOT_FOUND);

    let based = "{api: {basePath: /base}, entryPoints: {web: {address: ':80'}}}";
    assert_eq!(ask(based, &Method::GET, "/base", &[]), "302 Location=/base/dashboard/ ");
    assert_eq!(ask(based, &Method::GET, "/base/", &[]), NOT_FOUND);
    assert!(ask(based, &Method::GET, "/base/dashboard/", &[]).contains(r#"<meta name="api" content="/base/api/">"#));
    assert_eq!(ask(based, &Method::GET, "/api/version", &[]), NOT_FOUND);
    let version = ask(based, &Method::GET, "/base/api/version", &[]);
    assert!(version.starts_with("200 Content-Type=application/json; charset=UTF-8 {\"Version\":"), "{version}");
}

#[test]
fn the_support_dump_is_a_packed_folder_without_secrets() {
    let with_secret = "{api: {}, entryPoints: {web: {address: ':80'}}, providers: {redis: {password: hunter2}}}";
    let settings = settings(with_secret);
    let answer = support::dump(&settings, &snapshot(&settings, FILE), &version::answer(&settings));
    let Answer::File { bytes, .. } = answer else { panic!("a dump is a file") };
    let mut tar = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*bytes), &mut tar).expect("it can be unpacked");
    let text = String::from_utf8_lossy(&tar);
    for part in ["version.json", "static-config.json", "runtime-config.json", r#""r@file""#, r#""password":"xxxx""#] {
        assert!(text.contains(part), "{part} is missing");
    }
    assert!(!text.contains("hunter2"));
    assert_eq!(tar.len() % 512, 0);
}

#[test]
fn calls_that_change_something_need_token_header_and_origin() {
    let on = "{api: {writes: {token: s3cret}}, entryPoints: {web: {address: ':80'}}}";
    let path = "/api/x/services/a@file/drain?server=http://127.0.0.1:1";
    let call = |static_yaml, headers: &[(&'static str, &'static str)]| {
        ask(static_yaml, &Method::POST, path, headers)[..3].to_owned()
    };
    let (token, action) = (("Authorization", "Bearer s3cret"), ("X-TrafficCop-Action", "1"));
    assert_eq!(call(STATIC, &[token, action]), "404");
    assert_eq!(call(on, &[action]), "401");
    assert_eq!(call(on, &[("Authorization", "Bearer s3cre"), action]), "401");
    assert_eq!(call(on, &[token]), "403");
    assert_eq!(call(on, &[token, action, ("Origin", "https://evil.test")]), "403");
    assert_eq!(call(on, &[token, action]), "200");
    assert!(ask(on, &Method::GET, "/admin/backends", &[]).contains(r#""url":"http://127.0.0.1:1""#));
    assert!(ask(on, &Method::GET, "/admin/health", &[]).contains("healthy"));
    assert_eq!(ask(STATIC, &Method::GET, "/admin/health", &[]), NOT_FOUND);
}

#[test]
fn certificates_are_those_of_the_user() {
    check("/api/certificates", "200 Content-Type=application/json X-Next-Page=1 []\n");
    let made = rcgen::generate_simple_self_signed(["b.test".to_owned(), "a.test".to_owned()]).expect("a certificate");
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let file = format!("{{tls: {{certificates: [{{certFile: {certificate:?}, keyFile: {key:?}}}]}}}}");
    let shown = certificates::list(&snapshot(&settings(STATIC), &file), &Query::read(""));
    let Answer::Json { text, .. } = shown else { panic!("a list is JSON") };
    for part in [r#""sans":["a.test","b.test"]"#, r#""keyType":"ECDSA""#, r#""keySize":256"#, r#""version":"v3""#] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(text.contains(r#""signatureAlgorithm":"ECDSA-SHA256""#), "{text}");
}
