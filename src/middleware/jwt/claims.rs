//! Claims: what they hold, and the expression over them.

use serde_json::{Map, Value};

use crate::expression::{Cursor, Logic};

pub(super) type Claims = Map<String, Value>;

/// One function of the expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Test {
    claim: String,
    check: Check,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Check {
    Equals(String),
    Prefix(String),
    Contains(String),
    SplitContains(String, String),
    OneOf(Vec<String>),
}

const FUNCTIONS: &str = "Equals(…), Prefix(…), Contains(…), SplitContains(…) or OneOf(…)";

pub(super) fn parse(text: &str) -> Result<Logic<Test>, String> {
    Logic::parse("claims", text, test)
}

pub(super) fn hold(expression: &Logic<Test>, claims: &Claims) -> bool {
    expression.holds(&|test| test.holds(claims))
}

fn test(cursor: &mut Cursor<'_>) -> Result<Test, String> {
    let start = cursor.mark();
    let name = cursor.take_while(|c| c.is_ascii_alphanumeric());
    if !cursor.take("(") {
        cursor.back(start);
        return Err(cursor.expected(FUNCTIONS));
    }
    let mut arguments = Vec::new();
    loop {
        let argument = cursor.quoted().ok_or_else(|| cursor.expected("a text in backticks or quotes"))?;
        arguments.push(argument.to_owned());
        if cursor.take(")") {
            break;
        }
        if !cursor.take(",") {
            return Err(cursor.expected("`,` or `)`"));
        }
    }
    let claim = arguments.remove(0);
    let check = match (name, arguments.as_slice()) {
        ("Equals", [value]) => Check::Equals(value.clone()),
        ("Prefix", [value]) => Check::Prefix(value.clone()),
        ("Contains", [value]) => Check::Contains(value.clone()),
        ("SplitContains", [separator, value]) if !separator.is_empty() => {
            Check::SplitContains(separator.clone(), value.clone())
        }
        ("OneOf", [_, ..]) => Check::OneOf(arguments),
        _ => {
            cursor.back(start);
            return Err(cursor.expected(FUNCTIONS));
        }
    };
    Ok(Test { claim, check })
}

impl Test {
    fn holds(&self, claims: &Claims) -> bool {
        let Some(found) = find(claims, &self.claim) else { return false };
        match &self.check {
            Check::Equals(value) => text(found).as_ref() == Some(value),
            Check::Prefix(value) => text(found).is_some_and(|found| found.starts_with(value)),
            Check::Contains(value) => match found {
                Value::Array(items) => items.iter().any(|item| text(item).as_ref() == Some(value)),
                other => text(other).is_some_and(|found| found.contains(value)),
            },
            Check::SplitContains(separator, value) => {
                text(found).is_some_and(|found| found.split(separator).any(|part| part == value))
            }
            Check::OneOf(values) => match found {
                Value::Array(items) => items.iter().filter_map(text).any(|item| values.contains(&item)),
                other => text(other).is_some_and(|found| values.contains(&found)),
            },
        }
    }
}

/// The claim of that name, or the nested one that dots lead to.
pub(super) fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    if let Some(found) = claims.get(name) {
        return Some(found);
    }
    name.match_indices('.').find_map(|(dot, _)| find(claims.get(&name[..dot])?.as_object()?, &name[dot + 1..]))
}

/// A text, number or truth value as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The items of a list, or the words of a text: how roles and scopes are written.
pub(super) fn words(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
        Some(Value::String(list)) => list.split_whitespace().map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: bool) {
        let claims = r#"{"grp":"admin","n":5,"roles":["a","b"],"scope":"read write","user":{"name":"Ann","a.b":"x"}}"#;
        let claims: Claims = serde_json::from_str(claims).expect("claims");
        assert_eq!(hold(&parse(expression).expect("a good expression"), &claims), expected, "{expression}");
    }

    #[test]
    fn every_function() {
        check("Equals(`grp`, `admin`)", true);
        check("Equals(\"n\", \"5\")", true);
        check("Equals(`roles`, `a`)", false);
        check("Prefix(`grp`, `adm`)", true);
        check("Contains(`grp`, `dmi`)", true);
        check("Contains(`roles`, `b`)", true);
        check("Contains(`roles`, `c`)", false);
        check("SplitContains(`scope`, ` `, `write`)", true);
        check("SplitContains(`scope`, ` `, `writ`)", false);
        check("OneOf(`grp`, `x`, `admin`)", true);
        check("OneOf(`roles`, `x`, `y`)", false);
        check("Equals(`user.name`, `Ann`) && Equals(`user.a.b`, `x`)", true);
        check("!Equals(`missing`, ``) && (Equals(`n`, `6`) || Prefix(`grp`, `a`))", true);
    }

    #[test]
    fn errors_say_where() {
        for (text, at) in [("", 1), ("Nope(`a`, `b`)", 1), ("Equals(`a`)", 1), ("Equals(a, `b`)", 8)] {
            let error = parse(text).expect_err("a bad expression");
            assert!(error.contains(&format!("character {at}:")), "{error}");
        }
    }
}
