//! Entry points, in the form of Go's JSON: what is empty is left out.

use serde_json::{Map, Value};
use trafficcop_config::encode::to_json;
use trafficcop_config::settings::entry_points::{EncodedCharacters, Observability};
use trafficcop_config::settings::{EntryPoint, Settings};

/// By name.
pub(crate) fn all(settings: &Settings) -> Vec<Value> {
    settings.entry_points.iter().map(|(name, entry_point)| show(name, entry_point)).collect()
}

pub(crate) fn one(settings: &Settings, name: &str) -> Option<Value> {
    settings.entry_points.get(name).map(|entry_point| show(name, entry_point))
}

/// Sections that are shown even when there is nothing in them.
const ALWAYS: [&str; 4] = ["transport", "forwardedHeaders", "http", "udp"];

fn show(name: &str, entry_point: &EntryPoint) -> Value {
    let mut shown = to_json(entry_point);
    if let Some(entry) = shown.as_object_mut() {
        if entry_point.observability == Observability::default() {
            entry.remove("observability");
        }
        if entry_point.http.encoded_characters == EncodedCharacters::default() {
            entry.get_mut("http").and_then(Value::as_object_mut).and_then(|http| http.remove("encodedCharacters"));
        }
    }
    prune(&mut shown);
    let mut entry = shown.as_object_mut().map(std::mem::take).unwrap_or_default();
    for section in ALWAYS {
        entry.entry(section).or_insert_with(|| Map::new().into());
    }
    entry.insert("name".into(), name.into());
    entry.into()
}

/// Removes what Go's `omitempty` leaves out.
fn prune(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.values_mut().for_each(prune);
        fields.retain(|_, field| !is_empty(field));
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty() || text == "0s",
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}
