//! The index must never change the answer.

use proptest::prelude::*;
use proptest::sample::select;

use super::RouteTable;
use crate::head::Head;
use crate::rank::Route;
use crate::rule::{Syntax, parse_http};

const HOSTS: &[&str] = &["a", "A", "b.a", "c.b.a", "a.", "b.a.", "*.a", "*.b.a", "*.a.", "*.", "*", "x", "*a"];
const ASKED: &[&str] =
    &["a", "b.a", "c.b.a", "a.", "b.a.", "a..", "", ".", ".a", "*.a", "x", "y", "b.x", "C.B.A", "é.b.a"];
const HOST_PATTERNS: &[&str] =
    &["a$", "^b", "^$", ".", r"^[a-c]\.b\.a$", r"(?i)^[A-C]*\.B\.A", r"^(b\.a|c\.b)", r"(?:b\.a)?", r"(?i:\.b\.a)+$"];
const PATH_PATTERNS: &[&str] = &["/b/c", "(/abc|/a/b)$", "^/[a-z]+/b/c", "(/a/b)*$", "(?i)/A/B", "^/a/b(/c|/d)"];
const PATHS: &[&str] = &["/", "/a", "/a/", "/a/b", "/ab", "/abc", "/b", "/a/b/c/d"];
const METHODS: &[&str] = &["GET", "POST"];
const QUERIES: &[&str] = &["a", "a=1", "b=2&a=1", "a=2", ""];

fn leaf_v3() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(HOSTS).prop_map(|host| format!("Host(`{host}`)")),
        2 => select(PATHS).prop_map(|path| format!("Path(`{path}`)")),
        4 => select(PATHS).prop_map(|path| format!("PathPrefix(`{path}`)")),
        1 => select(PATHS).prop_map(|path| format!("PathRegexp(`^{path}?[b-d]*`)")),
        1 => select(PATHS).prop_map(|path| format!("PathRegexp(`^({path}|/b)`)")),
        2 => select(HOST_PATTERNS).prop_map(|pattern| format!("HostRegexp(`{pattern}`)")),
        2 => select(PATH_PATTERNS).prop_map(|pattern| format!("PathRegexp(`{pattern}`)")),
        1 => select(METHODS).prop_map(|method| format!("Method(`{method}`)")),
        1 => select(&["1", "2"][..]).prop_map(|value| format!("Header(`X-A`, `{value}`)")),
        1 => Just("Header(`Host`, `a`)".to_owned()),
        1 => Just("Query(`a`, `1`)".to_owned()),
        1 => Just("ClientIP(`10.0.0.0/8`)".to_owned()),
    ]
}

fn leaf_v2() -> impl Strategy<Value = String> {
    let several = |name: &'static str, of: &'static [&'static str]| {
        proptest::collection::vec(select(of), 1..3).prop_map(move |values| {
            format!("{name}({})", values.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(","))
        })
    };
    prop_oneof![
        4 => several("Host", HOSTS),
        2 => several("Path", PATHS),
        2 => several("PathPrefix", PATHS),
        2 => several("Path", &["/{x}", "/a/{x:b+}", "/{x:a|b}"]),
        2 => several("PathPrefix", &["/a{x}", "/a/{x:b+}/"]),
        1 => several("HostRegexp", &["{x}.a", "{x:[ab]+}", "b.a", "{x}.b.a"]),
        1 => several("Method", METHODS),
        1 => select(&["Query(`a=1`)", "Query(`a={x:[0-9]}`)", "Query(`a=1`,`b={x}`)"][..]).prop_map(str::to_owned),
    ]
}

fn rule(leaf: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    leaf.prop_recursive(4, 12, 3, |inner| {
        let several = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            3 => several.clone().prop_map(|rules| format!("({})", rules.join(" && "))),
            3 => several.prop_map(|rules| format!("({})", rules.join(" || "))),
            1 => inner.prop_map(|rule| format!("!{rule}")),
        ]
    })
}

