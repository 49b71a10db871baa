//! The index must never change the answer.

use proptest::prelude::*;
use proptest::sample::select;

use super::TcpTable;
use crate::rank::Route;
use crate::rule::{Syntax, parse_tcp};
use crate::tcp::Connection;

const LEAVES: &[&str] = &[
    "HostSNI(`a`)",
    "HostSNI(`B.a`)",
    "HostSNI(`*.a`)",
    "HostSNI(`*`)",
    "HostSNI(`a.`)",
    "HostSNIRegexp(`b`)",
    "HostSNIRegexp(`^$`)",
    "ALPN(`h2`)",
    "ClientIP(`10.0.0.0/8`)",
];

fn rule() -> impl Strategy<Value = String> {
    select(LEAVES).prop_map(str::to_owned).prop_recursive(3, 10, 3, |inner| {
        let several = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several.clone().prop_map(|rules| format!("({})", rules.join(" && "))),
            several.prop_map(|rules| format!("({})", rules.join(" || "))),
            inner.prop_map(|rule| format!("!{rule}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_answers_as_trying_every_rule_does(
        rules in proptest::collection::vec((rule(), 0_i64..3), 0..10),
        server_name in select(&["", "a", "b.a", "c.b.a", "a.", ".a", "x"][..]),
        protocol in select(&["h2", "h3"][..]),
    ) {
        let routes = rules.into_iter().enumerate().map(|(index, (text, priority))| Route {
            rule: parse_tcp(&text, Syntax::V3).unwrap(),
            priority,
            precedence: 0,
            name: index.to_string().into(),
            route: text,
        });
        let table = TcpTable::build(routes.collect());
        let alpn = [protocol.as_bytes().to_vec()];
        let connection = Connection { server_name, alpn: &alpn, client_ip: "10.0.0.1".parse().unwrap() };
        prop_assert_eq!(table.find(&connection), table.find_linear(&connection));
    }
}
