use std::collections::BTreeMap;

use serde::Deserialize;

use crate::read::{Format, document};
use crate::{Duration, EntryAddress, Node, Shape};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(dead_code)] // only its shape is of interest
struct Model {
    ping: Option<Section>,
    entry_points: BTreeMap<String, EntryPoint>,
    level: String,
    insecure: bool,
    wait: Duration,
    tags: Vec<String>,
    plugin: BTreeMap<String, Node>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(dead_code)] // only its shape is of interest
struct Section {
    entry_point: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(dead_code)] // only its shape is of interest
struct EntryPoint {
    address: EntryAddress,
    domains: Vec<Section>,
    as_default: Option<bool>,
}

#[track_caller]
fn check(arguments: &str, yaml: &str) {
    let node = super::read(arguments.split(' '), &Shape::of::<Model>()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(node, document(yaml, Format::Yaml, "f").unwrap(), "{arguments}");
}

#[track_caller]
fn wrong(arguments: &str, expected: &str) {
    assert_eq!(super::read(arguments.split(' '), &Shape::of::<Model>()).unwrap_err().to_string(), expected);
}

#[test]
fn values_follow_an_equals_sign_or_the_flag() {
    check("--level=DEBUG", "level: DEBUG");
    check("-level DEBUG", "level: DEBUG");
    check("--level DEBUG --wait -1", "{level: DEBUG, wait: '-1'}");
    check("--LEVEL=a=b", "LEVEL: a=b");
    check("--entryPoints.Web.address :80", "entryPoints: {Web: {address: ':80'}}");
    check("--level=", "level: ''");
    check("--level=a -- --level=b c", "level: a");
}

#[test]
fn switches_and_sections_stand_alone() {
    check("--ping --insecure", "{ping: 'true', insecure: 'true'}");
    check("--insecure=false --ping.entrypoint=web", "{insecure: 'false', ping: {entrypoint: web}}");
    check("--entrypoints.web.asdefault --level x", "{entrypoints: {web: {asdefault: 'true'}}, level: x}");
    check("--plugin.x", "plugin: {x: 'true'}");
    check("--unknown", "unknown: 'true'");
}

#[test]
fn repeated_lists_accumulate_and_the_last_of_the_others_wins() {
    check("--tags=a --Tags b,c --tags=d", "tags: 'a,b,c,d'");
    check("--level=a --LEVEL=b", "level: b");
    check(
        "--entrypoints.w.domains[1].entrypoint=b --entrypoints.w.domains[0].entrypoint=a",
        "entrypoints: {w: {domains: [{entrypoint: a}, {entrypoint: b}]}}",
    );
}

#[test]
fn what_is_no_flag_is_refused_all_at_once() {
    wrong("serve", "\"serve\" is not a flag; flags begin with --");
    wrong("--level", "flag --level: this flag needs a value");
    wrong("---x --=y", "bad flag syntax: ---x\nbad flag syntax: --=y");
    wrong("--a..b", "flag --a..b: invalid element: a..b has two dots in a row, or one at its end");
}
