//! [`Node`]: the tree into which every notation is read, and from which every typed model is decoded.

mod model;

use std::fmt;
use std::sync::Arc;

use crate::Origin;
use crate::decode::scalar::boolean;

/// A piece of configuration and its place. Equality looks at the value only.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub value: Value,
    pub at: Origin,
    /// Where the key of this node was written, when it stands in a map of a notation that has places of its own for
    /// keys. See [`Node::place`].
    pub key_at: Origin,
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

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Node {
    pub fn new(value: Value, at: Origin) -> Self {
        Self { value, at, key_at: Origin::Unknown }
    }

    /// A scalar of text.
    pub fn text(value: impl Into<Arc<str>>, at: Origin) -> Self {
        Self::new(Value::Scalar(Scalar::Text(value.into())), at)
    }

    /// The child of a map, whatever the case of its key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, node)| node)
    }

    /// Where this node begins: its key, or itself where keys have no place.
    pub fn place(&self) -> &Origin {
        if self.key_at == Origin::Unknown { &self.at } else { &self.key_at }
    }

    /// Whether this is a section that is switched off: `false`, in whatever spelling.
    pub fn is_off(&self) -> bool {
        match &self.value {
            Value::Scalar(Scalar::Bool(on)) => !on,
            Value::Scalar(Scalar::Text(text)) => boolean(text) == Some(false),
            _ => false,
        }
    }

    /// How many nodes this tree has, itself included.
    pub fn size(&self) -> usize {
        let children: usize = match &self.value {
            Value::Null | Value::Scalar(_) => 0,
            Value::List(items) => items.iter().map(Self::size).sum(),
            Value::Map(entries) => entries.iter().map(|(_, node)| node.size()).sum(),
        };
        1 + children
    }
}
