//! Seeded faults, and whether `explain` names the right cause of each.

mod support;

use support::{Bench, settings};
use trafficcop_snapshot::{Question, explain};

const STATIC: &str = "entryPoints: {web: {address: ':80'}, other: {address: ':81'}, tls: {address: ':443'}}\n\
                      certificatesResolvers: {tail: {tailscale: {}}}";
const SERVICE: &str = "services: {s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}}";

/// What is explained about a URL under these routers (and more) beside one good service.
fn text(http: &str, url: &str) -> String {
    let snapshot = Bench::new(STATIC).apply(&format!("http: {{{SERVICE}, {http}}}"));
    explain(&snapshot, &settings(STATIC), &Question::of_url(url).expect("it is a URL"))
        .expect("it can be answered")
        .to_string()
}

#[track_caller]
fn says(http: &str, url: &str, expected: &[&str]) {
    let text = text(http, url);
    for part in expected {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[test]
fn the_winner_is_shown_with_its_chain_and_server() {
    let http =
        "middlewares: {p: {addPrefix: {prefix: /p}}}, routers: {r: {rule: 'Host(`a`)', service: s, middlewares: [p]}}";
    let expected =
        ["entry point  web", "router       r@file", "p@file (addPrefix)", "http://127.0.0.1:1: up", "the only one"];
    says(http, "http://a/", &expected);
}

#[test]
fn wrong_entry_point() {
    let http = "routers: {r: {rule: 'Host(`a`)', service: s, entryPoints: [other]}}";
    says(http, "http://a/", &["not          r@file: it is on entry point other, not on web", "404"]);
}

#[test]
fn an_entry_point_that_does_not_exist() {
    let http = "routers: {r: {rule: 'Host(`a`)', service: s, entryPoints: [wbe]}}";
    says(http, "http://a/", &["r@file: ", "wbe"]);
}

#[test]
fn no_entry_point_on_the_port() {
    says("routers: {r: {rule: 'Host(`a`)', service: s}}", "http://a:8080/", &["no entry point listens on port 8080"]);
}

#[test]
fn tls_only() {
    let http = "routers: {r: {rule: 'Host(`a`)', service: s, tls: {}}}";
    says(http, "http://a/", &["r@file: it answers TLS only"]);
}

#[test]
fn a_resolver_that_does_not_exist() {
    let http = "routers: {r: {rule: 'Host(`a`)', service: s, tls: {certResolver: lets}}}";
    says(
        http,
        "https://a/",
        &["router       r@file", "certificate resolver lets for its certificate, which does not exist"],
    );
}

#[test]
fn a_resolver_that_brings_nothing() {
    let http = "routers: {r: {rule: 'Host(`a`)', service: s, tls: {certResolver: tail}}}";
    says(http, "https://a/", &["certificate resolver tail for its certificate, which has no acme and so brings none"]);
}

#[test]
fn a_server_that_is_down() {
    let yaml = "http: {services: {s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}], healthCheck: {path: /, interval: 200ms}}}}, \
                routers: {r: {rule: 'Host(`a`)', service: s}}}";
    let snapshot = Bench::new(STATIC).apply(yaml);
    let name = trafficcop_config::Name::qualify("s", "file");
    let servers = snapshot.report.http.services[&name].servers.clone().expect("it was built");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while servers.status()[0].1 && std::time::Instant::now() < deadline {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let found = explain(&snapshot, &settings(STATIC), &Question::of_url("http://a/").unwrap()).unwrap().to_string();
    assert!(found.contains("every server is down: the answer is 503"), "{found}");
    assert!(found.contains("http://127.0.0.1:1: down"), "{found}");
}

#[test]
fn shadowed_by_priority() {
    let http =
        "routers: {low: {rule: 'Host(`a`)', service: s}, high: {rule: 'PathPrefix(`/`)', service: s, priority: 90}}";
    says(
        http,
        "http://a/",
        &["router       high@file", "low@file: its rule holds too, but high@file comes first: priority 90 against 9"],
    );
}

#[test]
fn missing_middleware() {
    let http = "routers: {r: {rule: 'Host(`a`)', service: s, middlewares: [auth]}}";
    says(http, "http://a/", &["r@file: it is disabled: ", "auth@file", "does not exist"]);
}

#[test]
fn missing_service() {
    says("routers: {r: {rule: 'Host(`a`)', service: z}}", "http://a/", &["r@file: it is disabled: ", "z@file"]);
}

#[test]
fn a_typo_in_the_rule() {
    says("routers: {r: {rule: 'Hots(`a`)', service: s}}", "http://a/", &["r@file: it is disabled: ", "did you mean"]);
}

#[test]
fn the_clause_that_fails() {
    let http = "routers: {r: {rule: 'Host(`a`) && PathPrefix(`/api`)', service: s}}";
    says(http, "http://a/apx", &["r@file: PathPrefix(`/api`) does not hold: the path is `/apx`"]);
}

#[test]
fn a_host_with_a_typo() {
    let http = "routers: {r: {rule: 'Host(`blog.example`)', service: s}}";
    says(http, "http://blgo.example/", &["did you mean blog.example?"]);
}

#[test]
fn a_parent_none_of_whose_children_holds() {
    let http = "routers: {r: {rule: 'Host(`a`)'}, kid: {rule: 'Path(`/x`)', service: s, parentRefs: [r]}}";
    says(http, "http://a/", &["none of the routers below it holds", "kid@file: Path(`/x`) does not hold"]);
    says(http, "http://a/x", &["below      kid@file", "http://127.0.0.1:1: up"]);
}

#[test]
fn a_service_without_servers() {
    let http = "routers: {r: {rule: 'Host(`a`)', service: e}}";
    let yaml = format!("http: {{services: {{e: {{loadBalancer: {{servers: []}}}}}}, {http}}}");
    let snapshot = Bench::new(STATIC).apply(&yaml);
    let found = explain(&snapshot, &settings(STATIC), &Question::of_url("http://a/").unwrap()).unwrap().to_string();
    assert!(found.contains("it has no server: the answer is 503"), "{found}");
}

#[test]
fn the_name_asked_for_in_the_handshake_has_other_options() {
    let yaml = format!(
        "{{tls: {{options: {{strict: {{minVersion: VersionTLS13}}}}}}, http: {{{SERVICE}, routers: {{r: {{rule: 'Host(`a`)', service: s, tls: {{options: strict}}}}}}}}}}"
    );
    let snapshot = Bench::new(STATIC).apply(&yaml);
    let mut question = Question::of_url("https://a/").unwrap();
    question.set("sni", "b").unwrap();
    let found = explain(&snapshot, &settings(STATIC), &question).unwrap().to_string();
    assert!(found.contains("the answer is 421"), "{found}");
}
