use super::Pattern;

#[track_caller]
fn check(pattern: &str, matching: &[&str], other: &[&str]) {
    let compiled = Pattern::compile(pattern).unwrap();
    for text in matching {
        assert!(compiled.is_match(text), "{pattern} should match {text:?}");
    }
    for text in other {
        assert!(!compiled.is_match(text), "{pattern} should not match {text:?}");
    }
}

#[track_caller]
fn refused(pattern: &str, at: Option<usize>, message: &str) {
    let error = Pattern::compile(pattern).unwrap_err();
    assert_eq!((error.at, error.message.as_str()), (at, message));
}

#[test]
fn patterns_are_not_anchored() {
    check("b+", &["abc"], &["ac"]);
    check("^b$", &["b"], &["ab", "b\n"]);
}

#[test]
fn braces_that_count_nothing_stand_for_themselves() {
    check("{sub:a+}", &["x{sub:aa}"], &["aa"]);
    check("a{,2}$", &["a{,2}"], &["aa"]);
    check("^a{2}$", &["aa"], &["a{2}"]);
    check("^a{1,}$", &["aa"], &["a{1,}"]);
    check("^a{01}$", &["a{01}"], &["a"]);
    check("}", &["}"], &["{"]);
}

#[test]
fn sets_are_ascii() {
    check(r"^\d$", &["7"], &["٣"]);
    check(r"^\w$", &["_"], &["é"]);
    check(r"^\W$", &["é"], &["a"]);
    check(r"^\s$", &["\x0c"], &["\x0b", "\u{a0}"]);
    check(r"^[\D]$", &["٣"], &["3"]);
    check(r"a\b", &["aé"], &["ab"]);
    check(r"a\B", &["ab"], &["a "]);
}

#[test]
fn brackets_know_neither_nesting_nor_operations() {
    check("^[a&&b]$", &["&", "a", "b"], &["c"]);
    check("^[a~~b]$", &["~"], &["c"]);
    check("^[[a]$", &["[", "a"], &["b"]);
    check("^[]a]$", &["]", "a"], &["b"]);
    check("^[^]a]$", &["b"], &["]"]);
    check(r"^[\w-.]$", &["-", "."], &["/"]);
    check("^[a-]$", &["a", "-"], &["b"]);
    check("^[[:alpha:]-]$", &["a", "-"], &["1"]);
    check("^[[:^alpha:]]$", &["1"], &["a"]);
    check("^[[:x]$", &["[", ":", "x"], &["a"]);
}

#[test]
fn unicode_sets() {
    check(r"^\pN$", &["٣"], &["a"]);
    check(r"^\p{Greek}$", &["α"], &["a"]);
    check(r"^\p{^Greek}$", &["a"], &["α"]);
    check(r"^[\P{Greek}]$", &["a"], &["α"]);
}

#[test]
fn escapes() {
    check(r"^\Qa.b\E+$", &["a.bb"], &["axb"]);
    check(r"^\Qa.b", &["a.b"], &["axb"]);
    check(r"^\x41\x{1F600}\101\07$", &["A\u{1F600}A\x07"], &["A"]);
    check(r"^\/\-\_\<\@\ $", &["/-_<@ "], &["/"]);
    check(r"\Aa\z", &["a"], &["aa"]);
}

#[test]
fn flags() {
    check("(?i)^ab$", &["AB"], &["abc"]);
    check("^(?i:a)b$", &["Ab"], &["AB"]);
    check("(?U)a+", &["a"], &["b"]);
    check("^(?)a$", &["a"], &["b"]);
    check("^a(?i){2}B$", &["aab", "aaB"], &["ab", "AAb"]);
    check("(?P<x>a)(?<y>b)", &["ab"], &["a"]);
}

#[test]
fn bytes_that_are_not_utf8_count_as_one_letter_each() {
    let pattern = Pattern::compile("^a..$").unwrap();
    assert!(pattern.is_match_bytes(b"a\xff\xfe"));
    assert!(!pattern.is_match_bytes(b"a\xff"));
}

#[test]
fn what_go_refuses_is_refused() {
    refused("a**", Some(2), "a repetition cannot be repeated");
    refused("a*(?i)*", Some(6), "a repetition cannot be repeated");
    refused("a{1001}", Some(1), "a repetition is limited to 1000");
    refused("a(?=b)", Some(1), "looking ahead or behind is not possible");
    refused("(?x)a", Some(0), "there is no such kind of group");
    refused(r"(a)\1", Some(3), "a reference to a group is not possible");
    refused(r"\C", Some(0), r"`\C` is not possible");
    refused(r"\Z", Some(0), r"there is no escape `\Z`");
    refused("[b-a]", Some(1), "the range runs backwards");
    refused("[a", Some(0), "`]` is missing");
    refused("[[:foo:]]", Some(1), "there is no set `[:foo:]`");
    refused(r"\p{sc=Greek}", Some(0), "there is no such set of letters");
    refused("a\\", Some(1), "the pattern ends with a backslash");
    refused("(a", None, "unclosed group");
    refused("*a", None, "repetition operator missing expression");
}
