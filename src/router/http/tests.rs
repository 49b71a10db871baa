//! What each matcher says of a request, through whole rules.

use crate::head::Head;
use crate::rule::{RuleError, Syntax, parse_http};
use crate::{canonical_host, routing_path};

/// A request in one line: `METHOD host/path?query`, then headers as `name: value` lines.
#[track_caller]
fn holds(syntax: Syntax, rule: &str, request: &str) -> bool {
    let rule = parse_http(rule, syntax).unwrap();
    let mut lines = request.lines();
    let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
    let (target, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let (host, path) = target.split_at(target.find('/').unwrap());
    let headers: Vec<_> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    let headers = headers.as_slice();
    rule.matches(&Head {
        method,
        host: &canonical_host(host.as_bytes()).unwrap(),
        cname: None,
        routing_path: &routing_path(path).unwrap(),
        query,
        headers: &headers,
        client_ip: "10.0.0.1".parse().unwrap(),
    })
}

#[track_caller]
fn checked(syntax: Syntax, rule: &str, yes: &[&str], no: &[&str]) {
    for request in yes {
        assert!(holds(syntax, rule, request), "{rule} should hold for {request}");
    }
    for request in no {
        assert!(!holds(syntax, rule, request), "{rule} should not hold for {request}");
    }
}

#[track_caller]
fn check(rule: &str, yes: &[&str], no: &[&str]) {
    checked(Syntax::V3, rule, yes, no);
}

#[track_caller]
fn check_v2(rule: &str, yes: &[&str], no: &[&str]) {
    checked(Syntax::V2, rule, yes, no);
}

#[track_caller]
fn error(rule: &str, syntax: Syntax) -> RuleError {
    parse_http(rule, syntax).unwrap_err()
}

#[track_caller]
fn refused(rule: &str, expected: &str) {
    assert_eq!(error(rule, Syntax::V3).to_string(), expected);
}

#[track_caller]
fn refused_v2(rule: &str, expected: &str) {
    assert_eq!(error(rule, Syntax::V2).to_string(), expected);
}

#[test]
fn host() {
    check(
        "Host(`A.test`)",
        &["GET a.TEST/", "GET a.test:8080/", "GET a.test./"],
        &["GET b.a.test/", "GET /", "GET a.test../"],
    );
    check("Host(`a.test.`)", &["GET a.test/", "GET a.test./"], &["GET a/"]);
    check("Host(`*.test`)", &["GET a.test/", "GET .test/", "GET a.test./"], &["GET test/", "GET b.a.test/"]);
    check("Host(`*`)", &["GET /", "GET a/"], &[]);
    check("Host(`*a`)", &[], &["GET a/", "GET ba/"]);
    check("Host(`::1`)", &["GET [::1]/", "GET [::1]:80/"], &["GET [::2]/"]);
    check("!Host(`a`)", &["GET b/", "GET /"], &["GET a/"]);
}

#[test]
fn host_regexp() {
    check("HostRegexp(`^a+\\.test$`)", &["GET AA.test/"], &["GET b.test/", "GET a.test./"]);
    check("HostRegexp(`b`)", &["GET abc/"], &["GET ac/"]);
    check("HostRegexp(`^$`)", &["GET a/", "GET /"], &[]);
}

#[test]
fn a_cname_counts_as_the_host() {
    let rule = |text| parse_http(text, Syntax::V3).unwrap();
    let headers: [(&str, &str); 0] = [];
    let head = Head {
        method: "GET",
        host: "www.a.",
        cname: Some("cdn.b"),
        routing_path: "/",
        query: None,
        headers: &headers,
        client_ip: "::1".parse().unwrap(),
    };
    assert!(rule("Host(`cdn.b`)").matches(&head));
    assert!(rule("Host(`*.b`)").matches(&head));
    assert!(rule("HostRegexp(`^cdn`)").matches(&head));
    assert!(!rule("Host(`www.a`)").matches(&head));
    assert!(rule("Host(`www.a`)").matches(&Head { cname: None, ..head }));
}

#[test]
fn paths() {
    check("Path(`/a b`)", &["GET h/a%20b"], &["GET h/a%20b/"]);
    check("Path(`/a%2Fb`)", &["GET h/a%2Fb", "GET h/a%2fb"], &["GET h/a/b"]);
    check("PathPrefix(`/foo`)", &["GET h/foo", "GET h/foobar", "GET h/%66oo"], &["GET h/fo"]);
    check("PathRegexp(`^/[0-9]+$`)", &["GET h/12"], &["GET h/a", "GET h/12/"]);
    check("PathRegexp(`b`)", &["GET h/abc"], &["GET h/ac"]);
    check("PathRegexp(`^/caf.$`)", &["GET h/caf%C3%A9", "GET h/caf%E9"], &["GET h/caf"]);
}

#[test]
fn method_and_client() {
    check("Method(`get`)", &["GET h/"], &["get h/", "POST h/"]);
    check("ClientIP(`10.0.0.0/8`)", &["GET h/"], &[]);
    check("ClientIP(`10.0.0.2`)", &[], &["GET h/"]);
    check_v2("ClientIP(`::1`, `10.0.0.1`)", &["GET h/"], &[]);
    check_v2("Method(`post`, `put`)", &["PUT h/"], &["GET h/"]);
}

#[test]
fn headers() {
    check("Header(`x-a`, `1`)", &["GET h/\nX-A: 0\nX-A: 1"], &["GET h/", "GET h/\nX-A: 11"]);
    check("HeaderRegexp(`X-A`, `^[0-9]$`)", &["GET h/\nx-a: 1"], &["GET h/\nx-a: a", "GET h/"]);
    check("Header(`Host`, `h`)", &[], &["GET h/\nHost: h"]);
    check_v2("Headers(`X-A`, `1`, `X-B`, `2`)", &["GET h/\nX-A: 1\nX-B: 2"], &["GET h/\nX-A: 1"]);
    check_v2("Headers(`X-A`, `1`, `X-A`, `2`)", &["GET h/\nX-A: 2"], &["GET h/\nX-A: 1"]);
    check_v2("HeadersRegexp(`X-A`, `b`)", &["GET h/\nX-A: abc"], &["GET h/\nX-A: ac"]);
}

#[test]
fn queries() {
    check("Query(`a`)", &["GET h/?a", "GET h/?a=", "GET h/?a=1&a="], &["GET h/", "GET h/?a=1", "GET h/?b"]);
    check("Query(`a`, `b c`)", &["GET h/?a=1&a=b+c"], &["GET h/?a=b", "GET h/?a"]);
    check("QueryRegexp(`a`)", &["GET h/?a"], &["GET h/?a=1"]);
    check("QueryRegexp(`a`, `^[0-9]+$`)", &["GET h/?a=x&a=%31"], &["GET h/?a=x"]);
    check_v2("Query(`a=1`, `b=2`)", &["GET h/?b=2&a=1"], &["GET h/?a=1"]);
    check_v2("Query(`a`, `1`)", &["GET h/?a=1&a=2"], &["GET h/?a=2&a=1"]);
    check_v2("Query(`a=`)", &["GET h/?a=x", "GET h/?a"], &["GET h/?b"]);
    check_v2("Query(`a={n:[0-9]+}x`)", &["GET h/?a=1x"], &["GET h/?a=x", "GET h/?a=1xx"]);
}

#[test]
fn templates_of_version_2() {
    check_v2("Host(`a`, `B`)", &["GET b/", "GET a./"], &["GET c/"]);
    check_v2("HostHeader(`a`)", &["GET a/"], &["GET b/"]);
    check_v2("Host(`*.a`)", &[], &["GET b.a/"]);
    check_v2("HostRegexp(`{s:[a-z]+}.a`, `c`)", &["GET B.a/", "GET c/"], &["GET 1.a/", "GET c./", "GET bxa/"]);
    check_v2("HostRegexp(`{s}.a`)", &["GET 1.a/"], &["GET x.y.a/"]);
    check_v2("Path(`/i/{id:[0-9]+}`, `/j`)", &["GET h/i/1", "GET h/j"], &["GET h/i/x", "GET h/j/", "GET h/i/1/"]);
    check_v2("PathPrefix(`/i/{id}/x`)", &["GET h/i/1/xy"], &["GET h/i/x"]);
}

#[test]
fn the_four_letter_cases_of_names() {
    for rule in ["HostRegexp(`^h$`)", "hostregexp(`^h$`)", "HOSTREGEXP(`^h$`)", "Hostregexp(`^h$`)"] {
        check(rule, &["GET h/"], &["GET i/"]);
    }
    let error = error("hostRegexp(`h`)", Syntax::V3);
    assert_eq!((error.column, error.nearest), (1, Some("HostRegexp")));
}

#[test]
fn wrong_rules_are_refused_with_advice() {
    refused("Hots(`a`)", "column 1: there is no matcher `Hots`; did you mean `Host`?");
    refused("Host(`a`) && PathPrefx(`/`)", "column 14: there is no matcher `PathPrefx`; did you mean `PathPrefix`?");
    refused("Host(`a`, `b`)", "column 1: Host takes exactly one argument, not 2; expected Host(`a`) || Host(`b`)");
    refused("Host()", "column 1: Host has no argument");
    refused("Host(``)", "column 6: an argument of Host is empty");
    refused("Host(`é`)", "column 6: Host takes ASCII only; expected an international name in its xn-- form");
    refused("Path(`a`)", "column 6: the path `a` does not begin with a slash; expected `/a`");
    refused("Header(`a`)", "column 1: Header takes exactly 2 arguments, not 1");
    refused("Query(`a`, `b`, `c`)", "column 1: Query takes 1 or 2 arguments, not 3");
    refused("PathRegexp(`^/(`)", "column 12: the regular expression is not valid: unclosed group");
    refused(
        "PathRegexp(`^/a(?=b)`)",
        "column 16: the regular expression is not valid: looking ahead or behind is not possible",
    );
    refused(
        "ClientIP(`10.0`)",
        "column 10: `10.0` is no address; expected an IP address such as 10.0.0.1, or a range such as 10.0.0.0/8 or fd00::/8",
    );
    refused(
        "HostHeader(`a`)",
        "column 1: `HostHeader` belongs to rule syntax v2, this rule has syntax v3; expected Host(`…`); did you mean `Host`?",
    );
    refused(
        "Headers(`a`, `b`)",
        "column 1: `Headers` belongs to rule syntax v2, this rule has syntax v3; expected Header(`name`, `value`); did you mean `Header`?",
    );
    refused_v2(
        "PathRegexp(`a`)",
        "column 1: `PathRegexp` belongs to rule syntax v3, this rule has syntax v2; expected Path(`/{name:pattern}`); did you mean `Path`?",
    );
    refused_v2("Headers(`a`)", "column 1: Headers takes pairs of a name and a value");
    refused_v2("Query(`a`)", "column 1: Query takes pairs of a key and a value; expected Query(`key=value`)");
    refused_v2("Query(`a={x}`, `b={x:1}`)", "column 16: the variable `x` is in two values of this Query");
    refused_v2("Query(`a}=1`)", "column 7: the regular expression is not valid: braces are not balanced");
    refused_v2("Path(`/{a`)", "column 8: the regular expression is not valid: braces are not balanced");
}

#[test]
fn braces_of_version_2_are_remarked_upon() {
    let remarks = |rule: &str| {
        let rule = parse_http(rule, Syntax::V3).unwrap();
        rule.remarks().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let expected =
        "column 12: braces in HostRegexp stand for themselves in rule syntax v3; expected HostRegexp(`pattern`)";
    assert_eq!(remarks("HostRegexp(`{sub:[a-z]+}.a`)"), [expected]);
    let expected = "column 6: braces in Path stand for themselves in rule syntax v3; expected PathRegexp(`^/pattern`)";
    assert_eq!(remarks("Path(`/{id}`)"), [expected]);
    assert!(remarks("PathRegexp(`^/[a-z]{2}`) && Host(`a`)").is_empty());
}

#[test]
fn the_hosts_a_rule_names() {
    let rule = parse_http("host(`A.b`) || (HOST(`c`) && !Host(`d`)) || HostRegexp(`e`)", Syntax::V3).unwrap();
    assert_eq!(rule.domains().as_ref(), ["a.b", "c"]);
    assert_eq!(parse_http("!(Path(`/x`) && !Host(`a`))", Syntax::V3).unwrap().domains().as_ref(), ["a"]);
    assert_eq!(parse_http("Host(`a`,`b`)", Syntax::V2).unwrap().domains().as_ref(), ["a", "b"]);
}