prop_compose! {
    fn route()(
        (text, syntax) in prop_oneof![
            3 => rule(leaf_v3()).prop_map(|text| (text, Syntax::V3)),
            1 => rule(leaf_v2()).prop_map(|text| (text, Syntax::V2)),
        ],
        priority in 0_i64..4,
        precedence in 0_usize..2,
    ) -> (String, Syntax, i64, usize) {
        (text, syntax, priority, precedence)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_answers_as_trying_every_rule_does(
        routes in proptest::collection::vec(route(), 0..24),
        requests in proptest::collection::vec(
            (select(ASKED), prop::option::weighted(0.2, select(ASKED)), select(PATHS), select(METHODS), select(QUERIES), select(&["1", "2"][..])),
            1..12,
        ),
    ) {
        let routes = routes.into_iter().enumerate().map(|(index, (text, syntax, priority, precedence))| Route {
            rule: parse_http(&text, syntax).unwrap(),
            priority,
            precedence,
            name: format!("r{index}").into(),
            route: (index, text),
        });
        let table = RouteTable::build(routes.collect());
        for (host, cname, path, method, query, header) in requests {
            let headers = [("X-A", header)];
            let head = Head {
                method,
                host,
                cname,
                routing_path: path,
                query: Some(query),
                headers: &headers,
                client_ip: "10.0.0.1".parse().unwrap(),
            };
            prop_assert_eq!(table.find(&head), table.find_linear(&head), "{} {} {:?}", host, path, cname);
        }
    }
}

fn names(routes: &[(&str, i64, usize)]) -> Vec<String> {
    let routes = routes.iter().map(|(name, priority, precedence)| Route {
        rule: parse_http("Host(`a`)", Syntax::V3).unwrap(),
        priority: *priority,
        precedence: *precedence,
        name: (*name).into(),
        route: (),
    });
    RouteTable::build(routes.collect()).routes().map(|route| route.name.to_string()).collect()
}

#[test]
fn rank_is_priority_then_provider_then_name() {
    assert_eq!(names(&[("a", 1, 0), ("b", 2, 1), ("c", -1, 0)]), ["b", "a", "c"]);
    assert_eq!(names(&[("a", 1, 1), ("b", 1, 0)]), ["b", "a"]);
    assert_eq!(names(&[("b", 1, 0), ("a", 1, 0)]), ["a", "b"]);
}

#[test]
fn deep_prefixes_are_no_danger() {
    let routes = (1..3000_u16).map(|length| Route {
        rule: parse_http(&format!("PathPrefix(`/{}`)", "a".repeat(length.into())), Syntax::V3).unwrap(),
        priority: length.into(),
        precedence: 0,
        name: length.to_string().into(),
        route: length,
    });
    let table = RouteTable::build(routes.collect());
    let path = format!("/{}b", "a".repeat(1234));
    let headers: [(&str, &str); 0] = [];
    let head = Head {
        method: "GET",
        host: "",
        cname: None,
        routing_path: &path,
        query: None,
        headers: &headers,
        client_ip: "::1".parse().unwrap(),
    };
    assert_eq!(table.find(&head), Some(&1234));
}

#[test]
fn candidates_tell_of_every_route_whether_its_rule_holds() {
    let route = |name: &str, rule: &str, priority| Route {
        rule: parse_http(rule, Syntax::V3).unwrap(),
        priority,
        precedence: 0,
        name: name.into(),
        route: (),
    };
    let table = RouteTable::build(vec![route("low", "PathPrefix(`/`)", 1), route("high", "Host(`a`)", 2)]);
    let headers: [(&str, &str); 0] = [];
    let head = Head {
        method: "GET",
        host: "b",
        cname: None,
        routing_path: "/",
        query: None,
        headers: &headers,
        client_ip: "::1".parse().unwrap(),
    };
    let told: Vec<_> = table.candidates(&head).map(|(route, holds)| (&*route.name, holds)).collect();
    assert_eq!(told, [("high", false), ("low", true)]);
}
