//! The model as a whole.

use std::collections::BTreeSet;

use super::{Settings, options};
use crate::read::{Format, document};
use crate::{Shape, read};

fn decode(yaml: &str) -> Settings {
    document(yaml, Format::Yaml, "traefik.yml").unwrap().decode().unwrap()
}

#[test]
fn nothing_written_gives_the_defaults() {
    assert_eq!(decode("{}"), Settings::default());
}

/// The descriptions come from the macro, the shape from serde: both must know the same options.
#[test]
fn what_is_described_is_what_is_decoded() {
    let shape = Shape::of::<Settings>();
    let described: BTreeSet<String> = options::all().into_iter().map(|line| line.path.replace("[n]", "[]")).collect();
    let missing: Vec<_> = described.iter().filter(|path| shape.options().all(|(known, _)| known != *path)).collect();
    assert_eq!(missing, Vec::<&String>::new(), "described, but not decoded");
    let above = |path: &str| [format!("{path}."), format!("{path}[].")];
    let is_leaf =
        |path: &str| above(path).iter().all(|head| shape.options().all(|(other, _)| !other.starts_with(head)));
    let leaves = shape.options().map(|(path, _)| path).filter(|path| is_leaf(path) && !path.ends_with("[]"));
    let silent: Vec<_> = leaves.filter(|path| !described.contains(*path)).collect();
    assert_eq!(silent, Vec::<&str>::new(), "decoded, but not described");
}

#[test]
fn every_option_has_a_description_or_options_below_it() {
    for line in options::all() {
        let has_options = options::all().iter().any(|other| other.path.starts_with(&format!("{}.", line.path)));
        assert!(!line.help.is_empty() || has_options, "{} has no description", line.path);
    }
}

/// Each option alone, with its own default as its value: what `--help` shows can be written.
#[test]
fn every_default_can_be_written_as_a_flag() {
    let shape = Shape::of::<Settings>();
    for line in options::all().into_iter().filter(|line| !line.is_section && !line.default.is_empty()) {
        let name = line.path.replace("<name>", "web").replace("[n]", "[0]");
        let flag = format!("--{}={}", name.to_lowercase(), line.default);
        let node = read::flags::read([flag.as_str()], &shape).unwrap();
        if let Err(errors) = node.decode::<Settings>() {
            panic!("{flag}: {errors}");
        }
    }
}

#[test]
fn every_section_can_be_switched_on_by_true_and_off_by_false() {
    let shape = Shape::of::<Settings>();
    for line in options::all().into_iter().filter(|line| line.is_section && !line.path.contains("throttleDuration")) {
        let name = line.path.replace("<name>", "web").to_lowercase();
        let read = |value: &str| {
            let flag = format!("--{name}={value}");
            let node = read::flags::read([flag.as_str()], &shape).unwrap();
            node.decode::<Settings>().unwrap_or_else(|errors| panic!("{flag}: {errors}"))
        };
        if line.path != "providers.providersThrottleDuration" {
            assert_ne!(read("true"), Settings::default(), "{name}=true changes nothing");
        }
    }
}

#[test]
fn secrets_do_not_show() {
    let settings = decode(
        "providers: {consul: {token: hunter2}, docker: {password: hunter2}, redis: {tls: {key: hunter2}}}\n\
         certificatesResolvers: {le: {acme: {eab: {hmacEncoded: hunter2}}}}",
    );
    assert!(!format!("{settings:?}").contains("hunter2"));
}
