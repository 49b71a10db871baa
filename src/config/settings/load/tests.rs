//! Loading: the same settings from every notation, and what is said of what is wrong.

mod refused;

use super::{Loaded, Source, load};
use crate::read::{Format, document};
use crate::settings::Settings;
use crate::{ConfigErrors, Duration, Shape, read};

fn yaml(text: &str) -> Result<Loaded, ConfigErrors> {
    load(Source::File("traefik.yml".into()), &document(text, Format::Yaml, "traefik.yml")?)
}

fn toml(text: &str) -> Result<Loaded, ConfigErrors> {
    load(Source::File("traefik.toml".into()), &document(text, Format::Toml, "traefik.toml")?)
}

fn flags(arguments: &[&str]) -> Result<Loaded, ConfigErrors> {
    let node = read::flags::read(arguments.iter().copied(), &Shape::of::<Settings>())?;
    load(Source::Flags, &node)
}

fn variables(pairs: &[(&str, &str)]) -> Result<Loaded, ConfigErrors> {
    let sections = super::sections();
    let sections: Vec<&str> = sections.iter().map(String::as_str).chain(["pilot"]).collect();
    load(Source::Variables, &read::env::read(pairs.iter().copied(), "TRAEFIK_", &sections)?)
}

const YAML: &str = r#"
entryPoints:
  web:
    address: ":8000"
    http:
      redirections: {entryPoint: {to: websecure, permanent: false}}
      middlewares: [a@file, b@file]
    transport: {respondingTimeouts: {readTimeout: 1m30s}, keepAliveMaxRequests: 7}
    forwardedHeaders: {trustedIPs: [10.0.0.0/8, "::1"]}
    http2: {maxConcurrentStreams: 42}
  websecure:
    address: "127.0.0.1:8443/tcp"
    asDefault: true
    http: {tls: {options: strict, domains: [{main: a.test, sans: [b.test, c.test]}]}}
providers:
  providersThrottleDuration: 5
  docker: {exposedByDefault: false, network: web, httpClientTimeout: 10s}
  file: {directory: /etc/dynamic, watch: false}
api: {insecure: true, basePath: /base}
ping: {}
log: {level: debug, format: json}
serversTransport: {maxIdleConnsPerHost: -1, forwardingTimeouts: {dialTimeout: 300ms}}
tracing: {sampleRate: 0.5}
"#;

const TOML: &str = r#"
[entryPoints.web]
address = ":8000"
[entryPoints.web.http]
middlewares = ["a@file", "b@file"]
[entryPoints.web.http.redirections.entryPoint]
to = "websecure"
permanent = false
[entryPoints.web.transport]
keepAliveMaxRequests = 7
[entryPoints.web.transport.respondingTimeouts]
readTimeout = "90"
[entryPoints.web.forwardedHeaders]
trustedIPs = ["10.0.0.0/8", "::1"]
[entryPoints.web.http2]
maxConcurrentStreams = 42
[entryPoints.websecure]
address = "127.0.0.1:8443/tcp"
asDefault = true
[entryPoints.websecure.http.tls]
options = "strict"
[[entryPoints.websecure.http.tls.domains]]
main = "a.test"
sans = ["b.test", "c.test"]
[providers]
providersThrottleDuration = "5s"
[providers.docker]
exposedByDefault = false
network = "web"
httpClientTimeout = 10
[providers.file]
directory = "/etc/dynamic"
watch = false
[api]
insecure = true
basePath = "/base"
[ping]
[log]
level = "debug"
format = "json"
[serversTransport]
maxIdleConnsPerHost = -1
[serversTransport.forwardingTimeouts]
dialTimeout = "300ms"
[tracing]
sampleRate = 0.5
"#;

/// The same options once more: path and value.
const PAIRS: &[(&str, &str)] = &[
    ("entryPoints.web.address", ":8000"),
    ("entryPoints.web.http.redirections.entryPoint.to", "websecure"),
    ("entryPoints.web.http.redirections.entryPoint.permanent", "false"),
    ("entryPoints.web.http.middlewares", "a@file, b@file"),
    ("entryPoints.web.transport.respondingTimeouts.readTimeout", "1m30s"),
    ("entryPoints.web.transport.keepAliveMaxRequests", "7"),
    ("entryPoints.web.forwardedHeaders.trustedIPs", "10.0.0.0/8,::1"),
    ("entryPoints.web.http2.maxConcurrentStreams", "42"),
    ("entryPoints.websecure.address", "127.0.0.1:8443/tcp"),
    ("entryPoints.websecure.asDefault", "T"),
    ("entryPoints.websecure.http.tls.options", "strict"),
    ("entryPoints.websecure.http.tls.domains[0].main", "a.test"),
    ("entryPoints.websecure.http.tls.domains[0].sans", "b.test,c.test"),
    ("providers.providersThrottleDuration", "5"),
    ("providers.docker.exposedByDefault", "0"),
    ("providers.docker.network", "web"),
    ("providers.docker.httpClientTimeout", "10"),
    ("providers.file.directory", "/etc/dynamic"),
    ("providers.file.watch", "F"),
    ("api.insecure", "TRUE"),
    ("api.basePath", "/base"),
    ("ping", "true"),
    ("log.level", "debug"),
    ("log.format", "json"),
    ("serversTransport.maxIdleConnsPerHost", "-1"),
    ("serversTransport.forwardingTimeouts.dialTimeout", "300ms"),
    ("tracing.sampleRate", "0.5"),
];

