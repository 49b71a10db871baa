use crate::dynamic::Configuration;
use crate::read::{Format, document};

/// Pairs that mean what this YAML means.
#[track_caller]
fn check(pairs: &[(&str, &str)], yaml: &str) {
    let node = super::read(pairs.iter().copied(), "/traefik/", &["http", "tcp", "udp", "tls"], "etcd").unwrap();
    let made: Configuration = node.decode().unwrap_or_else(|errors| panic!("{errors}"));
    let expected: Configuration = document(yaml, Format::Yaml, "f").unwrap().decode().unwrap();
    assert_eq!(made, expected);
}

#[test]
fn keys_become_paths() {
    check(
        &[
            ("traefik/http/routers/Web/rule", "Host(`a`)"),
            ("/traefik//http/routers/web/entryPoints/0", "a"),
            ("traefik/HTTP/routers/web/entrypoints/1", "b"),
            ("traefik/http/routers/web/tls/", "true"),
            ("traefik/http/services/s/loadbalancer/servers/0/url", "http://a"),
            ("traefik/http/services/s/loadbalancer/servers/1/url", "http://b"),
            ("traefik/tls/certificates/0/certFile", "c"),
        ],
        "{http: {routers: {web: {rule: Host(`a`), entryPoints: [a, b], tls: {}}},
            services: {s: {loadBalancer: {servers: [{url: 'http://a'}, {url: 'http://b'}]}}}},
          tls: {certificates: [{certFile: c}]}}",
    );
}

#[test]
fn a_list_may_be_one_value_and_a_name_may_be_a_number() {
    check(
        &[("traefik/http/routers/1/middlewares", "a, b"), ("traefik/http/routers/2/rule", "x")],
        "http: {routers: {'1': {middlewares: [a, b]}, '2': {rule: x}}}",
    );
}

#[test]
fn what_lies_elsewhere_is_left_alone() {
    check(&[], "");
    check(&[("traefik", "x"), ("traefikk/http/x", "1"), ("traefik/acme/account", "{}"), ("other/http/a", "b")], "");
}

#[test]
fn errors_name_the_store_and_the_key() {
    let node = super::read([("traefik/http/routers/r/rules", "x")], "traefik", &["http"], "etcd").unwrap();
    assert_eq!(
        node.decode::<Configuration>().unwrap_err().to_string(),
        "etcd, key traefik/http/routers/r/rules: http.routers.r.rules: field not found, node: rules (did you mean rule?)"
    );
}
