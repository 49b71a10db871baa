use trafficcop_config::Shared;
use trafficcop_config::read::{Format, document};
use trafficcop_config::settings::load::{Source, load};

use super::*;

fn http(yaml: &str) -> Http {
    let node = document(yaml, Format::Yaml, "static.yml").expect("it is YAML");
    let loaded = load(Source::File("static.yml".into()), &node).expect("the settings are right");
    configuration(&loaded.settings).http.expect("there always is an HTTP section")
}

/// The routers, one a line: name, entry points, rule, syntax, priority, middlewares, service.
fn routers(yaml: &str) -> Vec<String> {
    let line = |(name, router): (&String, &Shared<Router>)| {
        let Router { entry_points, middlewares, service, rule, rule_syntax, priority, .. } = &router.value;
        let (entry_points, middlewares) = (entry_points.join("+"), middlewares.join("+"));
        format!("{name}: {entry_points} {} {rule_syntax} {priority} [{middlewares}] {service}", **rule)
    };
    http(yaml).routers.iter().map(line).collect()
}

#[track_caller]
fn check(yaml: &str, expected: &[&str]) {
    assert_eq!(routers(yaml), expected, "{yaml}");
}

#[test]
fn the_insecure_api_has_routers_of_its_own() {
    check(
        "{api: {insecure: true, debug: true}, ping: {}, metrics: {prometheus: {}}, providers: {rest: {insecure: true}}}",
        &[
            "api: traefik PathPrefix(`/api`) default 9223372036854775806 [] api@internal",
            "dashboard: traefik PathPrefix(`/`) default 9223372036854775805 \
             [dashboard_redirect@internal+dashboard_stripprefix@internal] dashboard@internal",
            "debug: traefik PathPrefix(`/debug`) default 9223372036854775806 [] api@internal",
            "ping: traefik PathPrefix(`/ping`) default 9223372036854775807 [] ping@internal",
            "prometheus: traefik PathPrefix(`/metrics`) default 9223372036854775807 [] prometheus@internal",
            "rest: traefik PathPrefix(`/api/providers`) default 9223372036854775807 [] rest@internal",
        ],
    );
}

#[test]
fn services_are_there_for_routers_of_the_user() {
    let manual = "{api: {}, ping: {manualRouting: true}, entryPoints: {web: {address: ':80'}}}";
    check(manual, &[]);
    let names: Vec<_> = http(manual).services.into_keys().collect();
    assert_eq!(names, ["api", "dashboard", "noop", "ping"]);
}

#[test]
fn redirections_keep_their_names_priorities_and_the_challenge() {
    check(
        "entryPoints:
  web: {address: ':80', http: {redirections: {entryPoint: {to: web_secure}}}}
  alt: {address: ':81', allowACMEByPass: true, http: {redirections: {entryPoint: {to: ':8443', priority: 12}}}}
  web_secure: {address: ':443'}",
        &[
            "alt-to-8443: alt HostRegexp(`^.+$`) && !PathPrefix(`/.well-known/acme-challenge/`) default 12 \
             [redirect-alt-to-8443] noop@internal",
            "web-to-web-secure: web HostRegexp(`^.+$`) default 9223372036854775806 [redirect-web-to-web-secure] \
             noop@internal",
        ],
    );
}

#[test]
fn the_challenge_goes_first_unless_users_may_answer_it() {
    let yaml = |by_pass: bool| {
        format!(
            "{{entryPoints: {{web: {{address: ':80', allowACMEByPass: {by_pass}}}}}, certificatesResolvers: {{le: {{acme: \
             {{email: a@b.test, storage: /nowhere/acme.json, httpChallenge: {{entryPoint: web}}}}}}}}}}"
        )
    };
    let rule = "web PathPrefix(`/.well-known/acme-challenge/`)";
    check(&yaml(false), &[&format!("acme-http: {rule} default 9223372036854775807 [] acme-http@internal")]);
    check(&yaml(true), &[&format!("acme-http-bypass: {rule}  0 [] acme-http@internal")]);
}

#[test]
fn only_entry_points_that_give_something_have_a_model() {
    let http = http(
        "entryPoints:
  plain: {address: ':1'}
  tls: {address: ':2', http: {tls: {options: strict@file}}}
  observed: {address: ':3', observability: {metrics: false}}
  strict: {address: ':4', http: {encodedCharacters: {allowEncodedHash: false}}}",
    );
    assert_eq!(http.models.keys().collect::<Vec<_>>(), ["observed", "strict", "tls"]);
    assert_eq!(http.models["tls"].tls.as_ref().map(|tls| tls.options.as_str()), Some("strict@file"));
    assert_eq!(http.models["observed"].observability.metrics, Some(false));
}
