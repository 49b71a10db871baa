use crate::read::json;

/// YAML that means what this JSON means.
#[track_caller]
fn check(yaml: &str, expected: &str) {
    let node = super::read(yaml, "f.yml").unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(node, json::read(expected, "f.json").unwrap(), "{yaml}");
}

#[track_caller]
fn wrong(yaml: &str, expected: &str) {
    assert_eq!(super::read(yaml, "f.yml").unwrap_err().to_string(), expected, "{yaml}");
}

#[test]
fn plain_scalars() {
    check("[1, -1, 0, 1.5, true, False, null, ~, a b]", r#"[1, -1, 0, 1.5, true, false, null, null, "a b"]"#);
    check(
        "[yes, on, n, 0123, 0x1f, 1.50, 1e3, +1, .5, 1_000, .inf, 2001-01-01]",
        r#"
        ["yes", "on", "n", "0123", "0x1f", "1.50", "1e3", "+1", ".5", "1_000", ".inf", "2001-01-01"]"#,
    );
    check("[99999999999999999999, -0]", r#"["99999999999999999999", "-0"]"#);
    check("[10s, 1m, '1', \"true\", !!str 5, !!str true, !!int '5']", r#"["10s", "1m", "1", "true", "5", "true", 5]"#);
    check("a: |\n  x\n  y\nb: >\n  x\n  y\n", r#"{"a": "x\ny\n", "b": "x y\n"}"#);
    check("a:\nb: ''\n", r#"{"a": null, "b": ""}"#);
}

#[test]
fn keys_are_texts() {
    check("{1: a, 'true': b, '': c, null: d}", r#"{"1": "a", "true": "b", "": "c", "null": "d"}"#);
    check("{true: a, yes: b}", r#"{"<bool Value>": "a", "yes": "b"}"#);
    let both = super::read("{true: a, false: b}", "f.yml").unwrap();
    assert_eq!(both.size(), 3);
    wrong("? [a]\n: b\n", "f.yml:1:3: a key must be a text; quote values that begin with { or [");
    wrong("rule: {{ x }}\n", "f.yml:1:8: a key must be a text; quote values that begin with { or [");
}

#[test]
fn anchors_and_merges() {
    check("a: &x {b: 1}\nc: *x\n", r#"{"a": {"b": 1}, "c": {"b": 1}}"#);
    check("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n", r#"{"a": {"b": 1, "c": 2}, "d": {"c": 3, "b": 1}}"#);
    check(
        "a: &x {b: 1}\nb: &y {b: 2, c: 2}\nd: {<<: [*x, *y]}\n",
        r#"{"a": {"b": 1}, "b": {"b": 2, "c": 2}, "d": {"b": 1, "c": 2}}"#,
    );
    check("a: {'<<': 1}\n", r#"{"a": {"<<": 1}}"#);
    check("&k a: 1\nb: *k\n", r#"{"a": 1, "b": "a"}"#);
    check("a: &x 1\nb: &x 2\nc: *x\n", r#"{"a": 1, "b": 2, "c": 2}"#);
    wrong("a: {<<: 1}\n", "f.yml:1:5: << takes a map or a list of maps");
    wrong(
        "a: *x\nb: *y\n",
        "f.yml:1:4: the alias *x has no anchor &x before it\nf.yml:2:4: the alias *y has no anchor &y before it",
    );
    wrong("a: &x [*x]\n", "f.yml:1:8: an alias stands inside of what it names");
}

#[test]
fn what_an_alias_brings_keeps_its_place() {
    let node = super::read("a: &x\n  b: 1\nc: *x\n", "f.yml").unwrap();
    assert_eq!(node.get("c").unwrap().get("b").unwrap().place().to_string(), "f.yml:2:3");
}

#[test]
fn a_key_written_twice_is_an_error() {
    wrong("a: 1\nb: 2\na: {c: 1}\n", "f.yml:3:1: the key a is written twice; the first is on line 1");
    wrong(
        "a: {b: 1, b: 2}\nc: {d: 1,\n d: 2}\n",
        "\
f.yml:1:11: the key b is written twice; the first is on line 1
f.yml:3:2: the key d is written twice; the first is on line 2",
    );
}

#[test]
fn only_the_first_document_counts() {
    check("a: 1\n---\nb: 2\n", r#"{"a": 1}"#);
    check("---\na: 1\n...\n: : :", r#"{"a": 1}"#);
}

#[test]
fn syntax_errors_have_places() {
    for (text, place) in [("a: [1\nb: 2\n", "f.yml:2:"), ("a: b: c\n", "f.yml:1:"), ("a:\n\t- b\n", "f.yml:2:")] {
        let said = super::read(text, "f.yml").unwrap_err().to_string();
        assert!(said.starts_with(place), "{said}");
    }
}

#[test]
fn every_node_knows_its_place() {
    let node = super::read("a:\n  - b: 1\n    ä: {c: x}\n", "f.yml").unwrap();
    let crate::Value::List(items) = &node.get("a").unwrap().value else { panic!("a list was written") };
    assert_eq!(items[0].at.to_string(), "f.yml:2:5");
    let inner = items[0].get("ä").unwrap();
    assert_eq!((inner.key_at.to_string(), inner.at.to_string()), ("f.yml:3:5".into(), "f.yml:3:8".into()));
    assert_eq!(inner.get("c").unwrap().at.to_string(), "f.yml:3:12");
}
