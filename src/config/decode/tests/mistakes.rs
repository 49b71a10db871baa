//! What a user may write wrongly, and the words that answer it.

use super::{decode, yaml};
use crate::dynamic::Configuration;
use crate::read::{Format, document, labels};

/// The whole of what is said about a wrong document.
#[track_caller]
fn check(text: &str, expected: &str) {
    match decode(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(errors) => assert_eq!(errors.to_string(), expected, "{text}"),
    }
}

/// An unknown field: its column, the path above it, its name, what was meant.
#[track_caller]
fn unknown(text: &str, column: u32, parent: &str, field: &str, meant: &str) {
    let dot = if parent.is_empty() { "" } else { "." };
    let path = format!("{parent}{dot}{field}");
    check(text, &format!("f.yml:1:{column}: {path}: field not found, node: {field} (did you mean {meant}?)"));
}

#[track_caller]
fn router(settings: &str, field: &str, meant: &str) {
    unknown(&format!("http: {{routers: {{r: {{{settings}}}}}}}"), 22, "http.routers.r", field, meant);
}

#[track_caller]
fn router_tls(settings: &str, field: &str, meant: &str) {
    unknown(&format!("http: {{routers: {{r: {{tls: {{{settings}}}}}}}}}"), 28, "http.routers.r.tls", field, meant);
}

#[track_caller]
fn service(settings: &str, field: &str, meant: &str) {
    unknown(&format!("http: {{services: {{s: {{{settings}}}}}}}"), 23, "http.services.s", field, meant);
}

#[track_caller]
fn balancer(settings: &str, field: &str, meant: &str) {
    let text = format!("http: {{services: {{s: {{loadBalancer: {{{settings}}}}}}}}}");
    unknown(&text, 38, "http.services.s.loadBalancer", field, meant);
}

#[test]
fn misspelled_sections() {
    unknown("htttp: {}", 1, "", "htttp", "http");
    unknown("http: {router: {}}", 8, "http", "router", "routers");
    unknown("http: {midlewares: {}}", 8, "http", "midlewares", "middlewares");
    unknown("http: {serverTransports: {}}", 8, "http", "serverTransports", "serversTransports");
    unknown("tcp: {service: {}}", 7, "tcp", "service", "services");
}

#[test]
fn misspelled_fields_of_routers() {
    router("rules: x", "rules", "rule");
    router("entrypoint: x", "entrypoint", "entryPoints");
    router("middleware: x", "middleware", "middlewares");
    router("services: x", "services", "service");
    router("sevice: x", "sevice", "service");
    router("prority: 1", "prority", "priority");
    router("rulesSyntax: v2", "rulesSyntax", "ruleSyntax");
    router("observablity: {}", "observablity", "observability");
    router_tls("certresover: x", "certresover", "certResolver");
    router_tls("domain: x", "domain", "domains");
    router_tls("option: x", "option", "options");
}

#[test]
fn misspelled_fields_of_services() {
    service("loadbalancers: {}", "loadbalancers", "loadBalancer");
    service("weigthed: {}", "weigthed", "weighted");
    service("mirrors: {}", "mirrors", "mirroring");
    service("failOvers: {}", "failOvers", "failover");
    balancer("server: []", "server", "servers");
    balancer("passHostHeaders: true", "passHostHeaders", "passHostHeader");
    balancer("healthchek: {}", "healthchek", "healthCheck");
    balancer("stickyness: {}", "stickyness", "sticky");
    balancer("serverTransport: x", "serverTransport", "serversTransport");
    let text = "http: {services: {s: {loadBalancer: {servers: [{uri: x}]}}}}";
    unknown(text, 49, "http.services.s.loadBalancer.servers[0]", "uri", "url");
}

#[test]
fn misspelled_fields_elsewhere() {
    unknown("tls: {certificates: [{cert: a}]}", 23, "tls.certificates[0]", "cert", "certFile");
    unknown("tls: {options: {o: {cypherSuites: []}}}", 21, "tls.options.o", "cypherSuites", "cipherSuites");
    let text = "tcp: {routers: {r: {tls: {passtrough: true}}}}";
    unknown(text, 27, "tcp.routers.r.tls", "passtrough", "passthrough");
    let text = "udp: {services: {s: {loadBalancer: {servers: [{adress: x}]}}}}";
    unknown(text, 48, "udp.services.s.loadBalancer.servers[0]", "adress", "address");
}

#[test]
fn misplaced_fields_are_told_their_place() {
    router("certResolver: x", "certResolver", "http.routers.r.tls.certResolver");
    service("servers: []", "servers", "http.services.s.loadBalancer.servers");
    balancer("httpOnly: true", "httpOnly", "http.services.s.loadBalancer.sticky.cookie.httpOnly");
    check("http: {routers: {r: {xyz: 1}}}", "f.yml:1:22: http.routers.r.xyz: field not found, node: xyz");
    // Passthrough is a word of TCP; nothing of HTTP comes near it.
    let text = "http: {routers: {r: {tls: {passthrough: true}}}}";
    check(text, "f.yml:1:28: http.routers.r.tls.passthrough: field not found, node: passthrough");
}