#[test]
fn every_notation_gives_the_same_settings() {
    let expected = yaml(YAML).unwrap().settings;
    assert_eq!(expected.entry_points["web"].transport.responding_timeouts.read_timeout, Duration::from_secs(90));
    assert_eq!(expected.entry_points["websecure"].http.tls.as_ref().unwrap().domains[0].sans, ["b.test", "c.test"]);
    assert_eq!(expected.providers.providers_throttle_duration, Some(Duration::from_secs(5)));
    assert_eq!(expected.entry_points["traefik"].address, ":8080");

    assert_eq!(toml(TOML).unwrap().settings, expected);

    let mixed: Vec<String> = PAIRS.iter().map(|(path, value)| format!("--{path}={value}")).collect();
    assert_eq!(flags(&mixed.iter().map(String::as_str).collect::<Vec<_>>()).unwrap().settings, expected);
    let lower: Vec<String> = PAIRS.iter().map(|(path, value)| format!("-{}={value}", path.to_lowercase())).collect();
    assert_eq!(flags(&lower.iter().map(String::as_str).collect::<Vec<_>>()).unwrap().settings, expected);

    for index in ["_0", "[0]"] {
        let name = |path: &str| format!("TRAEFIK_{}", path.replace("[0]", index).replace('.', "_").to_uppercase());
        let pairs: Vec<(String, &str)> = PAIRS.iter().map(|(path, value)| (name(path), *value)).collect();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(variables(&pairs).unwrap().settings, expected);
    }
}

#[track_caller]
fn entry_points(arguments: &[&str], expected: &[(&str, &str)]) {
    let settings = flags(arguments).unwrap().settings;
    let found: Vec<_> = settings.entry_points.iter().map(|(name, it)| (name.as_str(), it.address.as_str())).collect();
    assert_eq!(found, expected, "{arguments:?}");
}

#[test]
fn entry_points_that_are_needed_are_there() {
    entry_points(&[], &[("http", ":80")]);
    entry_points(&["--api"], &[("http", ":80")]);
    entry_points(&["--api.insecure"], &[("http", ":80"), ("traefik", ":8080")]);
    entry_points(&["--ping"], &[("http", ":80"), ("traefik", ":8080")]);
    entry_points(&["--ping=false"], &[("http", ":80")]);
    entry_points(&["--ping.manualrouting"], &[("http", ":80")]);
    entry_points(&["--entrypoints.web.address=:1", "--ping.entrypoint=web"], &[("web", ":1")]);
    entry_points(&["--metrics.prometheus"], &[("http", ":80"), ("traefik", ":8080")]);
    entry_points(&["--providers.rest.insecure"], &[("http", ":80"), ("traefik", ":8080")]);
    entry_points(&["--providers.rest"], &[("http", ":80")]);
    entry_points(&["--entrypoints.traefik.address=:9", "--api.insecure"], &[("traefik", ":9")]);
}

#[test]
fn one_file_may_hold_both_configurations() {
    let loaded = yaml("pilot:\nentryPoints: {web: {address: ':1'}}\nhttp: {routers: {}}\ntls: {}\nx-mine: 1").unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.settings.entry_points.len(), 1);
}

#[test]
fn variables_of_others_are_left_alone() {
    let loaded = variables(&[("TRAEFIK_VERSION", "3"), ("PATH", "/bin"), ("TRAEFIK_PINGU", "x")]).unwrap();
    assert_eq!(loaded.settings, Settings::default().completed());
}

#[track_caller]
fn says(text: &str, warnings: &[&str], without_effect: &[&str]) {
    let loaded = yaml(text).unwrap();
    assert_eq!(loaded.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), warnings, "{text}");
    let notes: Vec<_> = loaded.without_effect.iter().map(|note| note.path.as_str()).collect();
    assert_eq!(notes, without_effect, "{text}");
}

#[test]
fn what_is_doubtful_is_said_and_does_not_stop_the_start() {
    says(
        "entryPoint: {}\napi: {}",
        &["traefik.yml:1:1: entryPoint is no section and was ignored (did you mean entryPoints?)"],
        &[],
    );
    says(
        "log: {level: DEBIG}",
        &["traefik.yml:1:14: log.level: \"debig\" is not one of trace, debug, info, warn, error, fatal, panic \
           (did you mean debug?)"],
        &[],
    );
    says(
        "core: {defaultRuleSyntax: v2}",
        &["traefik.yml:1:8: core.defaultRuleSyntax: is deprecated since v3.4: write all rules in the v3 syntax"],
        &[],
    );
    says(
        "entryPoints: {web: {address: ':1', http: {redirections: {entryPoint: {to: webb}}}}}",
        &["traefik.yml:1:75: entryPoints.web.http.redirections.entryPoint.to: \"webb\" is not an entry point \
           (did you mean web?)"],
        &[],
    );
    says("ping: {entryPoint: pong}", &["traefik.yml:1:20: ping.entryPoint: \"pong\" is not an entry point"], &[]);
    says(
        "providers: {file: {}}",
        &["traefik.yml:1:19: providers.file: has neither directory nor filename and reads nothing"],
        &[],
    );
}

#[test]
fn what_has_no_effect_is_named() {
    says("hostResolver: {cnameFlattening: true}", &[], &["hostResolver"]);
    says("providers: {kubernetesCRD: {}, ecs: {}, swarm: false}", &[], &["providers.kubernetesCRD"]);
    says("global: {checkNewVersion: false, sendAnonymousUsage: true}", &[], &["global.sendAnonymousUsage"]);
}
