//! Decoding as Go's JSON decoder does: unknown keys are passed over.

use trafficcop_config::dynamic::{Configuration, document};
use trafficcop_config::{ConfigErrors, Node, Problem, Value};

/// More rounds than this are not made: each finds up to a hundred unknown keys.
const ROUNDS: usize = 20;

/// Decodes; unknown keys are taken out, each with a warning.
pub(crate) fn decode(mut document: Node) -> Result<Configuration, ConfigErrors> {
    for _ in 0..ROUNDS {
        let errors = match document::decode(document.clone()) {
            Ok(configuration) => return Ok(configuration),
            Err(errors) => errors,
        };
        let is_unknown = |problem: &Problem| matches!(problem, Problem::UnknownField { .. });
        let unknown: Vec<_> = errors.0.iter().filter(|error| is_unknown(&error.problem)).collect();
        if unknown.len() < errors.0.len()
            || unknown.iter().filter(|error| remove(&mut document, &error.path)).count() == 0
        {
            return Err(errors);
        }
        for error in unknown {
            tracing::warn!(provider = "rest", "Left unread: {error}");
        }
    }
    document::decode(document)
}

/// Takes out what stands at a dotted path; answers whether there was anything. Names may hold dots themselves.
fn remove(node: &mut Node, path: &str) -> bool {
    match &mut node.value {
        Value::Map(entries) => {
            if let Some(index) = entries.iter().position(|(key, _)| **key == *path) {
                entries.remove(index);
                return true;
            }
            entries.iter_mut().any(|(key, child)| {
                let rest = path.strip_prefix(&**key);
                match rest.and_then(|rest| rest.strip_prefix('.')) {
                    Some(rest) => remove(child, rest),
                    None => rest.filter(|rest| rest.starts_with('[')).is_some_and(|rest| remove(child, rest)),
                }
            })
        }
        Value::List(items) => {
            let Some((index, rest)) = path.strip_prefix('[').and_then(|path| path.split_once(']')) else {
                return false;
            };
            let item = index.parse().ok().and_then(|index: usize| items.get_mut(index));
            item.is_some_and(|item| rest.strip_prefix('.').is_some_and(|rest| remove(item, rest)))
        }
        Value::Null | Value::Scalar(_) => false,
    }
}
