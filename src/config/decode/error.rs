//! The decoder's own error: what serde says while a value is made, on its way to getting its place.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

use super::context::NodeId;
use crate::suggest::nearest;
use crate::{ConfigError, Origin, Problem};

/// Boxed: it travels through every return value of the decoder.
#[derive(Debug)]
pub(crate) struct DecodeError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    error: ConfigError,
    node: Option<NodeId>,
}

impl DecodeError {
    pub(super) fn new(problem: Problem) -> Self {
        Self(Box::new(Inner { error: ConfigError { at: Origin::Unknown, path: String::new(), problem }, node: None }))
    }

    /// Ties an error to the innermost node that it passes; what lies further out changes nothing.
    pub(super) fn placed(mut self, node: NodeId, place: impl FnOnce() -> (Origin, String)) -> Self {
        if self.0.node.is_none() {
            self.0.node = Some(node);
            (self.0.error.at, self.0.error.path) = place();
        }
        self
    }

    /// The node that the error is about, once it has been placed.
    pub(super) fn into_parts(self) -> (Option<NodeId>, ConfigError) {
        (self.0.node, self.0.error)
    }
}

impl Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(Problem::Other { message: message.to_string() })
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(bad(found, expected))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(bad(found, expected))
    }

    fn unknown_variant(found: &str, variants: &'static [&'static str]) -> Self {
        Self::new(Problem::BadValue {
            found: format!("{found:?}"),
            expected: format!("one of {}", variants.join(", ")),
            nearest: nearest(found, variants.iter().copied()).map(str::to_owned),
        })
    }

    fn unknown_field(field: &str, fields: &'static [&'static str]) -> Self {
        let nearest = nearest(field, fields.iter().copied()).map(str::to_owned);
        Self::new(Problem::UnknownField { field: field.to_owned(), nearest })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Problem::Missing { field: field.to_owned() })
    }
}

fn bad(found: Unexpected<'_>, expected: &dyn Expected) -> Problem {
    let found = match found {
        Unexpected::Str(text) => format!("{text:?}"),
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Float(value) => value.to_string(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a section".to_owned(),
        Unexpected::Unit => "nothing".to_owned(),
        other => other.to_string(),
    };
    Problem::BadValue { found, expected: expected.to_string(), nearest: None }
}
