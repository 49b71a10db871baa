//! Compared with Traefik 3.7.15, whose file provider rendered the same expressions.

use proptest::prelude::*;

use super::{Dialect, Template, Value, render, render_document};

#[track_caller]
fn check(expression: &str, expected: &str) {
    let source = format!("{{{{ printf \"%v\" ({expression}) }}}}");
    assert_eq!(render_document(&source).as_deref(), Ok(expected), "{expression}");
}

#[track_caller]
fn check_error(source: &str, words: &str) {
    let error = render_document(source).unwrap_err().to_string();
    assert!(error.contains(words), "{source}: {error}");
}

#[test]
fn functions() {
    check(r#"trim "  a b ""#, "a b");
    check(r#"trimAll "$" "$5.00$""#, "5.00");
    check(r#"trimSuffix "-" "hello-""#, "hello");
    check(r#"trimPrefix "-" "-hello""#, "hello");
    check(r#"trimall "$" "$5$""#, "5");
    check(r#"upper "hello""#, "HELLO");
    check(r#"lower "HELLO""#, "hello");
    check(r#"title "hello world foo-bar""#, "Hello World Foo-Bar");
    check(r#"untitle "Hello World""#, "hello world");
    check(r#"repeat 3 "ab""#, "ababab");
    check(r#"substr 0 5 "hello world""#, "hello");
    check(r#"substr -1 5 "hello world""#, "hello");
    check(r#"substr 6 -1 "hello world""#, "world");
    check(r#"nospace "hello w o r l d""#, "helloworld");
    check(r#"trunc 5 "hello world""#, "hello");
    check(r#"trunc -5 "hello world""#, "world");
    check(r#"abbrev 5 "hello world""#, "he...");
    check(r#"abbrevboth 5 10 "1234 5678 9123""#, "...5678...");
    check(r#"initials "First Try""#, "FT");
    check(r#"wrap 5 "hello big world""#, "hello\nbig\nworld");
    check(r#"wrapWith 5 "\t" "Hello World""#, "Hello\tWorld");
    check(r#"contains "cat" "catch""#, "true");
    check(r#"hasPrefix "cat" "catch""#, "true");
    check(r#"hasSuffix "ch" "catch""#, "true");
    check(r#"quote "a" "b\"c" 1"#, r#""a" "b\"c" "1""#);
    check(r#"squote "a" 2"#, "'a' '2'");
    check(r#"cat "hello" "beautiful" 3"#, "hello beautiful 3");
    check(r#"indent 2 "a\nb""#, "  a\n  b");
    check(r#"nindent 2 "a\nb""#, "\n  a\n  b");
    check(r#"replace " " "-" "I Am Henry""#, "I-Am-Henry");
    check(r#"plural "one" "many" 2"#, "many");
    check(r#"plural "one" "many" 1"#, "one");
    check(r#"snakecase "FirstName""#, "first_name");
    check(r#"snakecase "first name HTTPServer""#, "first_name_http_server");
    check(r#"camelcase "http_server""#, "httpServer");
    check(r#"kebabcase "FirstName""#, "first-name");
    check(r#"swapcase "Hello wOrld""#, "hELLO WoRLD");
    check(r#"regexMatch "^[a-z]+$" "abc""#, "true");
    check(r#"regexFindAll "[2,4,6,8]" "123456789" -1"#, "[2 4 6 8]");
    check(r#"regexFindAll "[2,4,6,8]" "123456789" 2"#, "[2 4]");
    check(r#"regexFind "[a-z]([1-9])" "xa1b2""#, "a1");
    check(r#"regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W""#, "-W-xxW-");
    check(r#"regexReplaceAllLiteral "a(x*)b" "-ab-axxb-" "${1}W""#, "-${1}W-${1}W-");
    check(r#"regexSplit "z+" "pizza" -1"#, "[pi a]");
    check(r#"regexQuoteMeta "1.2.3""#, r"1\.2\.3");
    check(r#"split "a,b" ",""#, "[a b]");
    check(r#"splitList "$" "foo$bar$baz""#, "[foo bar baz]");
    check(r#"join "_" (list "a" "b" 3)"#, "a_b_3");
    check(r#"sortAlpha (list "c" "a" "b")"#, "[a b c]");
    check(r#"list 1 2 "x""#, "[1 2 x]");
    check("first (list 1 2 3)", "1");
    check("last (list 1 2 3)", "3");
    check("rest (list 1 2 3)", "[2 3]");
    check("initial (list 1 2 3)", "[1 2]");
    check("append (list 1 2) 3", "[1 2 3]");
    check("prepend (list 1 2) 3", "[3 1 2]");
    check("concat (list 1) (list 2 3)", "[1 2 3]");
    check("reverse (list 1 2 3)", "[3 2 1]");
    check("uniq (list 1 2 2 1)", "[1 2]");
    check("without (list 1 2 3) 2", "[1 3]");
    check("has 2 (list 1 2 3)", "true");
    check("has 9 (list 1 2 3)", "false");
    check(r#"compact (list 1 "" 2 nil)"#, "[1 2]");
    check("slice (list 1 2 3 4) 1 3", "[2 3]");
    check("until 4", "[0 1 2 3]");
    check("untilStep 2 10 3", "[2 5 8]");
    check("seq 3", "1 2 3");
    check("seq 0 2 6", "0 2 4 6");
    check("chunk 2 (list 1 2 3)", "[[1 2] [3]]");
    check(r#"dict "a" 1 "b" "x""#, "map[a:1 b:x]");
    check(r#"get (dict "a" 1) "a""#, "1");
    check(r#"get (dict "a" 1) "z""#, "");
    check(r#"hasKey (dict "a" 1) "a""#, "true");
    check(r#"set (dict "a" 1) "b" 2"#, "map[a:1 b:2]");
    check(r#"unset (dict "a" 1 "b" 2) "a""#, "map[b:2]");
    check(r#"keys (dict "a" 1)"#, "[a]");
    check(r#"values (dict "a" 1)"#, "[1]");
    check(r#"pick (dict "a" 1 "b" 2) "a""#, "map[a:1]");
    check(r#"omit (dict "a" 1 "b" 2) "a""#, "map[b:2]");
    check(r#"merge (dict "a" 1) (dict "a" 2 "b" 3)"#, "map[a:1 b:3]");
    check(r#"mergeOverwrite (dict "a" 1) (dict "a" 2 "b" 3)"#, "map[a:2 b:3]");
    check(r#"pluck "a" (dict "a" 1) (dict "a" 2)"#, "[1 2]");
    check(r#"dig "a" "b" "def" (dict "a" (dict "b" "found"))"#, "found");
    check(r#"dig "a" "z" "def" (dict "a" (dict "b" "found"))"#, "def");
    check(r#"default "foo" """#, "foo");
    check(r#"default "foo" "bar""#, "bar");
    check(r#""" | default "x""#, "x");
    check(r#"empty """#, "true");
    check("empty 0", "true");
    check(r#"empty "a""#, "false");
    check("coalesce 0 1 2", "1");
    check(r#"coalesce "" "b""#, "b");
    check(r#"ternary "yes" "no" true"#, "yes");
    check(r#"true | ternary "yes" "no""#, "yes");
    check(r#"all 1 "" 2"#, "false");
    check(r#"any 0 "" 2"#, "true");
    check("add 1 2 3", "6");
    check("add1 5", "6");
    check("sub 5 2", "3");
    check("mul 2 3 4", "24");
    check("div 7 2", "3");
    check("mod 7 2", "1");
    check("max 1 5 3", "5");
    check("min 4 2 9", "2");
    check("floor 12.9", "12");
    check("ceil 12.1", "13");
    check("round 12.3456 2", "12.35");
    check("addf 1.5 2.25", "3.75");
    check(r#"int "12""#, "12");
    check(r#"int64 "12""#, "12");
    check(r#"float64 "1.5""#, "1.5");
    check(r#"atoi "12""#, "12");
    check("toString 12", "12");
    check("toStrings (list 1 2)", "[1 2]");
    check(r#"toDecimal "777""#, "511");
    check(r#"toJson (dict "a" 1 "b" (list "x<y" true))"#, r#"{"a":1,"b":["x\u003cy",true]}"#);
    check(r#"toPrettyJson (dict "a" 1)"#, "{\n  \"a\": 1\n}");
    check(r#"toRawJson (dict "a" "<b>")"#, r#"{"a":"<b>"}"#);
    check(r#"fromJson "{\"a\":[1,2.5,\"x\"]}""#, "map[a:[1 2.5 x]]");
    check(r#"b64enc "hello""#, "aGVsbG8=");
    check(r#"b64dec "aGVsbG8=""#, "hello");
    check(r#"sha256sum "hello""#, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    check(r#"urlquery "a b&c""#, "a+b%26c");
    check(r#"kindOf "x""#, "string");
    check("kindOf 1", "int");
    check("kindOf (list 1)", "slice");
    check("kindOf (dict)", "map");
    check(r#"kindIs "string" "x""#, "true");
    check("typeOf 1", "int");
    check(r#"typeOf "x""#, "string");
    check("deepEqual (list 1 2) (list 1 2)", "true");
    check(r#"base "foo/bar.txt""#, "bar.txt");
    check(r#"dir "foo/bar.txt""#, "foo");
    check(r#"ext "foo/bar.txt""#, ".txt");
    check(r#"clean "foo/../bar""#, "bar");
    check(r#"isAbs "/foo""#, "true");
    check(r#"osBase "/a/b.c""#, "b.c");
    check(r#"osExt "a.b""#, ".b");
    check(r#"normalize "Hello_World.foo bar""#, "Hello-World-foo-bar");
    check(r#"len "abc""#, "3");
    check(r#"index (dict "a" 1) "z""#, "<nil>");
    check("index (list 1 2) 1", "2");
    check(r#"printf "%s-%d" "a" 3"#, "a-3");
    check(r#"print "a" 1 2 "b""#, "a1 2b");
    check(r#"html "<a>""#, "&lt;a&gt;");
    check("hello", "Hello!");
    check("tuple 1 2", "[1 2]");
    check(r#"split "a,b" ";""#, "[a,b]");
    check(r#"mustRegexMatch "a" "abc""#, "true");
    check("mustToJson 1", "1");
    check("mustFirst (list 1)", "1");
    check(r#"regexMatch "(" "a""#, "false");
    check(r#"substr 0 50 "abc""#, "abc");
    check("biggest 1 2", "2");
    check("divf 1 4", "0.25");
    check("mulf 1.5 2", "3");
    check("subf 5 1.5", "3.5");
    check("maxf 1 2.5", "2.5");
    check("minf 1 2.5", "1");
}

#[test]
fn the_environment() {
    let home = std::env::var("HOME").unwrap_or_default();
    check(r#"env "HOME""#, &home);
    check(r#"expandenv "a${HOME}b$HOME-$""#, &format!("a{home}b{home}-$"));
    check(r#"env "NO_SUCH_VARIABLE_HERE""#, "");
}

#[test]
fn split_differs_by_dialect() {
    let source = r#"{{ (split "." "a.b")._1 }}"#;
    assert_eq!(render(source, Dialect::Rule, &Value::Nil).as_deref(), Ok("b"));
    check(r#"split "a.b" ".""#, "[a b]");
}

#[test]
fn arguments_are_not_converted_on_the_way_in() {
    check_error("{{ lower 5 }}", "expected string; found");
    check_error("{{ upper true }}", "expected string; found");
    check_error("{{ trim 5 }}", "expected string; found");
    check_error(r#"{{ hasPrefix 1 "a" }}"#, "expected string; found");
}

#[test]
fn mistakes() {
    check_error(r#"{{ fail "it broke" }}"#, "it broke");
    check_error("a\n b {{ isTrue 1 }}", "line 2, column 7: function \"isTrue\" not defined");
    check_error("{{ if false }}{{ toYml 1 }}{{ end }}", "function \"toYml\" not defined");
    check_error("{{ define \"x\" }}{{ nope }}{{ end }}", "function \"nope\" not defined");
    check_error("{{ .Name }}", "can't evaluate field Name");
    check_error("a\n {{- if true }}", "line 2, column 2: {{if}} has no {{end}}");
    check_error("{{ if true }}a{{ end }} {{ end }} b", "line 1, column 25: unexpected {{end}}");
    check_error("a {{ else }}", "unexpected {{else}}");
    check_error("{{ \"{{ end }}\" }}{{ with 1 }}{{/* {{ end }} */}}", "column 18: {{with}} has no {{end}}");
    check_error("{{ div 1 0 }}", "divide by zero");
    check_error("{{ trim }}", "trim");
    check_error(r#"{{ regexFind "(" "a" }}"#, "error calling regexFind");
}

#[test]
fn nothing_runs_for_ever() {
    check_error("{{ until 100000000 }}", "too long");
    check_error(r#"{{ repeat 100000000 "ab" }}"#, "too long");
    check_error("{{ $n := until 2000 }}{{ range $n }}{{ range $n }}x{{ end }}{{ end }}", "budget");
}

#[test]
fn documents() {
    assert_eq!(render_document("no actions: {a} }}").as_deref(), Ok("no actions: {a} }}"));
    let source = "{{ range $i, $name := list \"a\" \"b\" }}\n{{ $name }}: {{ add $i 1 }}\n{{- end }}";
    assert_eq!(render_document(source).as_deref(), Ok("\na: 1\nb: 2"));
    let source = "{{ define \"host\" }}Host(`{{ . }}`){{ end }}rule: {{ template \"host\" \"x.y\" }}";
    assert_eq!(render_document(source).as_deref(), Ok("rule: Host(`x.y`)"));
    let source = "{{/* a remark */ -}}\n a";
    assert_eq!(render_document(source).as_deref(), Ok("a"));
}

#[test]
fn a_template_can_be_used_again() {
    let template = Template::parse("{{ .A }}-{{ .B | upper }}", Dialect::Rule, Some(&["A", "B"])).unwrap();
    let data = |a: &str| Value::from_entries([("A".to_owned(), a.into()), ("B".to_owned(), "b".into())]);
    assert_eq!(template.render(&data("1")).unwrap(), "1-B");
    assert_eq!(template.render(&data("2")).unwrap(), "2-B");
}

#[test]
fn deep_nesting_is_an_error_and_no_more() {
    for (open, close) in [("(", ")"), ("{{ if 1 }}", "{{ end }}")] {
        let inside = if open == "(" { "1" } else { "x" };
        let nested = format!("{}{inside}{}", open.repeat(20_000), close.repeat(20_000));
        let source = if open == "(" { format!("{{{{ {nested} }}}}") } else { nested };
        assert!(render_document(&source).is_err());
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(source in "([{]{2}[-]? ?(if|end|else|with|range|define|trim|printf|split|\\.Name|\"a|`|/\\*|\\*/|[(]|[)]|[|]| |[a-z0-9$.]){0,6} ?[-]?[}]{0,2}.{0,3}){0,6}") {
        let _either_way = render_document(&source);
        let _either_way = Template::parse(&source, Dialect::Rule, Some(&["Name"])).map(|template| template.render(&Value::Nil));
    }
}
