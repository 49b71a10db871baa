//! The many spellings that mean the same.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{decode, yaml};
use crate::dynamic::{Configuration, Middleware};
use crate::{At, Duration, Node, Origin, Scalar, Value};

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Sample {
    some_text: String,
    flag: bool,
    number: i64,
    ratio: f64,
    wait: Duration,
    list: Vec<String>,
    codes: Vec<u16>,
    section: Option<Inner>,
    plain: Inner,
    by_name: BTreeMap<String, Inner>,
    labels: BTreeMap<String, String>,
    maybe: Option<bool>,
    level: Level,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Inner {
    depth: i64,
}

impl Default for Inner {
    fn default() -> Self {
        Self { depth: 7 }
    }
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Level {
    #[default]
    Info,
    Warn,
}

/// `expected` builds on the defaults.
#[track_caller]
fn check(text: &str, expected: &Sample) {
    let made: Sample = yaml(text).decode().unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(&made, expected, "{text}");
}

fn sample() -> Sample {
    Sample::default()
}

#[test]
fn keys_fit_in_any_case() {
    check("SOMETEXT: a", &Sample { some_text: "a".into(), ..sample() });
    check("sometext: a", &Sample { some_text: "a".into(), ..sample() });
    // As in Traefik: the last in the order of the alphabet counts.
    check("{sometext: b, SOMETEXT: a}", &Sample { some_text: "b".into(), ..sample() });
}

#[test]
fn names_keep_their_case() {
    let by_name = BTreeMap::from([("WebApp".to_owned(), Inner { depth: 1 })]);
    check("bYnAmE: {WebApp: {Depth: 1}}", &Sample { by_name, ..sample() });
}

#[test]
fn scalars_are_read_as_the_field_asks() {
    for text in ["8080", "0123", "yes", "true", "1.50", "1e3"] {
        check(&format!("someText: {text}"), &Sample { some_text: text.into(), ..sample() });
    }
    check("number: '8080'", &Sample { number: 8080, ..sample() });
    check("number: -5", &Sample { number: -5, ..sample() });
    check("number: 1.0", &Sample { number: 1, ..sample() });
    check("number: 0x10", &Sample { number: 16, ..sample() });
    check("ratio: '0.25'", &Sample { ratio: 0.25, ..sample() });
    check("ratio: 3", &Sample { ratio: 3.0, ..sample() });
    for yes in ["true", "'T'", "1", "'1'", "yes", "on", "TRUE"] {
        check(&format!("flag: {yes}"), &Sample { flag: true, ..sample() });
    }
    check("maybe: 'F'", &Sample { maybe: Some(false), ..sample() });
    check("level: warn", &Sample { level: Level::Warn, ..sample() });
}

#[test]
fn durations_are_text_or_seconds() {
    for text in ["90", "'90'", "1m30s"] {
        check(&format!("wait: {text}"), &Sample { wait: Duration::from_secs(90), ..sample() });
    }
}

#[test]
fn lists_may_be_one_text() {
    let list = vec!["a".to_owned(), "b".to_owned()];
    for text in ["' a , b '", "[a, b]", "{'[0]': a, '[1]': b}", "{0: a, 1: b}"] {
        check(&format!("list: {text}"), &Sample { list: list.clone(), ..sample() });
    }
    check("list: ['a,b']", &Sample { list: vec!["a,b".into()], ..sample() });
    check("list: ''", &sample());
    check("list: 5", &Sample { list: vec!["5".into()], ..sample() });
    check("codes: '200, 404'", &Sample { codes: vec![200, 404], ..sample() });
}

#[test]
fn a_section_may_be_switched_on_and_off() {
    for on in ["{}", "true", "'True'", "''"] {
        check(&format!("section: {on}"), &Sample { section: Some(Inner::default()), ..sample() });
    }
    for off in ["false", "'false'", "'0'", "no", "1"] {
        check(&format!("section: {off}"), &sample());
    }
    check("{section: false, plain: false, list: [a]}", &Sample { list: vec!["a".into()], ..sample() });
}

#[test]
fn what_says_nothing_is_as_good_as_not_written() {
    check("{section: , number: ~, list: null, unknown: , byName: {a: }}", &sample());
    check("list: [a, ~, b]", &Sample { list: vec!["a".into(), "b".into()], ..sample() });
    check("", &sample());
}

#[test]
fn names_with_numbers_are_texts() {
    let labels = BTreeMap::from([("X-Id".to_owned(), "1".to_owned())]);
    check("labels: {X-Id: 1}", &Sample { labels, ..sample() });
}

#[test]
fn places_come_with_the_values() {
    let made = decode("http:\n  routers:\n    web:\n      rule: Host(`a`)\n").unwrap();
    let http = made.http.unwrap();
    let router = &http.routers["web"];
    assert_eq!(router.at.to_string(), "f.yml:3:5");
    assert_eq!(router.rule.at.to_string(), "f.yml:4:13");
}

#[test]
fn models_decode_without_places_from_other_formats() {
    let text = r#"{"http": {"routers": {"web": {"rule": "Host(`a`)"}}, "middlewares": {"m": {"x": {"a": [1]}}}}}"#;
    let made: Configuration = serde_json::from_str(text).unwrap();
    let http = made.http.unwrap();
    assert_eq!(http.routers["web"].rule, At::from("Host(`a`)".to_owned()));
    assert_eq!(http.routers["web"].at, Origin::Unknown);
    let (kind, settings) = &http.middlewares["m"].kinds[0];
    assert_eq!(&**kind, "x");
    let one = Node::new(Value::Scalar(Scalar::Int(1)), Origin::Unknown);
    assert_eq!(settings.get("A").unwrap().value, Value::List(vec![one]));
}

#[test]
fn middlewares_keep_their_settings_and_places() {
    let made =
        decode("http:\n  middlewares:\n    m:\n      compress: true\n      retry:\n        attempts: 2\n").unwrap();
    let Middleware { kinds } = &made.http.unwrap().middlewares["m"].value;
    assert_eq!(kinds.iter().map(|(kind, _)| &**kind).collect::<Vec<_>>(), ["compress", "retry"]);
    assert_eq!(kinds[1].1.get("attempts").unwrap().at.to_string(), "f.yml:6:19");
    assert_eq!(kinds[0].1.decode::<Inner>().unwrap(), Inner::default());
}

#[test]
fn a_kind_that_is_switched_off_is_none() {
    let made = decode("{http: {middlewares: {m: {compress: false}, n: {}}}}").unwrap();
    let http = made.http.unwrap();
    assert_eq!(http.middlewares.len(), 2);
    assert!(http.middlewares.values().all(|middleware| middleware.kinds.is_empty()));
}
