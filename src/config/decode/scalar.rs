//! One scalar, in the spelling of a label, a flag or a file, as what a field asks for.

use crate::{Node, Origin, Scalar, Value};

/// Go's `strconv.ParseBool`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// The further spellings that YAML 1.1 had; only files may use them.
fn yaml_boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Any word that somebody may take for a boolean.
pub(super) fn is_boolean_word(text: &str) -> bool {
    boolean(text).or_else(|| yaml_boolean(text)).is_some()
}

pub(super) fn as_bool(text: &str, at: &Origin) -> Option<bool> {
    boolean(text).or_else(|| if matches!(at, Origin::File { .. }) { yaml_boolean(text) } else { None })
}

/// Decimal as Go's `strconv.ParseInt`, or with a prefix for its base as YAML and TOML write it. A float without a
/// fraction is a whole number: `1.0`.
pub(super) fn as_integer(text: &str, at: &Origin) -> Option<i128> {
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    if !matches!(at, Origin::File { .. }) {
        return None;
    }
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let digits = digits.replace('_', "");
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            return i128::from_str_radix(digits, radix).ok().map(|value| sign * value);
        }
    }
    digits.parse::<i128>().ok().map(|value| sign * value).or_else(|| whole(text.parse().ok()?))
}

/// A float that is a whole number.
pub(super) fn whole(value: f64) -> Option<i128> {
    // Beyond 2^53 a float no longer says which whole number was meant.
    (value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0).then_some(value as i128)
}

/// How a value is named in an error.
pub(super) fn shown(node: &Node) -> String {
    match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Scalar(Scalar::Text(text)) => quoted(text),
        Value::Scalar(scalar) => scalar.to_string(),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a section".to_owned(),
    }
}

/// Quoted, and not longer than a line of a terminal.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
