use serde_json::Value;

/// What we read is what serde_json reads.
#[track_caller]
fn check(text: &str) {
    let node = super::read(text, "f.json").unwrap_or_else(|errors| panic!("{errors}"));
    let expected: Value = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_value(node).unwrap(), expected, "{text}");
}

#[track_caller]
fn wrong(text: &str, expected: &str) {
    assert_eq!(super::read(text, "f.json").unwrap_err().to_string(), expected, "{text}");
    assert!(text.contains("twice") || serde_json::from_str::<Value>(text).is_err(), "{text}");
}

#[test]
fn reads_every_kind_of_value() {
    check(r#" {"a": [1, -2, 1.5, 1e3, true, false, null, "x"], "b": {}, "c": [] } "#);
    check(r#""a\"b\\c\u00e4\n\/""#);
    check("\t[ 1 ,\n 2 ]\r\n");
    check("0");
    check("\"ä€\"");
}

#[test]
fn says_where_it_goes_wrong() {
    wrong("", "f.json:1:1: a value is missing at the end of the document");
    wrong("{\n  \"a\" 1}", "f.json:2:7: a colon was expected here");
    wrong("{\"a\": 1,}", "f.json:1:9: a key in double quotes was expected here");
    wrong("{a: 1}", "f.json:1:2: a key in double quotes was expected here");
    wrong("[1 2]", "f.json:1:4: a comma or ] was expected here");
    wrong("[1,]", "f.json:1:4: a value was expected here");
    wrong("{\"a\": 1 \"b\"}", "f.json:1:9: a comma or } was expected here");
    wrong("[tru]", "f.json:1:2: a value was expected here");
    wrong("[01]", "f.json:1:2: a value was expected here");
    wrong("\"a", "f.json:1:1: a text has no closing quote");
    wrong("\"a\\", "f.json:1:1: a text has no closing quote");
    wrong("\"a\\x\"", "f.json:1:1: a text holds a control character or a bad escape");
    wrong("1 1", "f.json:1:3: the end of the document was expected here");
    wrong("{\"twice\": 1, \"twice\": 2}", "f.json:1:14: the key twice is written twice");
}

#[test]
fn every_node_knows_its_place() {
    let node = super::read("{\n  \"ä\": [1,\n   {\"b\": 2}]}", "f.json").unwrap();
    let list = node.get("ä").unwrap();
    assert_eq!((list.key_at.to_string(), list.at.to_string()), ("f.json:2:3".into(), "f.json:2:8".into()));
    let crate::Value::List(items) = &list.value else { panic!("a list was written") };
    assert_eq!(items[1].at.to_string(), "f.json:3:4");
    assert_eq!(items[1].get("b").unwrap().at.to_string(), "f.json:3:10");
}
