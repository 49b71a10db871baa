//! `/api/entrypoints`: the entry points of the static configuration.

use serde_json::{Map, Value, json};
use trafficcop_config::settings::Settings;
use trafficcop_config::settings::entry_points::{EncodedCharacters, EntryPoint, Observability};

/// Every entry point, by name.
pub(crate) fn all(settings: &Settings) -> Vec<Value> {
    settings.entry_points.iter().map(|(name, entry_point)| show(name, entry_point)).collect()
}

pub(crate) fn one(settings: &Settings, name: &str) -> Option<Value> {
    settings.entry_points.get(name).map(|entry_point| show(name, entry_point))
}

/// Traefik leaves out what is zero, empty or unset; sections that always exist stay.
fn show(name: &str, entry_point: &EntryPoint) -> Value {
    let mut shown = json!(entry_point);
    prune(&mut shown, &["forwardedHeaders", "tls", "http3", "proxyProtocol", "http", "udp", "http2", "transport"]);
    if let Value::Object(fields) = &mut shown {
        show_observability(fields, &entry_point.observability);
        if let Some(Value::Object(http)) = fields.get_mut("http") {
            if entry_point.http.encoded_characters == EncodedCharacters::default() {
                http.remove("encodedCharacters");
            }
            if entry_point.http.underscore_headers_strategy == "keep" {
                http.remove("underscoreHeadersStrategy");
            }
        }
        fields.insert("name".to_owned(), json!(name));
    }
    shown
}

/// Here false is not nothing.
fn show_observability(fields: &mut Map<String, Value>, observability: &Observability) {
    if *observability == Observability::default() {
        fields.remove("observability");
    } else {
        fields.insert("observability".to_owned(), json!(observability));
    }
}

/// Removes what says nothing, from the leaves upwards; sections called as in `kept` stay even if they are empty.
fn prune(value: &mut Value, kept: &[&str]) {
    let Value::Object(fields) = value else { return };
    fields.retain(|name, field| {
        let was_section = field.is_object();
        prune(field, kept);
        !is_nothing(field) || (was_section && kept.contains(&name.as_str()))
    });
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text == "0s",
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}
