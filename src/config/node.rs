//! [`Node`]: the tree into which every notation is read, and from which every typed model is decoded.

mod model;

use std::sync::Arc;

use crate::Origin;

/// A piece of configuration and its place. Equality looks at the value only.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub value: Value,
    pub at: Origin,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing was written, or `null`.
    #[default]
    Null,
    Scalar(Scalar),
    List(Vec<Node>),
    /// Keys in the order and case they were written in; looked up without regard to case.
    Map(Vec<(Arc<str>, Node)>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    Bool(bool),
    Int(i64),
    Float(f64),
    /// From labels, flags, variables and stores everything is text; the decoder turns it into what a field asks for.
    Text(Arc<str>),
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Node {
    pub fn new(value: Value, at: Origin) -> Self {
        Self { value, at }
    }

    /// The child of a map, whatever the case of its key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, node)| node)
    }
}
