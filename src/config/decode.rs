//! From [`Node`] to typed models: tolerant where Traefik is (case of keys, numbers as text, lists with commas, `true`
//! for an empty section), and complete in its errors.
//!
//! How all errors are found and not only the first: most are noted and decoded past with a stand-in. What only the
//! model itself can refuse (a `Deserialize` of its own) ends the pass; that node is left out and the tree is decoded
//! again.
//! A section written as `false` is left out the same way, without an error.

mod access;
mod context;
mod deserializer;
mod error;
pub(crate) mod handover;
mod reader;
pub(crate) mod scalar;
#[cfg(test)]
mod tests;
mod variant;

use std::collections::HashSet;

use serde::de::DeserializeOwned;

use crate::read::MAX_ERRORS;
use crate::{ConfigError, ConfigErrors, Node, Problem, Shape};
use context::{Context, NodeId};
use reader::Reader;

impl Node {
    /// Decodes the whole tree, or says everything that is wrong with it (but not more than 100 errors).
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, ConfigErrors> {
        self.decode_within("")
    }

    /// As [`Node::decode`], for a subtree that lies at `path`: errors name their whole path.
    pub fn decode_within<T: DeserializeOwned>(&self, path: &str) -> Result<T, ConfigErrors> {
        let mut left_out: HashSet<NodeId> = HashSet::new();
        let mut refused: Vec<(NodeId, ConfigError)> = Vec::new();
        loop {
            let context = Context::new(self, left_out.clone(), path);
            let result = T::deserialize(Reader::new(self, &context)).map_err(|error| context.place(error, self));
            let switched_off = context.switched_off.take();
            let noted = context.into_noted();
            let again = match result {
                Ok(model) if noted.is_empty() && refused.is_empty() && switched_off.is_empty() => return Ok(model),
                Ok(_) => !switched_off.is_empty(),
                Err(error) => {
                    let (node, error) = error.into_parts();
                    let node = node.unwrap_or(NodeId::of(self));
                    // A stand-in for a value that was already found wrong may be refused in its turn.
                    if !noted.iter().any(|(known, _)| *known == node) {
                        refused.push((node, error));
                    }
                    refused.len() < MAX_ERRORS && node != NodeId::of(self) && left_out.insert(node)
                }
            };
            left_out.extend(switched_off);
            if !again {
                let all = refused.into_iter().chain(noted).map(|(_, error)| error).take(MAX_ERRORS).collect();
                let mut errors = ConfigErrors(all);
                say_where_else::<T>(&mut errors, path);
                return Err(errors.sorted());
            }
        }
    }
}

/// An unknown field that is like none of its neighbours may be one of the model's at another place.
fn say_where_else<T: DeserializeOwned>(errors: &mut ConfigErrors, root: &str) {
    let mut shape = None;
    for error in &mut errors.0 {
        let Problem::UnknownField { field, nearest: nearest @ None } = &mut error.problem else { continue };
        let path = error.path.strip_prefix(root).unwrap_or(&error.path).trim_start_matches('.');
        let parent = path.strip_suffix(field.as_str()).unwrap_or_default().trim_end_matches('.');
        *nearest = shape.get_or_insert_with(Shape::of::<T>).elsewhere(field, parent).map(|path| match root {
            "" => path,
            _ => format!("{root}.{path}"),
        });
    }
}
