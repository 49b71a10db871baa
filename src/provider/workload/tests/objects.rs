//! What is automatic and what is stated.

use super::{Container, check, check_all, labelled, story};

const LB_PORT: &str = "traefik.http.services.a.loadbalancer.server.port";

#[test]
fn nothing_stated() {
    check(&[], &["router c0: Host(`c0`) (default) -> c0", "service c0: http://10.0.0.1:80"]);
    check(
        &[("com.example", "x"), ("traefik.enable", "true"), ("traefik.docker.network", "n")],
        &["router c0: Host(`c0`) (default) -> c0", "service c0: http://10.0.0.1:80"],
    );
}

#[test]
fn a_router_and_no_service() {
    check(
        &[("traefik.http.routers.r.rule", "Path(`/`)")],
        &["router r: Path(`/`) -> c0", "service c0: http://10.0.0.1:80"],
    );
    check(
        &[("traefik.http.routers.r.entrypoints", "web")],
        &["router r: Host(`c0`) (default) -> c0", "service c0: http://10.0.0.1:80"],
    );
    // A router that points elsewhere does not stop the automatic service.
    check(
        &[("traefik.http.routers.r.rule", "Path(`/`)"), ("traefik.http.routers.r.service", "api@internal")],
        &["router r: Path(`/`) -> api@internal", "service c0: http://10.0.0.1:80"],
    );
}

#[test]
fn a_service_and_no_router() {
    check(&[(LB_PORT, "8080")], &["router c0: Host(`c0`) (default) -> a", "service a: http://10.0.0.1:8080"]);
    check(
        &[(LB_PORT, "1"), ("traefik.http.services.b.loadbalancer.server.port", "2")],
        &["service a: http://10.0.0.1:1", "service b: http://10.0.0.1:2"],
    );
}

#[test]
fn servers() {
    check(
        &[("traefik.http.services.a.loadbalancer.server.url", "http://1.2.3.4:5")],
        &["router c0: Host(`c0`) (default) -> a", "service a: http://1.2.3.4:5"],
    );
    check(
        &[
            ("traefik.http.services.a.loadbalancer.server.scheme", "h2c"),
            ("traefik.http.services.a.loadbalancer.server.weight", "3"),
        ],
        &["router c0: Host(`c0`) (default) -> a", "service a: h2c://10.0.0.1:80"],
    );
    // The snapshot's builder refuses what is no port.
    check(&[(LB_PORT, "abc")], &["router c0: Host(`c0`) (default) -> a", "service a: http://10.0.0.1:abc"]);
}

#[test]
fn names_keep_the_case_they_were_first_written_in() {
    check(
        &[("traefik.http.routers.Foo.rule", "Path(`/a`)")],
        &["router Foo: Path(`/a`) -> c0", "service c0: http://10.0.0.1:80"],
    );
    check(
        &[("traefik.http.routers.Foo.rule", "Path(`/a`)"), ("traefik.http.routers.foo.entrypoints", "web")],
        &["router Foo: Path(`/a`) -> c0", "service c0: http://10.0.0.1:80"],
    );
    check(
        &[("traefik.HTTP.Routers.r.Rule", "Path(`/a`)"), ("traefik.http.routers.r.SERVICE", "x@file")],
        &["router r: Path(`/a`) -> x@file", "service c0: http://10.0.0.1:80"],
    );
}

#[test]
fn middlewares_alone_do_not_stop_automatic_objects() {
    check(
        &[("traefik.http.middlewares.m.addprefix.prefix", "/x")],
        &["router c0: Host(`c0`) (default) -> c0", "service c0: http://10.0.0.1:80", "middleware m"],
    );
}

