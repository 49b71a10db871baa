//! Functions with regular expressions. Go's and ours are of one family, replacement texts included.

use gotmpl::{TemplateError, Value};
use regex::{NoExpand, Regex};

use super::call::{Answer, Call, Functions, list, string};

pub(super) const FUNCTIONS: Functions = &[
    ("mustRegexFind", find),
    ("mustRegexFindAll", find_all),
    ("mustRegexMatch", |call| call.exactly(2).and(Ok(Value::Bool(pattern(call)?.is_match(call.text(1)?))))),
    ("mustRegexReplaceAll", replace),
    ("mustRegexReplaceAllLiteral", replace_literal),
    ("mustRegexSplit", split),
    ("regexFind", find),
    ("regexFindAll", find_all),
    // Alone among its kin it takes a bad pattern for one that does not match.
    ("regexMatch", |call| {
        call.exactly(2)
            .and(Ok(Value::Bool(call.text(1).is_ok_and(|text| pattern(call).is_ok_and(|it| it.is_match(text))))))
    }),
    ("regexQuoteMeta", |call| call.exactly(1).and(string(quoted(call.text(0)?)))),
    ("regexReplaceAll", replace),
    ("regexReplaceAllLiteral", replace_literal),
    ("regexSplit", split),
];

fn pattern(call: &Call<'_>) -> Result<Regex, TemplateError> {
    Regex::new(call.text(0)?).map_err(|error| call.fail(&error.to_string()))
}

fn limit(call: &Call<'_>) -> Result<usize, TemplateError> {
    Ok(usize::try_from(call.int(2)?).unwrap_or(usize::MAX))
}

fn find(call: &Call<'_>) -> Answer {
    call.exactly(2)?;
    string(pattern(call)?.find(call.text(1)?).map_or("", |found| found.as_str()))
}

fn find_all(call: &Call<'_>) -> Answer {
    call.exactly(3)?;
    list(pattern(call)?.find_iter(call.text(1)?).take(limit(call)?).map(|found| Value::from(found.as_str())))
}

fn replace(call: &Call<'_>) -> Answer {
    call.exactly(3)?;
    string(pattern(call)?.replace_all(call.text(1)?, call.text(2)?))
}

fn replace_literal(call: &Call<'_>) -> Answer {
    call.exactly(3)?;
    string(pattern(call)?.replace_all(call.text(1)?, NoExpand(call.text(2)?)))
}

fn split(call: &Call<'_>) -> Answer {
    call.exactly(3)?;
    match limit(call)? {
        0 => list([]),
        most => list(pattern(call)?.splitn(call.text(1)?, most).map(Value::from)),
    }
}

/// Go escapes fewer characters than [`regex::escape`] does.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}