/// A bad value of a router: its column, its path, what is said.
#[track_caller]
fn bad(settings: &str, column: u32, path: &str, said: &str) {
    let text = format!("http: {{routers: {{r: {{{settings}}}}}}}");
    check(&text, &format!("f.yml:1:{column}: http.routers.r.{path}: {said}"));
}

#[test]
fn bad_values_say_what_was_expected() {
    let section = "a section (settings below it, or true for its defaults)";
    bad("priority: high", 32, "priority", "\"high\" is not a whole number");
    bad("priority: true", 32, "priority", "true is not a whole number");
    bad("priority: [1]", 32, "priority", "a list is not a whole number");
    bad("tls: le", 27, "tls", &format!("\"le\" is not {section}"));
    bad("rule: [a]", 28, "rule", "a list is not a text");
    bad("entryPoints: {a: b}", 35, "entryPoints", "a section is not a list");
    bad("observability: {metrics: maybe}", 47, "observability.metrics", "\"maybe\" is not true or false");
    check(
        "http: {services: {s: {loadBalancer: {healthCheck: {interval: 10x}}}}}",
        "f.yml:1:62: http.services.s.loadBalancer.healthCheck.interval: \"10x\" is not a duration such as 10s, 1m30s \
         or 100ms (a bare number means seconds)",
    );
    check("http: {routers: []}", &format!("f.yml:1:17: http.routers: a list is not {section}"));
    check("[a]", &format!("f.yml:1:1: a list is not {section}"));
    check("false", &format!("f.yml:1:1: false is not {section}"));
}

#[test]
fn all_mistakes_are_found_at_once_in_the_order_of_their_places() {
    let text = "\
http:
  routers:
    a:
      rules: x
      priority: high
      tls: false
    b:
      observability: {metrics: maybe}
  services:
    s:
      loadBalancer:
        healthCheck: {interval: 10x, timeout: 5y}
        servers:
          - url: a
            weight: heavy
          - uri: b
";
    let errors = decode(text).unwrap_err();
    let places: Vec<String> = errors.0.iter().map(|error| format!("{} {}", error.at, error.path)).collect();
    assert_eq!(
        places,
        [
            "f.yml:4:7 http.routers.a.rules",
            "f.yml:5:17 http.routers.a.priority",
            "f.yml:8:32 http.routers.b.observability.metrics",
            "f.yml:12:33 http.services.s.loadBalancer.healthCheck.interval",
            "f.yml:12:47 http.services.s.loadBalancer.healthCheck.timeout",
            "f.yml:15:21 http.services.s.loadBalancer.servers[0].weight",
            "f.yml:16:13 http.services.s.loadBalancer.servers[1].uri",
        ]
    );
}

#[test]
fn no_more_than_a_hundred_are_told() {
    let many = |entry: &str| (0..150).map(|n| format!("n{n}: {entry}")).collect::<Vec<_>>().join(", ");
    let text = format!("http: {{routers: {{{}}}}}", many("{x: 1}"));
    assert_eq!(decode(&text).unwrap_err().0.len(), 100);
    let text = format!("http: {{services: {{{}}}}}", many("{loadBalancer: {healthCheck: {interval: x}}}"));
    assert_eq!(decode(&text).unwrap_err().0.len(), 100);
}

#[test]
fn a_subtree_names_its_whole_path() {
    let node = yaml("{routers: {r: {rules: x, certResolver: y}}}");
    let errors = node.decode_within::<crate::dynamic::http::Http>("http").unwrap_err();
    assert_eq!(
        errors.to_string(),
        "f.yml:1:16: http.routers.r.rules: field not found, node: rules (did you mean rule?)\n\
         f.yml:1:26: http.routers.r.certResolver: field not found, node: certResolver (did you mean \
         http.routers.r.tls.certResolver?)"
    );
}

#[test]
fn other_notations_say_their_own_places() {
    let toml = document("[http.routers.r]\nrules = 'x'\npriority = 'y'\n", Format::Toml, "f.toml").unwrap();
    assert_eq!(
        toml.decode::<Configuration>().unwrap_err().to_string(),
        "f.toml:2:1: http.routers.r.rules: field not found, node: rules (did you mean rule?)\n\
         f.toml:3:12: http.routers.r.priority: \"y\" is not a whole number"
    );
    let json = document("{\"http\": {\"routers\": {\"r\": {\"rules\": 1}}}}", Format::Json, "f.json").unwrap();
    assert_eq!(
        json.decode::<Configuration>().unwrap_err().to_string(),
        "f.json:1:29: http.routers.r.rules: field not found, node: rules (did you mean rule?)"
    );
    let labels = labels::read([("traefik.http.routers.r.rules", "x")], "shop-1", &labels::DYNAMIC).unwrap();
    assert_eq!(
        labels.decode::<Configuration>().unwrap_err().to_string(),
        "container shop-1, label traefik.http.routers.r.rules: http.routers.r.rules: field not found, node: rules \
         (did you mean rule?)"
    );
}
