//! Functions that encode: JSON, base64, digests; and those on paths.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gotmpl::Value;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::call::{Answer, Call, Functions, string};

pub(super) const FUNCTIONS: Functions = &[
    ("b64dec", b64dec),
    ("b64enc", |call| string(STANDARD.encode(call.exactly(1).and(call.text(0))?))),
    ("base", |call| string(base(call.exactly(1).and(call.text(0))?))),
    ("clean", |call| string(clean(call.exactly(1).and(call.text(0))?))),
    ("dir", dir),
    ("ext", |call| string(ext(call.exactly(1).and(call.text(0))?))),
    ("fromJson", |call| {
        Ok(serde_json::from_str(call.exactly(1).and(call.text(0))?).map_or(Value::Nil, |json| from_json(&json)))
    }),
    ("isAbs", |call| Ok(Value::Bool(call.exactly(1).and(call.text(0))?.starts_with('/')))),
    ("mustFromJson", |call| {
        let json = serde_json::from_str(call.exactly(1).and(call.text(0))?);
        json.map(|json| from_json(&json)).map_err(|error| call.fail(&error.to_string()))
    }),
    ("mustToJson", |call| string(escaped(&to_json(&call.exactly(1)?[0]).to_string()))),
    ("osBase", |call| string(base(call.exactly(1).and(call.text(0))?))),
    ("osClean", |call| string(clean(call.exactly(1).and(call.text(0))?))),
    ("osDir", dir),
    ("osExt", |call| string(ext(call.exactly(1).and(call.text(0))?))),
    ("osIsAbs", |call| Ok(Value::Bool(call.exactly(1).and(call.text(0))?.starts_with('/')))),
    ("sha256sum", sha256sum),
    ("toJson", |call| string(escaped(&to_json(&call.exactly(1)?[0]).to_string()))),
    ("toPrettyJson", |call| {
        let pretty = serde_json::to_string_pretty(&to_json(&call.exactly(1)?[0]));
        pretty.map_err(|error| call.fail(&error.to_string())).and_then(|text| string(escaped(&text)))
    }),
    ("toRawJson", |call| string(to_json(&call.exactly(1)?[0]).to_string())),
];

fn b64dec(call: &Call<'_>) -> Answer {
    // Sprig answers the error's text here instead of failing.
    match STANDARD.decode(call.exactly(1).and(call.text(0))?) {
        Ok(bytes) => string(String::from_utf8_lossy(&bytes)),
        Err(error) => string(error.to_string()),
    }
}

fn sha256sum(call: &Call<'_>) -> Answer {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(call.exactly(1).and(call.text(0))?) {
        let _infallible = write!(hex, "{byte:02x}");
    }
    string(hex)
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Nil | Value::Function(_) => Json::Null,
        Value::Bool(yes) => Json::Bool(*yes),
        Value::Int(number) => Json::from(*number),
        Value::Uint(number) => Json::from(*number),
        // Go prints a float without a fraction as a whole number.
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => Json::from(*number as i64),
        Value::Float(number) => Json::from(*number),
        Value::String(text) => Json::from(&**text),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|(key, value)| (key.to_string(), to_json(value))).collect())
        }
    }
}

fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(yes) => Value::Bool(*yes),
        Json::Number(number) => Value::Float(number.as_f64().unwrap_or(0.0)),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect()),
        Json::Object(entries) => Value::Map(std::sync::Arc::new(
            entries.iter().map(|(key, value)| (key.as_str().into(), from_json(value))).collect(),
        )),
    }
}

/// Go's encoder writes these so that JSON can stand inside HTML.
fn escaped(json: &str) -> String {
    let json = json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { "/" } else { trimmed.rsplit('/').next().unwrap_or(trimmed) }
}

fn ext(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.').map_or("", |at| &name[at..])
}

fn dir(call: &Call<'_>) -> Answer {
    let path = call.exactly(1).and(call.text(0))?;
    string(clean(path.rfind('/').map_or("", |at| &path[..=at])))
}

/// Go's `path.Clean`.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match parts.last() {
            Some(last) if part == ".." && *last != ".." => drop(parts.pop()),
            None if part == ".." && rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
