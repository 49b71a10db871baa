use super::{DYNAMIC, has_no_effect};
use crate::dynamic::Configuration;
use crate::encode::to_json;
use crate::read::{Format, document};

/// Labels that mean what this YAML means.
#[track_caller]
fn check(pairs: &[(&str, &str)], yaml: &str) {
    let labels = super::read(pairs.iter().copied(), "c", &DYNAMIC).unwrap_or_else(|errors| panic!("{errors}"));
    let made: Configuration = labels.decode().unwrap_or_else(|errors| panic!("{errors}"));
    let expected: Configuration = document(yaml, Format::Yaml, "f").unwrap().decode().unwrap();
    assert_eq!(made, expected, "{:#}", to_json(&made));
}

#[track_caller]
fn wrong(label: &str, expected: &str) {
    let said = super::read([(label, "x")], "c", &DYNAMIC).unwrap_err().to_string();
    assert_eq!(said, format!("container c, label {label}: {expected}"));
}

#[test]
fn names_become_paths() {
    check(
        &[("traefik.http.routers.Web.rule", "Host(`a.b`)"), ("traefik.http.routers.Web.entrypoints", "web, websecure")],
        "http: {routers: {Web: {rule: Host(`a.b`), entryPoints: [web, websecure]}}}",
    );
    check(&[("traefik.http.routers.r.tls", "true")], "http: {routers: {r: {tls: {}}}}");
    check(&[("traefik.http.routers.r.tls", "")], "http: {routers: {r: {tls: {}}}}");
    check(
        &[("traefik.http.routers.r.tls", "false"), ("traefik.http.routers.r.rule", "x")],
        "http: {routers: {r: {rule: x}}}",
    );
}

#[test]
fn a_section_counts_as_on_by_what_stands_below_it_and_off_by_false() {
    let below = ("traefik.http.routers.r.tls.certresolver", "le");
    check(&[("traefik.http.routers.r.tls", "true"), below], "http: {routers: {r: {tls: {certResolver: le}}}}");
    check(&[below], "http: {routers: {r: {tls: {certResolver: le}}}}");
    let rule = ("traefik.http.routers.r.rule", "x");
    check(&[("traefik.http.routers.r.tls", "false"), below, rule], "http: {routers: {r: {rule: x}}}");
}

#[test]
fn only_what_is_dynamic_is_read() {
    check(
        &[
            ("traefik.enable", "true"),
            ("traefik.docker.network", "web"),
            ("traefik.tls.options.x.minversion", "y"),
            ("com.example.traefik.http", "x"),
            ("traefik.tls.stores.default.defaultgeneratedcert.resolver", "le"),
            ("traefik.HTTP.routers.r.service", "s"),
        ],
        "{http: {routers: {r: {service: s}}}, tls: {stores: {default: {defaultGeneratedCert: {resolver: le}}}}}",
    );
}

#[test]
fn cases_meet_in_one_name() {
    // The first in the order of the alphabet names it, the last gives the value.
    check(
        &[
            ("traefik.http.routers.web.rule", "lower"),
            ("traefik.http.routers.Web.rule", "upper"),
            ("traefik.http.routers.WEB.service", "s"),
        ],
        "http: {routers: {WEB: {rule: lower, service: s}}}",
    );
}

#[test]
fn lists_are_indexed_and_in_the_order_of_their_numbers() {
    check(
        &[
            ("traefik.http.routers.r.tls.domains[10].main", "k"),
            ("traefik.http.routers.r.tls.domains[2].main", "c"),
            ("traefik.http.routers.r.tls.domains[0].main", "a"),
            ("traefik.http.routers.r.tls.domains[0].sans", "x,y"),
        ],
        "http: {routers: {r: {tls: {domains: [{main: a, sans: [x, y]}, {main: c}, {main: k}]}}}}",
    );
}

#[test]
fn a_workload_is_one_server() {
    check(
        &[
            ("traefik.http.services.s.loadbalancer.server.port", "80"),
            ("traefik.http.services.s.loadBalancer.Server.scheme", "https"),
            ("traefik.http.services.s.loadbalancer.server.weight", "3"),
            ("traefik.http.services.s.loadbalancer.server.preservepath", "true"),
            ("traefik.http.services.t.loadbalancer.server.url", "http://x"),
            ("traefik.tcp.services.s.loadbalancer.server.port", "81"),
            ("traefik.tcp.services.s.loadbalancer.server.tls", "true"),
            ("traefik.udp.services.s.loadbalancer.server.port", "82"),
        ],
        "{http: {services: {s: {loadBalancer: {servers: [{port: 80, scheme: https, weight: 3, preservePath: true}]}},
            t: {loadBalancer: {servers: [{url: 'http://x'}]}}}},
          tcp: {services: {s: {loadBalancer: {servers: [{port: 81, tls: true}]}}}},
          udp: {services: {s: {loadBalancer: {servers: [{port: 82}]}}}}}",
    );
    let path = "http.services.s.loadbalancer.servers";
    wrong(
        "traefik.http.services.s.loadbalancer.servers[0].url",
        &format!("{path}: field not found, node: servers (did you mean server?)"),
    );
}

#[test]
fn a_service_may_be_called_server() {
    check(
        &[("traefik.http.services.server.loadbalancer.server.port", "80")],
        "http: {services: {server: {loadBalancer: {servers: [{port: 80}]}}}}",
    );
}

#[test]
fn what_labels_cannot_set_is_left_unread() {
    check(
        &[
            ("traefik.http.services.s.weighted.services[0].name", "a"),
            ("traefik.http.serverstransports.t.servername", "a"),
            ("traefik.http.routers.r.parentrefs", "a"),
            ("traefik.tcp.services.s.loadbalancer.server.address", "a"),
        ],
        "{http: {services: {s: {}}, routers: {r: {}}}, tcp: {services: {s: {loadBalancer: {servers: [{}]}}}}}",
    );
    assert!(has_no_effect("traefik.http.services.s.Failover.service"));
    assert!(!has_no_effect("traefik.http.services.weighted.loadbalancer.server.port"));
}

#[test]
fn bad_names_are_refused() {
    wrong("traefik.http..routers", "invalid element: traefik.http..routers has two dots in a row, or one at its end");
    wrong("traefik.http.routers.", "invalid element: traefik.http.routers. has two dots in a row, or one at its end");
    wrong("traefik.http.[0]", "[0] is an index without the name of a list before it");
    wrong("traefik.http.a[0", "a[0 should end in an index such as [0]");
    wrong("traefik.http.a]", "a] should end in an index such as [0]");
    wrong("Traefik.http.routers.r.rule", "Traefik is not the root word of labels (did you mean traefik?)");
}
