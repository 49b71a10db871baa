//! The matchers of rule syntax v2, which take several values and templates.

use super::matcher::{HostMatcher, HttpMatcher};
use crate::pattern::{Pattern, PatternError};
use crate::rule::name::Names;
use crate::rule::parse::Argument;
use crate::rule::{Place, Rule, RuleError, Syntax, one_of};
use crate::template::{Style, Template, variables};

pub(super) const NAMES: Names = Names {
    here: &[
        "Host",
        "HostHeader",
        "HostRegexp",
        "ClientIP",
        "Path",
        "PathPrefix",
        "Method",
        "Headers",
        "HeadersRegexp",
        "Query",
    ],
    elsewhere: &[
        ("PathRegexp", "Path(`/{name:pattern}`)"),
        ("Header", "Headers(`name`, `value`)"),
        ("HeaderRegexp", "HeadersRegexp(`name`, `pattern`)"),
        ("QueryRegexp", "Query(`key={name:pattern}`)"),
    ],
    syntax: Syntax::V2,
};

const HOST: Style = Style { variable: "[^.]+", is_prefix: false, ignores_case: true };
const PATH: Style = Style { variable: "[^/]+", is_prefix: false, ignores_case: false };
const PREFIX: Style = Style { is_prefix: true, ..PATH };
const QUERY: Style = Style { variable: ".*", is_prefix: false, ignores_case: false };

/// The matcher of that canonical name.
pub(super) fn build(name: &str, place: &Place<'_>) -> Result<Rule<HttpMatcher>, RuleError> {
    place.check_filled(name)?;
    let arguments = &place.call.arguments;
    let any = |build: &dyn Fn(&Argument) -> Result<HttpMatcher, RuleError>| {
        let rules: Result<_, _> = arguments.iter().map(|argument| build(argument).map(Rule::Is)).collect();
        rules.map(one_of)
    };
    match name {
        "Host" | "HostHeader" => any(&|argument| {
            place.check_ascii(name, argument)?;
            Ok(HttpMatcher::Host(HostMatcher::literal(&argument.value)))
        }),
        "HostRegexp" => any(&|argument| {
            place.check_ascii(name, argument)?;
            Ok(match template(place, argument, HOST)? {
                // Unlike Host, this tolerates no trailing dot.
                Template::Text(text) => HttpMatcher::HostTemplate(
                    Pattern::of_text(&text).map_err(|error| place.bad_pattern(argument, &error))?,
                ),
                Template::Pattern { pattern, .. } => HttpMatcher::HostTemplate(pattern),
            })
        }),
        "Path" | "PathPrefix" => any(&|argument| {
            if !argument.value.starts_with('/') {
                let error =
                    place.wrong(argument, &format!("the path `{}` does not begin with a slash", argument.value));
                return Err(error.expecting(Some(&format!("`/{}`", argument.value))));
            }
            Ok(match template(place, argument, if name == "Path" { PATH } else { PREFIX })? {
                Template::Text(text) if name == "Path" => HttpMatcher::Path(text.into()),
                Template::Text(text) => HttpMatcher::PathPrefix(text.into()),
                Template::Pattern { head, pattern } => HttpMatcher::PathRegexp { head: head.into(), pattern },
            })
        }),
        "Method" => any(&|argument| Ok(HttpMatcher::Method(argument.value.to_uppercase().into()))),
        "ClientIP" => {
            let ranges: Result<_, _> = arguments.iter().map(|argument| place.range(argument)).collect();
            Ok(Rule::Is(HttpMatcher::client_ip(ranges?)))
        }
        "Headers" => headers(name, place, |header, value| {
            Ok(HttpMatcher::header(header, |name| HttpMatcher::Header { name, value: value.value.as_str().into() }))
        }),
        "HeadersRegexp" => headers(name, place, |header, value| {
            let pattern = place.pattern(value)?;
            Ok(HttpMatcher::header(header, |name| HttpMatcher::HeaderRegexp { name, pattern }))
        }),
        "Query" => queries(place),
        _ => unreachable!("every name of the table is built: {name}"),
    }
}

fn template(place: &Place<'_>, argument: &Argument, style: Style) -> Result<Template, RuleError> {
    Template::new(&argument.value, style).map_err(|error| place.bad_pattern(argument, &error))
}

/// Pairs of a name and a value: all must hold. The last one counts when a name is given twice.
fn headers(
    name: &str,
    place: &Place<'_>,
    build: impl Fn(&str, &Argument) -> Result<HttpMatcher, RuleError>,
) -> Result<Rule<HttpMatcher>, RuleError> {
    let arguments = &place.call.arguments;
    if !arguments.len().is_multiple_of(2) {
        return Err(place.error(&format!("{name} takes pairs of a name and a value")));
    }
    let mut rules = Vec::new();
    for (index, pair) in arguments.chunks_exact(2).enumerate() {
        let rule = build(&pair[0].value, &pair[1])?;
        let is_repeated = arguments.chunks_exact(2).skip(index + 1).any(|later| later[0].value == pair[0].value);
        if !is_repeated {
            rules.push(Rule::Is(rule));
        }
    }
    Ok(Rule::All(rules.into()))
}

/// `key=value` in each argument, or key and value in turn; all must hold.
fn queries(place: &Place<'_>) -> Result<Rule<HttpMatcher>, RuleError> {
    let mut parts = Vec::new();
    for argument in &place.call.arguments {
        match argument.value.split_once('=') {
            Some((key, value)) => parts.extend([(key, argument), (value, argument)]),
            None => parts.push((argument.value.as_str(), argument)),
        }
    }
    if !parts.len().is_multiple_of(2) {
        return Err(place.error("Query takes pairs of a key and a value").expecting(Some("Query(`key=value`)")));
    }
    let mut seen = Vec::new();
    let mut rules = Vec::new();
    for pair in parts.chunks_exact(2) {
        let ((key, _), (value, argument)) = (pair[0], pair[1]);
        let template = format!("{key}={value}");
        let names = variables(&template).map_err(|error| unfit(place, argument, error))?;
        if let Some(name) = names.iter().find(|name| seen.iter().any(|seen| seen == **name)) {
            return Err(place.wrong(argument, &format!("the variable `{name}` is in two values of this Query")));
        }
        rules.push(Rule::Is(one_query(place, &template, argument)?));
        seen.extend(names.into_iter().map(str::to_owned));
    }
    Ok(Rule::All(rules.into()))
}

/// A template of `key=value`.
fn one_query(place: &Place<'_>, whole: &str, argument: &Argument) -> Result<HttpMatcher, RuleError> {
    let template = |text: &str| Template::new(text, QUERY).map_err(|error| unfit(place, argument, error));
    Ok(match whole.split_once('=').unwrap_or_default() {
        // The key is compared as it is written, so one with a variable in it is never there.
        (key, _) if key.contains('{') => template(whole).map(|_| HttpMatcher::Never)?,
        // An empty value stands for any.
        (key, value) => match template(if value.is_empty() { "{any}" } else { value })? {
            Template::Text(value) => HttpMatcher::FirstQuery { key: key.into(), value: value.into() },
            Template::Pattern { pattern, .. } => HttpMatcher::FirstQueryRegexp { key: key.into(), pattern },
        },
    })
}

/// The place of the error is not one of the argument as it is written.
fn unfit(place: &Place<'_>, argument: &Argument, error: PatternError) -> RuleError {
    place.bad_pattern(argument, &PatternError { at: None, ..error })
}
