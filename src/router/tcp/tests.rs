use super::{Connection, default_priority};
use crate::rule::{Syntax, parse_tcp};

#[track_caller]
fn check(syntax: Syntax, rule: &str, expected: bool, server_name: &str, alpn: &[&str], client: &str) {
    let rule = parse_tcp(rule, syntax).unwrap();
    let alpn: Vec<_> = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let connection = Connection { server_name, alpn: &alpn, client_ip: client.parse().unwrap() };
    assert_eq!(rule.matches(&connection), expected);
}

#[track_caller]
fn names(rule: &str, yes: &[&str], no: &[&str]) {
    named(Syntax::V3, rule, yes, no);
}

#[track_caller]
fn named(syntax: Syntax, rule: &str, yes: &[&str], no: &[&str]) {
    for (names, expected) in [(yes, true), (no, false)] {
        for name in names {
            check(syntax, rule, expected, name, &[], "10.0.0.1");
        }
    }
}

#[test]
fn server_names() {
    names("HostSNI(`*`)", &["", "a.b"], &[]);
    names("HostSNI(`A.b.`)", &["a.b"], &["", "a.b.c"]);
    names("HostSNI(`*.b`)", &["a.b"], &["", "b", "x.a.b"]);
    names("HostSNIRegexp(`^a.+$`)", &["ab"], &["a", ""]);
    names("HostSNI(`a`) || !HostSNI(`b`)", &["a", "c", ""], &["b"]);
    named(Syntax::V2, "HostSNI(`a`, `b.`)", &["a", "b"], &["c", ""]);
    named(Syntax::V2, "HostSNI(`a`, `*`)", &["a", "b"], &[""]);
    named(Syntax::V2, "HostSNI(`*`, `a`)", &["a", ""], &[]);
    named(Syntax::V2, "HostSNIRegexp(`{x:[a-z]+}.b`, `c`)", &["X.b", "C"], &["1.b", "cc"]);
}

#[test]
fn protocols_and_clients() {
    check(Syntax::V3, "ALPN(`h2`)", true, "", &["http/1.1", "h2"], "10.0.0.1");
    check(Syntax::V3, "ALPN(`h2`)", false, "", &["h3"], "10.0.0.1");
    check(Syntax::V2, "ALPN(`h2`, `h3`)", true, "", &["h3"], "10.0.0.1");
    check(Syntax::V3, "ClientIP(`10.0.0.0/8`)", true, "", &[], "::ffff:10.0.0.1");
    check(Syntax::V3, "ClientIP(`10.0.0.0/8`)", false, "", &[], "11.0.0.1");
    check(Syntax::V2, "ClientIP(`10.0.0.0/8`, `::1`)", true, "", &[], "::1");
}

#[test]
fn wrong_rules_are_refused() {
    let refused = |syntax, rule: &str, expected: &str| {
        assert_eq!(parse_tcp(rule, syntax).unwrap_err().to_string(), expected);
    };
    refused(
        Syntax::V3,
        "HostSNI(`a`, `b`)",
        "column 1: HostSNI takes exactly one argument, not 2; expected HostSNI(`a`) || HostSNI(`b`)",
    );
    refused(
        Syntax::V3,
        "HostSNI(`a b`)",
        "column 9: `a b` is no host name; expected a name such as db.example.com or *.example.com, or `*`",
    );
    refused(
        Syntax::V2,
        "HostSNI(`*.b`)",
        "column 9: `*.b` is no host name; expected a name such as db.example.com, or `*`",
    );
    refused(
        Syntax::V3,
        "ALPN(`acme-tls/1`)",
        "column 6: ALPN cannot be `acme-tls/1`: it is answered by TrafficCop itself",
    );
    refused(Syntax::V3, "Host(`a`)", "column 1: there is no matcher `Host`; did you mean `HostSNI`?");
}

#[test]
fn the_catch_all_comes_last() {
    assert_eq!(default_priority("HostSNI(`*`)"), -1);
    assert_eq!(default_priority("(hostsni(\"*\"))"), -1);
    assert_eq!(default_priority("HostSNI(`a`)"), 12);
    assert_eq!(default_priority("HostSNI(`*`) && ALPN(`h2`)"), 26);
    assert!(parse_tcp("HostSNI(`*`)", Syntax::V3).unwrap().is_catch_all());
    assert!(!parse_tcp("HostSNI(`a`)", Syntax::V3).unwrap().is_catch_all());
}