#[test]
fn tcp() {
    let rule = ("traefik.tcp.routers.t.rule", "HostSNI(`*`)");
    check(&[rule], &["tcp router t: HostSNI(`*`) -> c0", "tcp service c0: 10.0.0.1:80"]);
    check(&[("traefik.tcp.services.s.loadbalancer.server.port", "3")], &["tcp service s: 10.0.0.1:3"]);
    check(
        &[rule, ("traefik.tcp.services.s.loadbalancer.server.port", "3")],
        &["tcp router t: HostSNI(`*`) -> s", "tcp service s: 10.0.0.1:3"],
    );
    check(
        &[rule, ("traefik.http.middlewares.m.addprefix.prefix", "/x")],
        &[
            "router c0: Host(`c0`) (default) -> c0",
            "service c0: http://10.0.0.1:80",
            "middleware m",
            "tcp router t: HostSNI(`*`) -> c0",
            "tcp service c0: 10.0.0.1:80",
        ],
    );
    check(
        &[rule, ("traefik.http.routers.r.rule", "Path(`/`)")],
        &[
            "router r: Path(`/`) -> c0",
            "service c0: http://10.0.0.1:80",
            "tcp router t: HostSNI(`*`) -> c0",
            "tcp service c0: 10.0.0.1:80",
        ],
    );
}

#[test]
fn udp() {
    check(&[("traefik.udp.routers.u.entrypoints", "dns")], &["udp router u -> c0", "udp service c0: 10.0.0.1:80"]);
    check(&[("traefik.udp.services.u.loadbalancer.server.port", "53")], &["udp service u: 10.0.0.1:53"]);
    check(
        &[("traefik.udp.routers.u.service", "x@file"), ("traefik.udp.services.s.loadbalancer.server.port", "53")],
        &["udp router u -> x@file", "udp service s: 10.0.0.1:53"],
    );
}

#[test]
fn what_labels_cannot_state_is_passed_over() {
    let automatic = ["router c0: Host(`c0`) (default) -> c0", "service c0: http://10.0.0.1:80"];
    check(&[("traefik.http.serverstransports.x.insecureskipverify", "perhaps")], &automatic);
    check(&[("traefik.http.models.x.nonsense", "y")], &automatic);
    check(&[("traefik.tcp.serverstransports.x.nonsense", "y")], &automatic);
    check(&[("traefik.tls.options.x.minversion", "y")], &automatic);
    check(&[("traefik.tls.stores.other.nonsense", "y")], &automatic);
    check(
        &[("traefik.http.routers.r.parentrefs", "a"), ("traefik.http.routers.r.rule", "Path(`/`)")],
        &["router r: Path(`/`) -> c0", "service c0: http://10.0.0.1:80"],
    );
}

#[test]
fn the_default_store_can_be_stated() {
    check(
        &[("traefik.tls.stores.default.defaultgeneratedcert.resolver", "x")],
        &["router c0: Host(`c0`) (default) -> c0", "service c0: http://10.0.0.1:80", "tls store default"],
    );
}

#[test]
fn who_does_not_serve_keeps_empty_services() {
    let stopped = |labels| Container { labels, port: None, serving: false, leaving: false };
    check_all(&[stopped(&[])], &["router c0: Host(`c0`) (default) -> c0", "service c0: "]);
    check_all(&[stopped(&[(LB_PORT, "80")])], &["router c0: Host(`c0`) (default) -> a", "service a: "]);
    check_all(
        &[stopped(&[
            ("traefik.tcp.routers.t.rule", "HostSNI(`*`)"),
            ("traefik.tcp.services.t.loadbalancer.server.port", "3"),
        ])],
        &["tcp router t: HostSNI(`*`) -> t", "tcp service t: "],
    );
    check_all(&[stopped(&[("traefik.udp.routers.u.entrypoints", "dns")])], &["udp router u -> c0", "udp service c0: "]);
    // Where it leads was stated and does not depend on the container.
    check_all(
        &[stopped(&[("traefik.http.services.s.loadbalancer.server.url", "http://1.2.3.4")])],
        &["router c0: Host(`c0`) (default) -> s", "service s: http://1.2.3.4"],
    );
    check_all(
        &[stopped(&[("traefik.http.services.s.weighted.services[0].name", "x")])],
        &["router c0: Host(`c0`) (default) -> s", "service s: "],
    );
}

#[test]
fn a_default_rule_that_is_only_space_is_a_rule() {
    assert_eq!(story(&[labelled(&[])], " ").lines().next(), Some("router c0:   (default) -> c0"));
}
