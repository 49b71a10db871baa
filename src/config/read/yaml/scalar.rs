//! What a YAML scalar is: text, unless it is plain and reads as something else.

use serde_yaml::granit_parser::{ScalarStyle, Tag};

use crate::{Scalar, Value};

/// A number in any other spelling than the usual one (`0123`, `0x1f`, `1.50`) stays text: a field of text gets it as it
/// was written, a field of numbers still reads it.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let plain = match tag.and_then(Tag::core_suffix) {
        Some("str") => false,
        Some("bool" | "int" | "float" | "null") => true,
        _ => style == ScalarStyle::Plain,
    };
    if !plain {
        return Value::Scalar(Scalar::Text(text.into()));
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Scalar(Scalar::Bool(true)),
        "false" | "False" | "FALSE" => return Value::Scalar(Scalar::Bool(false)),
        _ => {}
    }
    Value::Scalar(number(text).unwrap_or_else(|| Scalar::Text(text.into())))
}

/// A number whose usual spelling is exactly this text.
pub(in crate::read) fn number(text: &str) -> Option<Scalar> {
    let first = text.as_bytes().first()?;
    if !(first.is_ascii_digit() || *first == b'-') {
        return None;
    }
    if let Ok(value) = text.parse::<i64>() {
        return (value.to_string() == text).then_some(Scalar::Int(value));
    }
    let value: f64 = text.parse().ok()?;
    (value.is_finite() && value.to_string() == text).then_some(Scalar::Float(value))
}
