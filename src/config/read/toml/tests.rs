use crate::read::json;

/// TOML that means what this JSON means.
#[track_caller]
fn check(toml: &str, expected: &str) {
    let node = super::read(toml, "f.toml").unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(node, json::read(expected, "f.json").unwrap(), "{toml}");
}

#[test]
fn reads_every_kind_of_value() {
    check(
        "a = 1\nb = 'x'\nc = true\nd = 1.5\ne = [1, 'x']\n",
        r#"{"a": 1, "b": "x", "c": true, "d": 1.5, "e": [1, "x"]}"#,
    );
    check("a = 0x1F\nb = 1_000\nc = 1.50\nd = 2001-01-01\n", r#"{"a": 31, "b": 1000, "c": "1.50", "d": "2001-01-01"}"#);
    check("[a.b]\nc = 1\n[a]\nd.e = 2\n", r#"{"a": {"b": {"c": 1}, "d": {"e": 2}}}"#);
    check("[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = {e = 3}\n", r#"{"a": [{"b": 1}, {"b": 2, "c": {"d": {"e": 3}}}]}"#);
    check("", "{}");
}

#[test]
fn every_error_has_its_place() {
    let said = super::read("a = \nb = 1\nb = 2\n", "f.toml").unwrap_err();
    let places: Vec<String> = said.0.iter().map(|error| error.at.to_string()).collect();
    assert_eq!(places.len(), 2, "{said}");
    assert!(places[0].starts_with("f.toml:1:") && places[1].starts_with("f.toml:3:"), "{said}");
}

#[test]
fn every_node_knows_its_place() {
    let node = super::read("[x.y]\n\"ä\" = 1\n  z = 2\n", "f.toml").unwrap();
    let inner = node.get("x").unwrap().get("y").unwrap();
    assert_eq!(inner.key_at.to_string(), "f.toml:1:4");
    let last = inner.get("z").unwrap();
    assert_eq!((last.key_at.to_string(), last.at.to_string()), ("f.toml:3:3".into(), "f.toml:3:7".into()));
}
