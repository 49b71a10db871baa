//! The matchers of rule syntax v3.

use std::sync::Arc;

use super::matcher::{HostMatcher, HttpMatcher};
use crate::rule::name::Names;
use crate::rule::parse::Argument;
use crate::rule::{Place, Rule, RuleError, Syntax};

pub(super) const NAMES: Names = Names {
    here: &[
        "ClientIP",
        "Method",
        "Host",
        "HostRegexp",
        "Path",
        "PathRegexp",
        "PathPrefix",
        "Header",
        "HeaderRegexp",
        "Query",
        "QueryRegexp",
    ],
    elsewhere: &[
        ("HostHeader", "Host(`…`)"),
        ("Headers", "Header(`name`, `value`)"),
        ("HeadersRegexp", "HeaderRegexp(`name`, `pattern`)"),
    ],
    syntax: Syntax::V3,
};

/// The matcher of that canonical name.
pub(super) fn build(name: &str, place: &Place<'_>) -> Result<Rule<HttpMatcher>, RuleError> {
    place.check_filled(name)?;
    let (least, most) = match name {
        "Header" | "HeaderRegexp" => (2, 2),
        "Query" | "QueryRegexp" => (1, 2),
        _ => (1, 1),
    };
    place.check_count(name, least, most)?;
    let first = &place.call.arguments[0];
    let text = first.value.as_str();
    let second = place.call.arguments.get(1);
    let value = || second.map(|argument| argument.value.as_str()).unwrap_or_default().into();
    Ok(Rule::Is(match name {
        "ClientIP" => HttpMatcher::client_ip(vec![place.range(first)?]),
        "Method" => HttpMatcher::Method(text.to_uppercase().into()),
        "Host" if text == "*" => HttpMatcher::AnyHost,
        "Host" => {
            place.check_ascii(name, first)?;
            HttpMatcher::Host(HostMatcher::new(text))
        }
        "HostRegexp" => {
            place.check_ascii(name, first)?;
            HttpMatcher::host_regexp(place.pattern(first)?)
        }
        "Path" => HttpMatcher::Path(path(place, first)?),
        "PathPrefix" => HttpMatcher::PathPrefix(path(place, first)?),
        "PathRegexp" => HttpMatcher::PathRegexp { head: literal_head(text).into(), pattern: place.pattern(first)? },
        "Header" => HttpMatcher::header(text, |name| HttpMatcher::Header { name, value: value() }),
        "HeaderRegexp" => {
            let pattern = place.pattern(&place.call.arguments[1])?;
            HttpMatcher::header(text, |name| HttpMatcher::HeaderRegexp { name, pattern })
        }
        "QueryRegexp" if second.is_some() => {
            HttpMatcher::QueryRegexp { key: text.into(), pattern: place.pattern(&place.call.arguments[1])? }
        }
        "Query" | "QueryRegexp" => HttpMatcher::Query { key: text.into(), value: value() },
        _ => unreachable!("every name of the table is built: {name}"),
    }))
}

/// What looks like the variables of version 2 and is plain text here.
pub(super) fn remark(name: &str, place: &Place<'_>) -> Option<RuleError> {
    let argument = place.call.arguments.first()?;
    let text = &argument.value;
    let opening = text.find('{').filter(|at| text[*at..].contains('}'))?;
    let looks_old = match name {
        "Host" | "Path" | "PathPrefix" => true,
        "HostRegexp" | "PathRegexp" => text[opening + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'),
        _ => false,
    };
    let message = format!("braces in {name} stand for themselves in rule syntax v3");
    let expected = if name.starts_with("Host") { "HostRegexp(`pattern`)" } else { "PathRegexp(`^/pattern`)" };
    looks_old.then(|| place.wrong(argument, &message).expecting(Some(expected)))
}

fn path(place: &Place<'_>, argument: &Argument) -> Result<Arc<str>, RuleError> {
    if argument.value.starts_with('/') {
        return Ok(argument.value.as_str().into());
    }
    let error = place.wrong(argument, &format!("the path `{}` does not begin with a slash", argument.value));
    Err(error.expecting(Some(&format!("`/{}`", argument.value))))
}

/// Text with which everything begins that the pattern matches; empty where that is not obvious.
fn literal_head(pattern: &str) -> &str {
    // An alternative or a flag could change what the beginning means.
    let Some(rest) = pattern.strip_prefix('^').filter(|rest| !rest.contains('|') && !rest.contains("(?")) else {
        return "";
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_-~%:@,=".contains(c);
    let end = rest.find(|c| !is_plain(c)).unwrap_or(rest.len());
    // What follows may make the last letter optional.
    if rest[end..].starts_with(['*', '?', '{']) { &rest[..end.saturating_sub(1)] } else { &rest[..end] }
}

#[cfg(test)]
mod tests {
    use super::literal_head;

    #[test]
    fn heads_are_only_what_is_certain() {
        let check = |pattern: &str, expected: &str| assert_eq!(literal_head(pattern), expected, "{pattern}");
        check("^/api/v[0-9]", "/api/v");
        check("^/api/?$", "/api");
        check("^/ab*", "/a");
        check("^/ab+", "/ab");
        check("^/ab{0}", "/a");
        check("^/a|/b", "");
        check("^(?i)/a", "");
        check("/a", "");
        check("^*", "");
        check(r"^/a\.b", "/a");
    }
}
