//! Functions on text: cutting, joining, replacing, quoting.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;

use super::call::{Answer, Call, Functions, list, map, shown, string};
use crate::normalize::normalize;

pub(super) const FUNCTIONS: Functions = &[
    ("cat", cat),
    ("contains", |call| call.exactly(2).and(Ok(Value::Bool(call.text(1)?.contains(call.text(0)?))))),
    ("hasPrefix", |call| call.exactly(2).and(Ok(Value::Bool(call.text(1)?.starts_with(call.text(0)?))))),
    ("hasSuffix", |call| call.exactly(2).and(Ok(Value::Bool(call.text(1)?.ends_with(call.text(0)?))))),
    ("indent", |call| call.exactly(2).and(string(indented(call)?))),
    ("join", join),
    ("lower", |call| call.exactly(1).and(string(call.text(0)?.to_lowercase()))),
    ("nindent", |call| call.exactly(2).and(string(format!("\n{}", indented(call)?)))),
    ("normalize", |call| call.exactly(1).and(string(normalize(call.text(0)?)))),
    ("nospace", |call| call.exactly(1).and(string(call.text(0)?.split_whitespace().collect::<String>()))),
    ("plural", |call| call.exactly(3).and(string(call.text(usize::from(call.int(2)? != 1))?))),
    ("quote", |call| string(each(call, |text| format!("{text:?}")))),
    ("repeat", repeat),
    ("replace", |call| call.exactly(3).and(string(call.text(2)?.replace(call.text(0)?, call.text(1)?)))),
    ("splitList", |call| call.exactly(2).and(pieces(call.text(1)?, call.text(0)?))),
    ("splitn", splitn),
    ("squote", |call| string(each(call, |text| format!("'{text}'")))),
    ("substr", substr),
    ("toString", |call| string(shown(&call.exactly(1)?[0]))),
    ("toStrings", |call| list(call.list(0)?.iter().map(|item| Value::from(shown(item).as_ref())))),
    ("trim", |call| call.exactly(1).and(string(call.text(0)?.trim()))),
    ("trimAll", trim_all),
    ("trimPrefix", |call| {
        call.exactly(2).and(string(call.text(1)?.strip_prefix(call.text(0)?).unwrap_or(call.text(1)?)))
    }),
    ("trimSuffix", |call| {
        call.exactly(2).and(string(call.text(1)?.strip_suffix(call.text(0)?).unwrap_or(call.text(1)?)))
    }),
    ("trimall", trim_all),
    ("trunc", trunc),
    ("upper", |call| call.exactly(1).and(string(call.text(0)?.to_uppercase()))),
];

/// `split` of default rules: a map `_0`, `_1` …
pub(super) const SPRIG_SPLIT: Functions =
    &[("split", |call| call.exactly(2).and(numbered(call.text(1)?.split(call.text(0)?))))];

/// `split` of files: Go's `strings.Split`.
pub(super) const GO_SPLIT: Functions = &[("split", |call| call.exactly(2).and(pieces(call.text(0)?, call.text(1)?)))];

/// The longest text that `repeat` makes, in bytes.
const MAX_REPEATED: usize = 1 << 20;

fn pieces(text: &str, separator: &str) -> Answer {
    if separator.is_empty() {
        return list(text.chars().map(|letter| Value::from(letter.to_string())));
    }
    list(text.split(separator).map(Value::from))
}

fn numbered<'a>(pieces: impl Iterator<Item = &'a str>) -> Answer {
    map(pieces
        .enumerate()
        .map(|(index, piece)| (format!("_{index}").into(), piece.into()))
        .collect::<BTreeMap<Arc<str>, _>>())
}

fn splitn(call: &Call<'_>) -> Answer {
    call.exactly(3)?;
    numbered(call.text(2)?.splitn(usize::try_from(call.int(1)?).unwrap_or(usize::MAX), call.text(0)?))
}

fn cat(call: &Call<'_>) -> Answer {
    let words: Vec<_> = call.values().iter().filter(|value| !matches!(value, Value::Nil)).map(shown).collect();
    string(words.join(" "))
}

fn each(call: &Call<'_>, quoted: impl Fn(&str) -> String) -> String {
    let words = call.values().iter().filter(|value| !matches!(value, Value::Nil));
    words.map(|value| quoted(&shown(value))).collect::<Vec<_>>().join(" ")
}

fn indented(call: &Call<'_>) -> Result<String, gotmpl::TemplateError> {
    let margin = " ".repeat(usize::try_from(call.int(0)?).unwrap_or(0).min(MAX_REPEATED));
    Ok(format!("{margin}{}", call.text(1)?.replace('\n', &format!("\n{margin}"))))
}

fn join(call: &Call<'_>) -> Answer {
    let values = call.exactly(2)?;
    let words: Vec<_> = match &values[1] {
        Value::List(items) => items.iter().filter(|item| !matches!(item, Value::Nil)).map(shown).collect(),
        other => vec![shown(other)],
    };
    string(words.join(call.text(0)?))
}

fn repeat(call: &Call<'_>) -> Answer {
    call.exactly(2)?;
    let text = call.text(1)?;
    let times = usize::try_from(call.int(0)?).map_err(|_| call.fail("negative Repeat count"))?;
    if text.len().saturating_mul(times) > MAX_REPEATED {
        return Err(call.fail("the text would be too long"));
    }
    string(text.repeat(times))
}

fn trim_all(call: &Call<'_>) -> Answer {
    call.exactly(2)?;
    let unwanted: Vec<char> = call.text(0)?.chars().collect();
    string(call.text(1)?.trim_matches(unwanted.as_slice()))
}

/// Cuts by bytes, as Go does, but never inside a character.
fn substr(call: &Call<'_>) -> Answer {
    call.exactly(3)?;
    let (start, end, text) = (call.int(0)?, call.int(1)?, call.text(2)?);
    let end = usize::try_from(end).map_or(text.len(), |end| end.min(text.len()));
    let start = usize::try_from(start).unwrap_or(0).min(end);
    string(&text[text.floor_char_boundary(start)..text.floor_char_boundary(end)])
}

fn trunc(call: &Call<'_>) -> Answer {
    call.exactly(2)?;
    let (length, text) = (call.int(0)?, call.text(1)?);
    let bytes = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    if bytes >= text.len() {
        return string(text);
    }
    string(if length < 0 {
        &text[text.ceil_char_boundary(text.len() - bytes)..]
    } else {
        &text[..text.floor_char_boundary(bytes)]
    })
}
