use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::{to_json, to_node};
use crate::dynamic::{Configuration, RouterTls, WeightedChild, http, tcp};
use crate::read::{Format, document};
use crate::{At, Duration};

#[track_caller]
fn check(yaml: &str, expected: &serde_json::Value) {
    let node = document(yaml, Format::Yaml, "f.yml").unwrap();
    let configuration: Configuration = node.decode().unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(&to_json(&configuration), expected);
}

#[test]
fn defaults_are_shown_as_traefik_shows_them() {
    check(
        "{http: {services: {s: {loadBalancer: {servers: [{url: 'http://x', weight: 0}], healthCheck: {path: /h}}}}}}",
        &json!({"http": {"services": {"s": {"loadBalancer": {
            "servers": [{"url": "http://x", "weight": 0}],
            "strategy": "wrr",
            "healthCheck": {
                "mode": "http", "path": "/h", "interval": "30s", "timeout": "5s", "followRedirects": true
            },
            "passHostHeader": true,
            "responseForwarding": {"flushInterval": "100ms"},
        }}}}}),
    );
    check(
        "{http: {services: {s: {weighted: {services: [{name: a}, {name: b, weight: 0}], sticky: {cookie: {}}}}}}}",
        &json!({"http": {"services": {"s": {"weighted": {
            "services": [{"name": "a", "weight": 1}, {"name": "b", "weight": 0}],
            "sticky": {"cookie": {"path": "/"}},
        }}}}}),
    );
}

#[test]
fn durations_are_spelled_as_go_does_and_none_is_left_out() {
    check(
        "{http: {services: {s: {loadBalancer: {healthCheck: {interval: 0, timeout: 90}, passHostHeader: false}}}}}",
        &json!({"http": {"services": {"s": {"loadBalancer": {
            "strategy": "wrr",
            "healthCheck": {"mode": "http", "timeout": "1m30s", "followRedirects": true},
            "passHostHeader": false,
            "responseForwarding": {"flushInterval": "100ms"},
        }}}}}),
    );
}

#[test]
fn passthrough_is_a_word_of_tcp() {
    check(
        "{tcp: {routers: {r: {service: s, tls: {}}}}, http: {routers: {r: {service: s, tls: {}}}}}",
        &json!({
            "http": {"routers": {"r": {"service": "s", "tls": {}}}},
            "tcp": {"routers": {"r": {"service": "s", "tls": {"passthrough": false}}}},
        }),
    );
}

#[test]
fn what_exists_in_labels_only_is_not_shown() {
    check(
        "{tcp: {services: {s: {loadBalancer: {servers: [{address: 'x:1', port: 5}]}}}}}",
        &json!({"tcp": {"services": {"s": {"loadBalancer": {"servers": [{"address": "x:1"}]}}}}}),
    );
}

/// Printable: YAML allows nothing else unescaped, which is more than JSON asks.
const TEXT: &str = "[ -~äß€]{0,12}";

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9-]{0,8}"
}

/// A list of texts, which cannot hold an empty one: that is how an empty list is written.
fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(name(), 0..3)
}

prop_compose! {
    fn tls()(passthrough: bool, options in TEXT, cert_resolver in TEXT) -> RouterTls {
        RouterTls { passthrough, options, cert_resolver, domains: Vec::new() }
    }
}

prop_compose! {
    fn router()(
        entry_points in names(), middlewares in names(), service in TEXT, rule in TEXT, priority: i64,
        tls in prop::option::of(tls()), metrics in prop::option::of(any::<bool>())
    ) -> http::Router {
        http::Router {
            entry_points,
            middlewares,
            service,
            rule: At::from(rule),
            priority,
            tls: tls.map(|tls| RouterTls { passthrough: false, ..tls }),
            observability: Some(http::RouterObservability { metrics, ..Default::default() }),
            ..Default::default()
        }
    }
}

prop_compose! {
    fn service()(
        urls in names(), weight in prop::option::of(any::<i64>()), interval in 1..i64::MAX, path in TEXT,
        pass_host_header: bool, max_age: i64, headers in prop::collection::btree_map(name(), TEXT, 0..3)
    ) -> http::Service {
        let servers = urls.into_iter().map(|url| http::Server { url, weight, ..Default::default() }).collect();
        let health_check =
            Some(http::HealthCheck { interval: Duration::from_nanos(interval), headers, ..Default::default() });
        let cookie = Some(http::Cookie { max_age, path: Some(path), ..Default::default() });
        http::Service {
            load_balancer: Some(http::LoadBalancer {
                servers, health_check, pass_host_header, sticky: Some(http::Sticky { cookie, header: None }), ..Default::default()
            }),
            ..Default::default()
        }
    }
}

prop_compose! {
    fn configuration()(
        routers in prop::collection::btree_map(name(), router(), 0..4),
        services in prop::collection::btree_map(name(), service(), 0..4),
        tcp_tls in prop::option::of(tls()),
        weights in prop::collection::vec((name(), any::<i64>()), 0..3),
    ) -> Configuration {
        let objects = |map: BTreeMap<String, http::Router>| map.into_iter().map(|(n, r)| (n, r.into())).collect();
        let children = weights.into_iter().map(|(name, weight)| WeightedChild { name, weight: Some(weight) }).collect();
        let weighted = tcp::Weighted { services: children, ..Default::default() };
        let tcp_service = tcp::Service { weighted: Some(weighted), ..Default::default() };
        Configuration {
            http: Some(http::Http {
                routers: objects(routers),
                services: services.into_iter().map(|(name, service)| (name, service.into())).collect(),
                ..Default::default()
            }),
            tcp: Some(tcp::Tcp {
                routers: [("r".to_owned(), tcp::Router { tls: tcp_tls, ..Default::default() }.into())].into(),
                services: [("s".to_owned(), tcp_service.into())].into(),
                ..Default::default()
            }),
            ..Default::default()
        }
    }
}

proptest! {
    #[test]
    fn what_is_shown_decodes_to_the_same(configuration in configuration()) {
        let decoded: Configuration = to_node(&configuration).decode().unwrap();
        prop_assert_eq!(decoded, configuration);
    }

    /// The same through a document: every notation writes what it means to.
    #[test]
    fn a_document_decodes_to_the_same(configuration in configuration()) {
        let text = to_json(&configuration).to_string();
        for format in [Format::Json, Format::Yaml] {
            let decoded: Configuration = document(&text, format, "f").unwrap().decode().unwrap();
            prop_assert_eq!(&decoded, &configuration);
        }
    }
}
