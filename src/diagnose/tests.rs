//! What findings look like.

use trafficcop_config::read::{Format, document};
use trafficcop_config::settings::{Source, load};
use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem};

use super::documents::{self, Document};
use super::{Finding, Severity, Style, Texts, errors, render};

/// Findings of a dynamic document, as they are shown.
#[track_caller]
fn check(text: &str, expected: &str) {
    let mut texts = Texts::default();
    texts.put("f.yml", text);
    let document = Document { node: document(text, Format::Yaml, "f.yml").unwrap() };
    let findings = documents::examine(&[document], None, &mut texts);
    assert_eq!(render(&findings, &mut texts, Style::Plain), expected);
}

#[test]
fn a_rule_is_shown_at_its_column() {
    check(
        "http:\n  routers:\n    web:\n      service: s@docker\n      rule: Host(`a`) && Pth(`/x`)\n",
        "\
error: http.routers.web.rule: column 14: there is no matcher `Pth`; did you mean `Path`?
 --> f.yml:5:26
  |
5 |       rule: Host(`a`) && Pth(`/x`)
  |                          ^^^

",
    );
}

#[test]
fn an_unknown_kind_of_middleware_is_shown_with_the_nearest() {
    check(
        "http:\n  middlewares:\n    p:\n      addPrefx: {prefix: /p}\n",
        "\
error: http.middlewares.p: field not found, node: addPrefx (did you mean addPrefix?)
 --> f.yml:4:7
  |
4 |       addPrefx: {prefix: /p}
  |       ^^^^^^^^ did you mean addPrefix?

",
    );
}

#[test]
fn settings_of_middlewares_are_looked_at() {
    check(
        "http: {middlewares: {p: {addPrefix: {prefx: /p}}, q: {}}}",
        "\
error: http.middlewares.p.addPrefix.prefx: field not found, node: prefx (did you mean prefix?)
 --> f.yml:1:38
  |
1 | http: {middlewares: {p: {addPrefix: {prefx: /p}}, q: {}}}
  |                                      ^^^^^ did you mean prefix?

error: http.middlewares.q: the middleware has no kind
 --> f.yml:1:51
  |
1 | http: {middlewares: {p: {addPrefix: {prefx: /p}}, q: {}}}
  |                                                   ^

",
    );
}

#[test]
fn names_that_lead_nowhere_are_shown_with_the_nearest() {
    check(
        "http:\n  routers: {web: {service: shop, middlewares: [a@file, b@docker]}}\n  services: {shops: {loadBalancer: {}}}\n",
        "\
error: http.routers.web.middlewares: \"a@file\" is not defined in http.middlewares
 --> f.yml:2:48
  |
2 |   routers: {web: {service: shop, middlewares: [a@file, b@docker]}}
  |                                                ^^^^^^

error: http.routers.web.service: \"shop\" is not defined in http.services (did you mean shops?)
 --> f.yml:2:28
  |
2 |   routers: {web: {service: shop, middlewares: [a@file, b@docker]}}
  |                            ^^^^ did you mean shops?

",
    );
}

#[test]
fn parts_without_effect_are_noted() {
    check(
        "http: {serversTransports: {mesh: {spiffe: {}}}}\n",
        "\
note: http.serversTransports.mesh.spiffe: understood, but has no effect: not in this build yet
 --> f.yml:1:35
  |
1 | http: {serversTransports: {mesh: {spiffe: {}}}}
  |                                   ^^^^^^

",
    );
}

#[track_caller]
fn shows(at: Origin, expected: &str) {
    let error = ConfigError { at, path: "a.b".into(), problem: Problem::Missing { field: "c".into() } };
    let mut texts = Texts::default();
    texts.put("short.yml", "a: 'b c'\n");
    assert_eq!(render(&errors(ConfigErrors(vec![error])), &mut texts, Style::Plain), expected);
}

#[test]
fn every_place_has_a_form() {
    shows(Origin::Unknown, "error: a.b: c is missing\n\n");
    shows(Origin::Flag("a.b".into()), "error: a.b: c is missing\n |\n = note: in flag --a.b\n\n");
    let label = Origin::Label { owner: "shop".into(), label: "traefik.a".into() };
    shows(label, "error: a.b: c is missing\n |\n = note: in container shop, label traefik.a\n\n");
    let file = |line, column| Origin::File { file: "short.yml".into(), line, column };
    shows(file(1, 4), "error: a.b: c is missing\n --> short.yml:1:4\n  |\n1 | a: 'b c'\n  |    ^^^^^\n\n");
    shows(file(9, 1), "error: a.b: c is missing\n |\n = note: in short.yml:9:1\n\n");
    let gone = Origin::File { file: "/nowhere/at.yml".into(), line: 1, column: 1 };
    shows(gone, "error: a.b: c is missing\n |\n = note: in /nowhere/at.yml:1:1\n\n");
}

#[test]
fn lines_with_wide_letters_are_measured_in_characters() {
    let mut texts = Texts::default();
    texts.put("f.yml", "ä: {ö: 1}");
    let at = Origin::File { file: "f.yml".into(), line: 1, column: 5 };
    let error = ConfigError { at, path: String::new(), problem: Problem::Other { message: "no".into() } };
    let finding = Finding::new(Severity::Warning, error);
    let expected = "warning: no\n --> f.yml:1:5\n  |\n1 | ä: {ö: 1}\n  |     ^\n\n";
    assert_eq!(render(&[finding], &mut texts, Style::Plain), expected);
}

#[test]
fn remarks_are_warnings_and_notes() {
    let node = document("entryPoint: {}\nhostResolver: {cnameFlattening: true}\n", Format::Yaml, "t.yml").unwrap();
    let loaded = load::load(Source::File("t.yml".into()), &node).unwrap();
    let severities: Vec<Severity> = super::remarks(&loaded).iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Warning, Severity::Note]);
}
