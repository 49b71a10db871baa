//! What refuses the start: each with its place, and with the nearest right name where there is one.

use super::{flags, toml, variables, yaml};
use crate::ConfigErrors;
use crate::settings::Loaded;

#[track_caller]
fn refused(loaded: Result<Loaded, ConfigErrors>, expected: &[&str]) {
    let errors = loaded.expect_err("it should be refused");
    assert_eq!(errors.0.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

#[test]
fn typos_in_files() {
    let check = |text: &str, expected: &str| refused(yaml(text), &[expected]);
    check(
        "entryPoints:\n  web:\n    adress: ':1'",
        "traefik.yml:3:5: entryPoints.web.adress: field not found, node: adress (did you mean address?)",
    );
    check(
        "providers: {dokcer: {}}",
        "traefik.yml:1:13: providers.dokcer: field not found, node: dokcer (did you mean docker?)",
    );
    check(
        "api: {dashbord: true}",
        "traefik.yml:1:7: api.dashbord: field not found, node: dashbord (did you mean dashboard?)",
    );
    check("log: {levl: INFO}", "traefik.yml:1:7: log.levl: field not found, node: levl (did you mean level?)");
    check(
        "ping: {entrypiont: web}",
        "traefik.yml:1:8: ping.entrypiont: field not found, node: entrypiont (did you mean entryPoint?)",
    );
    check(
        "accessLog: {filters: {statusCode: '200'}}",
        "traefik.yml:1:23: accessLog.filters.statusCode: field not found, node: statusCode (did you mean statusCodes?)",
    );
    check(
        "certificatesResolvers: {le: {acme: {mail: a@b.test}}}",
        "traefik.yml:1:37: certificatesResolvers.le.acme.mail: field not found, node: mail (did you mean email?)",
    );
    refused(
        toml("[entryPoints.web]\naddress = \":1\"\n[entryPoints.web.http.tsl]\n"),
        &["traefik.toml:3:23: entryPoints.web.http.tsl: field not found, node: tsl (did you mean tls?)"],
    );
}

#[test]
fn bad_values() {
    let check = |text: &str, expected: &str| refused(yaml(text), &[expected]);
    check(
        "entryPoints: {web: {address: ':1', transport: {respondingTimeouts: {readTimeout: soon}}}}",
        "traefik.yml:1:82: entryPoints.web.transport.respondingTimeouts.readTimeout: \"soon\" is not a duration such as \
         10s, 1m30s or 100ms (a bare number means seconds)",
    );
    check("core: {defaultRuleSyntax: v9}", "traefik.yml:1:27: core.defaultRuleSyntax: \"v9\" is not one of v3, v2");
    check(
        "entryPoints: {web: {address: ':1', http: {aliasHeadersStrategy: kep}}}",
        "traefik.yml:1:65: entryPoints.web.http.aliasHeadersStrategy: \"kep\" is not one of keep, delete, reject \
         (did you mean keep?)",
    );
    check(
        "entryPoints: {web: {address: ':1', http: {aliasHeadersStrategy: keep, underscoreHeadersStrategy: delete}}}",
        "traefik.yml:1:98: entryPoints.web.http.underscoreHeadersStrategy: contradicts aliasHeadersStrategy",
    );
    check(
        "entryPoints: {web: {address: ':1', forwardedHeaders: {trustedIPs: [10.0.0.0/33]}}}",
        "traefik.yml:1:68: entryPoints.web.forwardedHeaders.trustedIPs[0]: \"10.0.0.0/33\" is not an IP address or a \
         network such as 10.0.0.0/8",
    );
    check(
        "entryPoints: {web: {address: ':1', http2: {maxConcurrentStreams: -1}}}",
        "traefik.yml:1:66: entryPoints.web.http2.maxConcurrentStreams: \"-1\" is not zero or more",
    );
    check(
        "api: {basePath: 'base path'}",
        "traefik.yml:1:17: api.basePath: \"base path\" is not an absolute path of letters, digits and / _ . : ~ -",
    );
    check(
        "certificatesResolvers: {le: {acme: {storage: ''}}}",
        "traefik.yml:1:36: certificatesResolvers.le.acme: storage is missing",
    );
    check(
        "entryPoints: {web: {address: ':1', proxyProtocol: {}}}",
        "traefik.yml:1:51: entryPoints.web.proxyProtocol: needs trustedIPs, or insecure to trust everybody",
    );
    check("accessLog: {otlp: {}}", "traefik.yml:1:19: accessLog.otlp: needs experimental.otlplogs to be true");
    check("providers: {knative: {}}", "traefik.yml:1:22: providers.knative: needs experimental.knative to be true");
}

#[test]
fn addresses() {
    let check = |text: &str, expected: &str| refused(yaml(text), &[expected]);
    check("entryPoints: {web: {}}", "traefik.yml:1:20: entryPoints.web: address is missing");
    check(
        "entryPoints: {web: {address: '80'}}",
        "traefik.yml:1:30: entryPoints.web.address: \"80\" is not an address such as :80, 127.0.0.1:8080 or :53/udp: \
         address \"80\" has no port",
    );
    check(
        "entryPoints: {a: {address: ':80'}, b: {address: '127.0.0.1:80'}}",
        "traefik.yml:1:49: entryPoints.b.address: 127.0.0.1:80 is already taken by the entry point a",
    );
    check(
        "entryPoints: {a: {address: ':443', http3: {}}, b: {address: ':443/udp'}}",
        "traefik.yml:1:61: entryPoints.b.address: :443/udp is already taken by the entry point a",
    );
    for fine in [
        "entryPoints: {a: {address: ':53'}, b: {address: ':53/udp'}}",
        "entryPoints: {a: {address: '127.0.0.1:80'}, b: {address: '127.0.0.2:80'}}",
        "entryPoints: {a: {address: ':0'}, b: {address: ':0'}}",
        "entryPoints: {a: {address: ':80', reusePort: true}, b: {address: ':80', reusePort: true}}",
    ] {
        assert!(yaml(fine).is_ok(), "{fine}");
    }
}

#[test]
fn removed_options() {
    let check = |text: &str, expected: &str| refused(yaml(text), &[expected]);
    check("pilot: {token: x}", "traefik.yml:1:1: pilot: Pilot was removed in v3: delete the section");
    check(
        "providers: {docker: {swarmMode: false}}",
        "traefik.yml:1:22: providers.docker.swarmMode: was removed in v3: use providers.swarm",
    );
    check(
        "providers: {marathon: {}}",
        "traefik.yml:1:13: providers.marathon: Marathon was removed in v3: delete the section",
    );
    check(
        "providers: {etcd: {tls: {caOptional: true}}}",
        "traefik.yml:1:26: providers.etcd.tls.caOptional: was removed in v3, since client authentication is decided by \
         the server: delete it",
    );
    check(
        "experimental: {http3: true}",
        "traefik.yml:1:16: experimental.http3: was removed in v3, where HTTP/3 is no experiment: set http3 on the entry \
         point instead",
    );
    refused(
        flags(&["--tracing.jaeger=true"]),
        &[
            "flag --tracing.jaeger: tracing.jaeger: was removed in v3: send traces by OTLP (tracing.otlp) to a collector \
           that speaks to it",
        ],
    );
    refused(
        variables(&[("TRAEFIK_PILOT_TOKEN", "x"), ("TRAEFIK_PROVIDERS_CONSUL_NAMESPACE", "x")]),
        &[
            "variable TRAEFIK_PILOT_TOKEN: pilot: Pilot was removed in v3: delete the section",
            "variable TRAEFIK_PROVIDERS_CONSUL_NAMESPACE: providers.consul.namespace: was removed in v3: list the \
             namespaces in `namespaces`",
        ],
    );
}

#[test]
fn flags_and_variables_say_their_names() {
    refused(flags(&["--no.such.flag=1"]), &["flag --no.such.flag: no: field not found, node: no"]);
    refused(
        flags(&["--entryPoint.web.address=:1"]),
        &["flag --entryPoint.web.address: entryPoint: field not found, node: entryPoint (did you mean entryPoints?)"],
    );
    refused(flags(&["--api.insecure=maybe"]), &["flag --api.insecure: api.insecure: \"maybe\" is not true or false"]);
    refused(variables(&[("TRAEFIK_API_FOO", "1")]), &["variable TRAEFIK_API_FOO: api.foo: field not found, node: foo"]);
    refused(
        flags(&["--providers.precedence=docker,dcker"]),
        &["flag --providers.precedence: providers.precedence[1]: \"dcker\" is not one of kubernetesgateway, \
           kubernetescrd, kubernetes, kubernetesingressnginx, swarm, docker, file, redis, knative, consul, \
           consulcatalog, nomad, etcd, ecs, http, zookeeper, rest (did you mean docker?)"],
    );
}

#[test]
fn files_that_say_nothing() {
    refused(yaml(""), &["traefik.yml:1:1: no configuration found in file: traefik.yml"]);
    refused(yaml("{}"), &["traefik.yml:1:1: no configuration found in file: traefik.yml"]);
    refused(yaml("foo: bar"), &["traefik.yml:1:1: no valid configuration found in file: traefik.yml"]);
}

#[test]
fn all_errors_at_once() {
    refused(
        yaml(
            "pilot: {}\nentryPoints:\n  a: {adress: ':1'}\n  b: {address: x}\nlog: {maxAge: old}\n\
             providers: {docker: {swarmMode: true}, precedence: [nope]}",
        ),
        &[
            "traefik.yml:1:1: pilot: Pilot was removed in v3: delete the section",
            "traefik.yml:3:7: entryPoints.a.adress: field not found, node: adress (did you mean address?)",
            "traefik.yml:4:16: entryPoints.b.address: \"x\" is not an address such as :80, 127.0.0.1:8080 or :53/udp: \
             address \"x\" has no port",
            "traefik.yml:5:15: log.maxAge: \"old\" is not a whole number",
            "traefik.yml:6:22: providers.docker.swarmMode: was removed in v3: use providers.swarm",
            "traefik.yml:6:53: providers.precedence[0]: \"nope\" is not one of kubernetesgateway, kubernetescrd, \
             kubernetes, kubernetesingressnginx, swarm, docker, file, redis, knative, consul, consulcatalog, nomad, etcd, \
             ecs, http, zookeeper, rest",
        ],
    );
}
