//! Functions on maps. Values do not change in place here, so `set` and `unset` answer a changed copy.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::{TemplateError, Value};

use super::call::{Answer, Call, Functions, list, map, shown};

pub(super) const FUNCTIONS: Functions = &[
    ("dict", dict),
    ("dig", dig),
    ("get", |call| Ok(call.map(0)?.get(call.exactly(2).and(call.text(1))?).cloned().unwrap_or_else(|| "".into()))),
    ("hasKey", |call| Ok(Value::Bool(call.map(0)?.contains_key(call.exactly(2).and(call.text(1))?)))),
    ("keys", keys),
    ("merge", |call| merged(call, false)),
    ("mergeOverwrite", |call| merged(call, true)),
    ("omit", |call| chosen(call, false)),
    ("pick", |call| chosen(call, true)),
    ("pluck", pluck),
    ("set", set),
    ("unset", unset),
    ("values", |call| list(call.map(0)?.values().cloned())),
];

type Entries = BTreeMap<Arc<str>, Value>;

fn dict(call: &Call<'_>) -> Answer {
    let key = |value: &Value| Arc::from(shown(value).as_ref());
    let value = |pair: &[Value]| pair.get(1).cloned().unwrap_or_else(|| "".into());
    map(call.values().chunks(2).map(|pair| (key(&pair[0]), value(pair))).collect())
}

fn keys(call: &Call<'_>) -> Answer {
    let mut names = Vec::new();
    for index in 0..call.at_least(1)?.len() {
        names.extend(call.map(index)?.keys().map(|name| Value::String(Arc::clone(name))));
    }
    list(names)
}

fn set(call: &Call<'_>) -> Answer {
    let mut entries = call.map(0)?.clone();
    entries.insert(call.text(1)?.into(), call.exactly(3)?[2].clone());
    map(entries)
}

fn unset(call: &Call<'_>) -> Answer {
    let mut entries = call.map(0)?.clone();
    entries.remove(call.exactly(2).and(call.text(1))?);
    map(entries)
}

fn chosen(call: &Call<'_>, keep: bool) -> Answer {
    let mut named = Vec::new();
    for index in 1..call.values().len() {
        named.push(call.text(index)?);
    }
    let entries = call.map(0)?.iter().filter(|(name, _)| named.contains(&&***name) == keep);
    map(entries.map(|(name, value)| (Arc::clone(name), value.clone())).collect())
}

fn pluck(call: &Call<'_>) -> Answer {
    let mut found = Vec::new();
    for index in 1..call.values().len() {
        found.extend(call.map(index)?.get(call.text(0)?).cloned());
    }
    list(found)
}

fn merged(call: &Call<'_>, overwrite: bool) -> Answer {
    let mut whole = call.map(0)?.clone();
    for index in 1..call.values().len() {
        merge(&mut whole, call.map(index)?, overwrite);
    }
    map(whole)
}

fn merge(whole: &mut Entries, more: &Entries, overwrite: bool) {
    for (name, value) in more {
        match (whole.get_mut(name), value) {
            (Some(Value::Map(ours)), Value::Map(theirs)) => merge(Arc::make_mut(ours), theirs, overwrite),
            // Sprig counts what is empty as not there.
            (Some(ours), _) if ours.is_truthy() && !overwrite => {}
            _ => drop(whole.insert(Arc::clone(name), value.clone())),
        }
    }
}

fn dig(call: &Call<'_>) -> Answer {
    let values = call.at_least(3)?;
    let (path, [default, _]) = values.split_at(values.len() - 2) else { return Err(call.fail("needs a path")) };
    let mut entries = call.map(values.len() - 1)?;
    for (index, step) in path.iter().enumerate() {
        let Value::String(step) = step else { return Err(path_error(call)) };
        match entries.get(step) {
            Some(found) if index + 1 == path.len() => return Ok(found.clone()),
            Some(Value::Map(deeper)) => entries = deeper,
            Some(_) => return Err(path_error(call)),
            None => break,
        }
    }
    Ok(default.clone())
}

fn path_error(call: &Call<'_>) -> TemplateError {
    call.fail("the path leads through something that is no map")
}
