use proptest::prelude::*;

use super::parse::{Call, calls};
use super::{Rule, Syntax, parse_http, parse_tcp};

/// The rule with every group in parentheses.
fn drawn(rule: &Rule<Call>) -> String {
    let joined = |rules: &[Rule<Call>], sign: &str| {
        let parts: Vec<_> = rules.iter().map(drawn).collect();
        format!("({})", parts.join(sign))
    };
    match rule {
        Rule::Is(call) => {
            let arguments: Vec<_> = call.arguments.iter().map(|argument| format!("{:?}", argument.value)).collect();
            format!("{}[{}]", call.name, arguments.join(","))
        }
        Rule::Not(rule) => format!("!{}", drawn(rule)),
        Rule::All(rules) => joined(rules, " & "),
        Rule::Any(rules) => joined(rules, " | "),
    }
}

#[track_caller]
fn check(rule: &str, expected: &str) {
    assert_eq!(drawn(&calls(rule).unwrap()), expected);
}

#[track_caller]
fn refused(rule: &str, expected: &str) {
    assert_eq!(calls(rule).unwrap_err().to_string(), expected);
}

#[test]
fn operators_bind_as_in_go() {
    check("A(`1`) && B(`2`) || C(`3`)", r#"((A["1"] & B["2"]) | C["3"])"#);
    check("A(`1`) && (B(`2`) || C(`3`))", r#"(A["1"] & (B["2"] | C["3"]))"#);
    check("!A(`1`) && B(`2`)", r#"(!A["1"] & B["2"])"#);
    check("!(A(`1`) || !!B(`2`))", r#"!(A["1"] | B["2"])"#);
    check("A(`1`)||B(`2`)||C(`3`)", r#"(A["1"] | B["2"] | C["3"])"#);
}

#[test]
fn white_space_and_comments() {
    check(" \t A ( `1` , \n `2` ) ", r#"A["1","2"]"#);
    check("A(`1`) &&\n  B(`2`)\n\n", r#"(A["1"] & B["2"])"#);
    check("A(`1`,\n)", r#"A["1"]"#);
    check("A(`1`...)", r#"A["1"]"#);
    check("A(`1`) /* one */ && // two\n B(`2`) // three", r#"(A["1"] & B["2"])"#);
    refused(
        "A(`1`)\n&& B(`2`)",
        "column 7: the line break ends the rule; expected the line to end with `&&`, `||`, `(` or `,` when the rule goes on",
    );
    refused(
        "A(`1`\n)",
        "column 6: the line break ends the rule; expected the line to end with `&&`, `||`, `(` or `,` when the rule goes on",
    );
}

#[test]
fn text_as_in_go() {
    check(r"A(`a\n\`)", r#"A["a\\n\\"]"#);
    check("A(`a\r\nb`)", r#"A["a\nb"]"#);
    check(r#"A("a\n\"\\\x41\101é\U0001F600")"#, r#"A["a\n\"\\AAé😀"]"#);
    check(r#"A("\xc3\xa9")"#, r#"A["é"]"#);
    refused(
        r#"A("\d")"#,
        r#"column 4: unknown escape in text; expected one of \\ \" \a \b \f \n \r \t \v \x \u \U; or back quotes, in which a backslash stands for itself"#,
    );
    refused(
        r#"A("\'")"#,
        r#"column 4: unknown escape in text; expected one of \\ \" \a \b \f \n \r \t \v \x \u \U; or back quotes, in which a backslash stands for itself"#,
    );
    refused(r#"A("\400")"#, "column 4: an escape in text is not complete or out of range");
    refused(r#"A("\xff")"#, "column 3: the text is not UTF-8; expected escapes that make UTF-8");
    refused("A(\"a\nb\")", "column 3: text is not closed; expected a closing double quote");
    refused("A(`a", "column 3: text is not closed; expected a closing back quote");
    refused(
        "A('a')",
        "column 3: text cannot stand in single quotes; expected back quotes or double quotes around the text",
    );
}

#[test]
fn errors_say_where_and_what() {
    refused("", "column 1: the rule is empty; expected a matcher, such as Host(`…`), `!` or `(`");
    refused("A(`1`", "column 6: the rule ends too early; expected `,` or `)`");
    refused("A(`1`) B(`2`)", "column 8: unexpected `B`; expected `&&`, `||` or the end of the rule");
    refused("A(`é`) & B(`2`)", "column 8: a single `&` is no operator; expected `&&`");
    refused("A(`1`) && ", "column 11: the rule ends too early; expected a matcher, such as Host(`…`), `!` or `(`");
    refused("(A(`1`)", "column 8: the rule ends too early; expected `&&`, `||` or `)`");
    refused("A", "column 2: the rule ends too early; expected `(` behind `A`");
    refused("`1`", "column 1: text alone is no rule; expected a matcher, such as Host(`…`)");
    refused(
        "A(B(`1`))",
        "column 3: an argument must be text in quotes; expected back quotes or double quotes around it",
    );
    refused("A(1)", "column 3: `1` has no meaning in a rule");
    refused("A(`1`);", "column 7: `;` has no meaning in a rule");
    refused("A(`1`) == B(`2`)", "column 8: `=` has no meaning in a rule");
}

#[test]
fn nesting_is_bounded_and_length_is_not() {
    let nested = |depth: usize| format!("{}A(`1`){}", "(".repeat(depth), ")".repeat(depth));
    assert!(calls(&nested(100)).is_ok());
    refused(&nested(101), "column 101: the rule is nested too deeply");
    let long = vec!["A(`1`)"; 20_000].join(" || ");
    assert!(calls(&long).is_ok());
    assert!(calls(&format!("{}A(`1`)", "!".repeat(100_001))).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        for syntax in [Syntax::V3, Syntax::V2] {
            let _ = parse_http(&text, syntax);
            let _ = parse_tcp(&text, syntax);
        }
    }

    #[test]
    fn no_row_of_words_makes_the_parser_panic(
        words in proptest::collection::vec(proptest::sample::select(WORDS), 0..24)
    ) {
        let text = words.concat();
        for syntax in [Syntax::V3, Syntax::V2] {
            let _ = parse_http(&text, syntax);
            let _ = parse_tcp(&text, syntax);
        }
    }
}

const WORDS: &[&str] = &[
    "Host",
    "HostRegexp",
    "Path",
    "Query",
    "Headers",
    "HostSNI",
    "HostSNIRegexp",
    "ClientIP",
    "(",
    ")",
    "`",
    "\"",
    "\\",
    ",",
    "&&",
    "||",
    "!",
    "{",
    "}",
    "a",
    ":",
    "/",
    "*",
    "[",
    "]",
    "\n",
    "é",
    " ",
    "10.0.0.1",
    "\\Q",
    "\\x",
    "\\p",
    "=",
    "(`/a`)",
    "(`a.b`)",
    "{x:[a-z]+}",
    "/*",
    "//",
];
