//! Functions that choose, ask for kinds, or read the environment.

use gotmpl::Value;

use super::call::{Answer, Call, Functions, same, string};

pub(super) const FUNCTIONS: Functions = &[
    ("all", |call| Ok(Value::Bool(call.values().iter().all(Value::is_truthy)))),
    ("any", |call| Ok(Value::Bool(call.values().iter().any(Value::is_truthy)))),
    ("coalesce", |call| Ok(call.values().iter().find(|value| value.is_truthy()).cloned().unwrap_or(Value::Nil))),
    ("deepEqual", |call| Ok(Value::Bool(same(&call.exactly(2)?[0], &call.values()[1])))),
    ("default", default),
    ("empty", |call| Ok(Value::Bool(!call.exactly(1)?[0].is_truthy()))),
    ("env", |call| string(std::env::var(call.exactly(1).and(call.text(0))?).unwrap_or_default())),
    ("expandenv", |call| string(expanded(call.exactly(1).and(call.text(0))?))),
    ("fail", |call| Err(call.fail(call.text(0)?))),
    ("hello", |_| string("Hello!")),
    ("kindIs", |call| Ok(Value::Bool(call.exactly(2).and(call.text(0))? == kind(&call.values()[1])))),
    ("kindOf", |call| string(kind(&call.exactly(1)?[0]))),
    ("ternary", ternary),
    ("typeIs", |call| Ok(Value::Bool(call.exactly(2).and(call.text(0))? == go_type(&call.values()[1])))),
    ("typeOf", |call| string(go_type(&call.exactly(1)?[0]))),
];

/// Labels are a map of text in default rules: what it lacks is the empty text, where Go's `index` is asked for it.
pub(super) const RULE: Functions = &[("index", |call| {
    let mut value = call.at_least(2)?[0].clone();
    for key in &call.values()[1..] {
        let in_map = matches!(value, Value::Map(_));
        value = match value.index(key)? {
            Value::Nil if in_map => "".into(),
            found => found,
        };
    }
    Ok(value)
})];

fn default(call: &Call<'_>) -> Answer {
    let values = call.between(1, 2)?;
    let given = values.get(1).filter(|value| value.is_truthy());
    Ok(given.unwrap_or(&values[0]).clone())
}

fn ternary(call: &Call<'_>) -> Answer {
    match call.exactly(3)? {
        [yes, no, Value::Bool(condition)] => Ok(if *condition { yes } else { no }.clone()),
        _ => Err(call.fail("expected bool as the last argument")),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Uint(_) => "uint",
        Value::Float(_) => "float64",
        Value::String(_) => "string",
        Value::List(_) => "slice",
        Value::Map(_) => "map",
        Value::Function(_) => "func",
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
        Value::Nil => "<nil>",
        other => kind(other),
    }
}

/// Replaces `$name` and `${name}` by variables of the environment.
fn expanded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, tail) = match after.strip_prefix('{').and_then(|braced| braced.split_once('}')) {
            Some(braced) => braced,
            None => after.split_at(after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len())),
        };
        if name.is_empty() {
            out.push('$');
        } else {
            out.push_str(&std::env::var(name).unwrap_or_default());
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}
