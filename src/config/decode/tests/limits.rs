//! Hostile and huge documents.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::decode;
use crate::dynamic::Configuration;
use crate::read::{Format, MAX_DEPTH, document, flags, kv, labels};
use crate::{ConfigErrors, Node, Shape};

#[track_caller]
fn refused(result: Result<Node, ConfigErrors>, expected: &str) {
    let said = result.map(|node| node.size()).unwrap_err().to_string();
    assert!(said.contains(expected), "{}", &said[..said.len().min(300)]);
}

#[test]
fn deep_nesting_is_refused_in_every_notation() {
    let deep = 100_000;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{}1{}", open.repeat(deep), close.repeat(deep));
        refused(document(&text, Format::Json, "f"), "nested deeper");
        refused(document(&text, Format::Yaml, "f"), "f:1:");
        let text = format!("{}1{}", open.repeat(MAX_DEPTH + 1), close.repeat(MAX_DEPTH + 1));
        refused(document(&text, Format::Yaml, "f"), "nested deeper");
    }
    refused(document(&format!("a = {}{}", "[".repeat(deep), "]".repeat(deep)), Format::Toml, "f"), "f:1:");
    refused(document(&format!("{}z = 1", "a.".repeat(MAX_DEPTH * 2)), Format::Toml, "f"), "f:1:");
    let label = format!("traefik.http{}", ".a".repeat(deep));
    refused(labels::read([(label.as_str(), "x")], "c", &labels::DYNAMIC), "nested deeper");
    let key = format!("traefik/http{}", "/a".repeat(deep));
    refused(kv::read([(key.as_str(), "x")], "traefik", &["http"], "etcd"), "nested deeper");
    let flag = format!("--a{}=x", ".a".repeat(deep));
    refused(flags::read([flag.as_str()], &Shape::default()), "nested deeper");
}

#[test]
fn alias_bombs_are_refused() {
    let mut wide = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let alias = format!("*a{}", level - 1);
        writeln!(wide, "a{level}: &a{level} [{}]", [alias.as_str(); 10].join(", ")).unwrap();
    }
    refused(document(&wide, Format::Yaml, "f"), "document");
    let mut tall = "a0: &a0 x\n".to_owned();
    for level in 1..5_000 {
        writeln!(tall, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    refused(document(&tall, Format::Yaml, "f"), "document");
}

#[test]
fn a_large_document_is_read_in_reasonable_time() {
    let mut text = "http:\n  routers:\n".to_owned();
    for n in 0..5_000 {
        writeln!(text, "    r{n}:\n      rule: Host(`h{n}.test`)\n      service: s\n      tls: false").unwrap();
    }
    let start = Instant::now();
    let made = decode(&text).unwrap();
    assert_eq!(made.http.unwrap().routers.len(), 5_000);
    // Two orders of magnitude above what it takes: this finds what grows with the square of the size.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn nothing_at_all_is_an_empty_configuration() {
    for (text, format) in [("", Format::Yaml), ("# words\n", Format::Yaml), ("", Format::Toml), ("{}", Format::Json)] {
        let node = document(text, format, "f").unwrap();
        assert_eq!(node.decode::<Configuration>().unwrap(), Configuration::default(), "{format:?}");
    }
}
