//! The library is the other opinion: where the quick reader reads at all, both must read the same, places included.

use proptest::prelude::*;

use super::super::read_any;

/// Whether it was read; panics where the library reads something else.
#[track_caller]
fn agrees(text: &str) -> bool {
    let Ok(quick) = super::read(text, "f.yml") else { return false };
    let other = read_any(text, "f.yml").unwrap_or_else(|errors| panic!("{text:?} is an error: {errors}"));
    assert_eq!(format!("{quick:#?}"), format!("{other:#?}"), "{text:?}");
    true
}

#[test]
fn usual_documents_are_read() {
    for text in [
        "a: 1\n",
        "---\na: {}\nb: []\n",
        "# c\nhttp:\n  routers: # all\n    r0: {rule: 'Host(`h.test`) && PathPrefix(`/p/`)', service: s, entryPoints: [web]}\n\n  \
         services:\n    s: {loadBalancer: {servers: [{url: 'http://127.0.0.1:80'}, {url: \"http://b\"}]}}\n",
        "a:\n  - b\n  - c: 1\n    d: x y\n  -\n    e: ~\nf:\n- 1\n- -2\ng: it's # c\n",
        "a: 'it''s'\nb: http://h:80/x#y?z\nc: true\n'd e': 1.5\n1: null",
    ] {
        assert!(agrees(text), "{text}");
    }
}

#[test]
fn what_is_unusual_is_left_to_the_library() {
    for text in [
        "",
        "a",
        "a: &x 1\n",
        "a: *x\n",
        "a: !!str 1\n",
        "a: |\n  b\n",
        "a: b\n  c\n",
        "a: {b: 1,\n c: 2}\n",
        "a: 1\na: 2\n",
        "a: {b: 1, b: 2}\n",
        "<<: 1\n",
        "true: 1\n",
        "a: \"\\n\"\n",
        "a:\n",
        "a: b: c\n",
        "a: 1\n---\nb: 2\n",
        "a:\tb\n",
        "a: é\n",
        "a: {b}\n",
        "a: [b: c]\n",
        "- a\n",
        "? a\n",
        "a: 1\r\n",
        "a: 'b\n",
        "a: {b: 1\n",
        "a: 1\n b: 2\n",
        "a:\n  b: 1\n - c\n",
        "a: [1, ]\n",
        "a: 1 #\nb: 2#\n c",
    ] {
        assert!(super::read(text, "f.yml").is_err(), "{text:?}");
    }
}

const PIECES: &[&str] = &[
    "a",
    "b: ",
    "c:\n",
    "  ",
    "    ",
    "\n",
    "- ",
    "-",
    "{",
    "}",
    "[",
    "]",
    ", ",
    ",",
    ": ",
    ":",
    "#",
    " # c",
    "'x'",
    "'it''s'",
    "\"q\"",
    "'",
    "\"",
    "~",
    "null",
    "true",
    "-1",
    "1.50",
    "0x1f",
    "http://h:80/x#y",
    "---\n",
    "...",
    "<<: ",
    "a b",
    "&x",
    "*x",
    "!t",
    "|",
    ">",
    "%",
    "@",
    "k1: {a: 1}\n",
    "k2: [x, y]\n",
    "  k3: v\n",
    "  k4:\n",
    "  - i\n",
    "    k5: 'w'\n",
    "k6:\n",
    "\\",
    "`",
    "é",
    "=",
    "?",
    "? ",
    "+1",
    ".5",
    "(",
    "^",
    "$",
    "/",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]
    #[test]
    fn never_another_reading(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..14)) {
        agrees(&pieces.concat());
    }
}
