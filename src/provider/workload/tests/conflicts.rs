//! Several containers that define the same names.

use super::{Container, check_all, labelled};

const S_PORT: &str = "traefik.http.services.s.loadbalancer.server.port";
const R_RULE: &str = "traefik.http.routers.r.rule";

#[test]
fn replicas_become_one() {
    let replica = [(R_RULE, "Path(`/`)"), (S_PORT, "81"), ("traefik.http.middlewares.m.addprefix.prefix", "/x")];
    check_all(
        &[labelled(&replica), labelled(&replica)],
        &["router r: Path(`/`) -> s", "service s: http://10.0.0.1:81 http://10.0.0.2:81", "middleware m"],
    );
}

#[test]
fn services_that_differ_in_servers_become_one() {
    let with_port = |port| [(R_RULE, "Path(`/`)"), (S_PORT, port)];
    check_all(
        &[labelled(&with_port("1")), labelled(&with_port("2"))],
        &["router r: Path(`/`) -> s", "service s: http://10.0.0.1:1 http://10.0.0.2:2"],
    );
}

#[test]
fn equal_servers_are_one_and_the_first_stays() {
    let url = |weight| {
        [
            (R_RULE, "Path(`/`)"),
            ("traefik.http.services.s.loadbalancer.server.url", "http://1.2.3.4"),
            ("traefik.http.services.s.loadbalancer.server.weight", weight),
        ]
    };
    check_all(&[labelled(&url("1")), labelled(&url("2"))], &["router r: Path(`/`) -> s", "service s: http://1.2.3.4"]);
}

#[test]
fn services_that_differ_otherwise_vanish() {
    let first = [(R_RULE, "Path(`/`)"), (S_PORT, "1")];
    let second =
        [(R_RULE, "Path(`/`)"), (S_PORT, "1"), ("traefik.http.services.s.loadbalancer.passhostheader", "false")];
    check_all(
        &[labelled(&first), labelled(&second), labelled(&first)],
        &[
            "router r: Path(`/`) -> s",
            "! container c0, label traefik.http.services.s.loadbalancer.server.port: http.services.s: HTTP service defined multiple times with different configurations in [c0-id c1-id c2-id]",
        ],
    );
}

#[test]
fn routers_and_middlewares_that_differ_vanish() {
    let other = |rule, prefix| [(R_RULE, rule), (S_PORT, "1"), ("traefik.http.middlewares.m.addprefix.prefix", prefix)];
    check_all(
        &[labelled(&other("Path(`/a`)", "/1")), labelled(&other("Path(`/b`)", "/2"))],
        &[
            "service s: http://10.0.0.1:1 http://10.0.0.2:1",
            "! container c0, label traefik.http.routers.r.rule: http.routers.r: HTTP router defined multiple times with different configurations in [c0-id c1-id]",
            "! container c0, label traefik.http.middlewares.m.addprefix.prefix: http.middlewares.m: HTTP middleware defined multiple times with different configurations in [c0-id c1-id]",
        ],
    );
}

#[test]
fn tcp_and_udp_servers_add_up() {
    let labels = |tcp, udp| {
        [
            ("traefik.tcp.routers.t.rule", "HostSNI(`*`)"),
            ("traefik.tcp.services.t.loadbalancer.server.port", tcp),
            ("traefik.udp.routers.u.entrypoints", "dns"),
            ("traefik.udp.services.u.loadbalancer.server.port", udp),
        ]
    };
    check_all(
        &[labelled(&labels("1", "53")), labelled(&labels("2", "54"))],
        &[
            "tcp router t: HostSNI(`*`) -> t",
            "tcp service t: 10.0.0.1:1 10.0.0.2:2",
            "udp router u -> u",
            "udp service u: 10.0.0.1:53 10.0.0.2:54",
        ],
    );
}

#[test]
fn a_replica_that_does_not_serve_adds_no_server() {
    let replica = [(R_RULE, "Path(`/`)"), (S_PORT, "81")];
    check_all(
        &[Container { labels: &replica, port: None, serving: false, leaving: false }, labelled(&replica)],
        &["router r: Path(`/`) -> s", "service s: http://10.0.0.2:81"],
    );
}

#[test]
fn a_service_without_a_kind_does_not_merge_with_another() {
    let weighted = [
        ("traefik.http.services.s.weighted.services[0].name", "x"),
        (R_RULE, "Path(`/`)"),
        ("traefik.http.routers.r.service", "s"),
    ];
    check_all(
        &[
            Container { labels: &weighted, port: None, serving: false, leaving: false },
            labelled(&[(R_RULE, "Path(`/`)"), (S_PORT, "1")]),
        ],
        &[
            "router r: Path(`/`) -> s",
            "! container c0, label traefik.http.services.s.weighted.services[0].name: http.services.s: HTTP service defined multiple times with different configurations in [c0-id c1-id]",
        ],
    );
}

#[test]
fn who_leaves_keeps_only_names_that_nobody_else_has() {
    let leaving = |labels| Container { labels, port: None, serving: false, leaving: true };
    let labels = [(R_RULE, "Path(`/old`)"), (S_PORT, "81")];
    check_all(&[leaving(&labels)], &["router r: Path(`/old`) -> s", "service s: "]);
    let changed =
        [(R_RULE, "Path(`/new`)"), (S_PORT, "82"), ("traefik.http.services.s.loadbalancer.passhostheader", "false")];
    check_all(
        &[leaving(&labels), labelled(&changed)],
        &["router r: Path(`/new`) -> s", "service s: http://10.0.0.2:82"],
    );
}

#[test]
fn who_leaves_does_not_bring_back_what_conflicts() {
    let leaving =
        Container { labels: &[(R_RULE, "Path(`/1`)"), (S_PORT, "1")], port: None, serving: false, leaving: true };
    let (second, third) = ([(R_RULE, "Path(`/2`)"), (S_PORT, "1")], [(R_RULE, "Path(`/3`)"), (S_PORT, "1")]);
    check_all(
        &[leaving, labelled(&second), labelled(&third)],
        &[
            "service s: http://10.0.0.2:1 http://10.0.0.3:1",
            "! container c1, label traefik.http.routers.r.rule: http.routers.r: HTTP router defined multiple times with different configurations in [c1-id c2-id]",
        ],
    );
}
