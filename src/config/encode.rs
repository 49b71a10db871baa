//! From typed models to what others read: JSON as Traefik's API shows it, and [`Node`] trees.
//!
//! The models carry the rules themselves (what is left out when empty, how a duration is spelled); what must hold is
//! that a model shown and decoded again is the same model, except for values that are never shown.

use serde::Serialize;

use crate::Node;

/// A model as the API shows it: defaults filled in, empty things left out, durations in Go's spelling, secrets masked.
pub fn to_json<T: Serialize>(model: &T) -> serde_json::Value {
    serde_json::to_value(model).expect("models have text for keys and no Serialize that fails")
}

/// A model as a tree without places: what [`Node::decode`] makes it from.
pub fn to_node<T: Serialize>(model: &T) -> Node {
    serde_json::from_value(to_json(model)).expect("a node is made of any JSON")
}

#[cfg(test)]
mod tests;
