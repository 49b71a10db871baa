//! What is left out, how much of it, and what is said about it.

use super::{Container, check, check_all, labelled, story};

const A_PORT: (&str, &str) = ("traefik.http.services.a.loadbalancer.server.port", "1");
const B_PORT: (&str, &str) = ("traefik.http.services.b.loadbalancer.server.port", "2");

#[test]
fn a_router_that_cannot_be_linked() {
    check(
        &[
            A_PORT,
            B_PORT,
            ("traefik.http.routers.r.rule", "Path(`/`)"),
            ("traefik.http.routers.ok.rule", "Path(`/`)"),
            ("traefik.http.routers.ok.service", "a"),
        ],
        &[
            "router ok: Path(`/`) -> a",
            "service a: http://10.0.0.1:1",
            "service b: http://10.0.0.1:2",
            "! container c0, label traefik.http.routers.r.rule: http.routers.r: Router r cannot be linked automatically with multiple Services: [\"a\" \"b\"]",
        ],
    );
    check(
        &[
            ("traefik.tcp.services.s.loadbalancer.server.port", "3"),
            ("traefik.tcp.services.t.loadbalancer.server.port", "4"),
            ("traefik.tcp.routers.t.rule", "HostSNI(`*`)"),
        ],
        &[
            "tcp service s: 10.0.0.1:3",
            "tcp service t: 10.0.0.1:4",
            "! container c0, label traefik.tcp.routers.t.rule: tcp.routers.t: Router t cannot be linked automatically with multiple Services: [\"s\" \"t\"]",
        ],
    );
    check(
        &[
            ("traefik.udp.services.s.loadbalancer.server.port", "3"),
            ("traefik.udp.services.t.loadbalancer.server.port", "4"),
            ("traefik.udp.routers.u.entrypoints", "dns"),
        ],
        &[
            "udp service s: 10.0.0.1:3",
            "udp service t: 10.0.0.1:4",
            "! container c0, label traefik.udp.routers.u.entrypoints: udp.routers.u: Router u cannot be linked automatically with multiple Services: [\"s\" \"t\"]",
        ],
    );
}

#[test]
fn a_tcp_router_without_a_rule() {
    check(
        &[("traefik.tcp.routers.t.entrypoints", "web"), ("traefik.tcp.services.s.loadbalancer.server.port", "3")],
        &[
            "tcp service s: 10.0.0.1:3",
            "! container c0, label traefik.tcp.routers.t.entrypoints: tcp.routers.t: Empty rule: a TCP router must state its rule",
        ],
    );
}

#[test]
fn a_default_rule_that_renders_to_nothing() {
    let expected = "service c0: http://10.0.0.1:80\n! container c0, label traefik.http.routers.c0: http.routers.c0: \
                    Undefined rule: it has no rule and the default rule renders to nothing\n";
    assert_eq!(story(&[labelled(&[])], "{{ index .Labels \"nope\" }}"), expected);
    let stated = [("traefik.http.routers.r.rule", "Path(`/`)")];
    assert_eq!(
        story(&[labelled(&stated)], "{{ .Nope }}"),
        "router r: Path(`/`) -> c0\nservice c0: http://10.0.0.1:80\n"
    );
}

#[test]
fn a_default_rule_that_fails() {
    let story = story(&[labelled(&[])], "{{ .Nope }}");
    assert!(story.contains("Error while parsing default rule: line 1, column 4: can't evaluate field Nope"), "{story}");
}

#[test]
fn no_port() {
    let silent = |labels| Container { labels, port: None, serving: true, leaving: false };
    check_all(
        &[silent(&[])],
        &[
            "! container c0, label traefik.http.services.c0.loadbalancer.server.port: http.services.c0.loadbalancer.server.port: port is missing",
        ],
    );
    check_all(
        &[silent(&[("traefik.http.routers.r.rule", "Path(`/`)"), ("traefik.http.routers.r.service", "api@internal")])],
        &[
            "! container c0, label traefik.http.services.c0.loadbalancer.server.port: http.services.c0.loadbalancer.server.port: port is missing",
        ],
    );
    // TCP and UDP go with it.
    check_all(
        &[silent(&[
            ("traefik.tcp.routers.t.rule", "HostSNI(`*`)"),
            ("traefik.tcp.services.t.loadbalancer.server.port", "3"),
            ("traefik.http.routers.r.rule", "Path(`/`)"),
        ])],
        &[
            "! container c0, label traefik.http.services.c0.loadbalancer.server.port: http.services.c0.loadbalancer.server.port: port is missing",
        ],
    );
    check_all(
        &[silent(&[("traefik.http.services.s.loadbalancer.server.url", "http://1.2.3.4:5")])],
        &["router c0: Host(`c0`) (default) -> s", "service s: http://1.2.3.4:5"],
    );
}

#[test]
fn a_url_stands_alone() {
    let url = ("traefik.http.services.a.loadbalancer.server.url", "http://1.2.3.4:5");
    let expected = "defining scheme or port is not allowed when URL is defined";
    for other in [
        ("traefik.http.services.a.loadbalancer.server.port", "2"),
        ("traefik.http.services.a.loadbalancer.server.scheme", "https"),
    ] {
        let story = story(&[labelled(&[url, other])], "x");
        assert!(story.starts_with('!') && story.contains(expected), "{story}");
    }
}

#[test]
fn services_of_other_kinds() {
    check(
        &[("traefik.http.services.a.weighted.services[0].name", "x"), ("traefik.tcp.routers.t.rule", "HostSNI(`*`)")],
        &[
            "! container c0, label traefik.http.services.a.weighted.services[0].name: http.services.a: load-balancer is not defined",
        ],
    );
}

/// The whole container is refused, and the message holds all of these.
#[track_caller]
fn refused(labels: &[(&str, &str)], words: &[&str]) {
    let story = story(&[labelled(labels)], "Host(`x`)");
    assert!(story.lines().all(|line| line.starts_with('!')), "{story}");
    for word in words {
        assert!(story.contains(word), "{word} is not in {story}");
    }
}

#[test]
fn typos() {
    refused(
        &[("traefik.http.router.x.rule", "Path(`/`)")],
        &["container c0", "label traefik.http.router.x.rule", "node: router", "did you mean routers"],
    );
    refused(&[("traefik.http.routers.x.rul", "Path(`/`)")], &["did you mean rule"]);
    refused(&[("traefik.http.routers.x.entrypoint", "web")], &["did you mean entryPoints"]);
    refused(&[("traefik.http.service.x.loadbalancer.server.port", "1")], &["did you mean services"]);
    refused(
        &[("traefik.http.services.x.loadbalancer.servers[0].url", "http://x")],
        &["node: servers", "did you mean server"],
    );
    refused(&[("traefik.http.services.x.loadbalancer.server.prt", "1")], &["did you mean port"]);
    refused(&[("traefik.http.services.x.loadbalacer.server.port", "1")], &["did you mean loadBalancer"]);
    refused(&[("traefik.http.middlewares.m.addprefixx.prefix", "/x")], &["did you mean addPrefix"]);
    refused(&[("traefik.http.routers.x.priority", "abc")], &["abc"]);
    refused(&[("traefik.http", "true")], &["label traefik.http"]);
    refused(&[("traefik.tcp.routers.x.tls.passthrouh", "true")], &["did you mean passthrough"]);
    refused(
        &[("traefik.http.routers.x.rul", "a"), ("traefik.http.routers.y.servce", "b")],
        &["did you mean rule", "did you mean service"],
    );
}

#[test]
fn labels_that_nobody_reads_are_named() {
    let automatic = ["router c0: Host(`c0`) (default) -> c0", "service c0: http://10.0.0.1:80"];
    let with = |last| [automatic[0], automatic[1], last];
    check(
        &[("traefik.htpp.routers.x.rule", "Path(`/`)")],
        &with(
            "! container c0, label traefik.htpp.routers.x.rule: htpp: field not found, node: htpp (did you mean http?)",
        ),
    );
    check(&[("traefik.constraint-label", "public")], &automatic);
    check(
        &[("traefik.port", "80")],
        &with(
            "! container c0, label traefik.port: port: the label is of Traefik 1; write traefik.http.routers.c0.rule, traefik.http.services.c0.loadbalancer.server.port",
        ),
    );
}

#[test]
fn one_bad_container_leaves_the_others() {
    check_all(
        &[labelled(&[("traefik.http.router.x.rule", "a")]), labelled(&[])],
        &[
            "router c1: Host(`c1`) (default) -> c1",
            "service c1: http://10.0.0.2:80",
            "! container c0, label traefik.http.router.x.rule: http.router: field not found, node: router (did you mean routers?)",
        ],
    );
}
