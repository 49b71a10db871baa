//! What a node says, as the kind of value that is asked for. What it cannot be is noted, and a stand-in returned.

use std::sync::Arc;

use super::context::{Context, NodeId};
use super::scalar;
use crate::{Node, Problem, Scalar, Value};

/// One node, or one text out of a node that holds several with commas between them.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) node: &'a Node,
    pub(super) part: Option<&'a str>,
    pub(super) context: &'a Context,
}

impl<'a> Reader<'a> {
    pub(super) fn new(node: &'a Node, context: &'a Context) -> Self {
        Self { node, part: None, context }
    }

    /// The text of a scalar; numbers and booleans as they are written.
    pub(super) fn text(&self) -> Option<std::borrow::Cow<'a, str>> {
        if let Some(part) = self.part {
            return Some(part.into());
        }
        match &self.node.value {
            Value::Scalar(Scalar::Text(text)) => Some((&**text).into()),
            Value::Scalar(scalar) => Some(scalar.to_string().into()),
            Value::Null => Some("".into()),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    pub(super) fn note(&self, problem: Problem) {
        self.context.note(self.node, &self.node.at, problem);
    }

    pub(super) fn note_bad(&self, expected: &str) {
        let found = self.part.map_or_else(|| scalar::shown(self.node), scalar::quoted);
        self.note(Problem::BadValue { found, expected: expected.to_owned(), nearest: None });
    }

    pub(super) fn integer(&self, low: i128, high: i128) -> i128 {
        let found = match (&self.node.value, self.part) {
            (Value::Scalar(Scalar::Int(value)), None) => Some(i128::from(*value)),
            (Value::Scalar(Scalar::Float(value)), None) => scalar::whole(*value),
            (Value::Scalar(Scalar::Bool(_)), None) => None,
            _ => self.text().and_then(|text| scalar::as_integer(&text, &self.node.at)),
        };
        match found {
            Some(value) if (low..=high).contains(&value) => return value,
            Some(_) if high > i128::from(u32::MAX) && low == 0 => self.note_bad("a number of 0 or more"),
            Some(_) => self.note_bad(&format!("a number from {low} to {high}")),
            None => self.note_bad("a whole number"),
        }
        0
    }

    pub(super) fn float(&self) -> f64 {
        if let (Value::Scalar(Scalar::Float(value)), None) = (&self.node.value, self.part) {
            return *value;
        }
        self.text().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            self.note_bad("a number");
            0.0
        })
    }

    /// What stands below a section; nothing when it was written as empty or `true`, and when it is switched off.
    pub(super) fn section(&self) -> &'a [(Arc<str>, Node)] {
        let off = match &self.node.value {
            _ if self.part.is_some() => {
                self.note_bad(SECTION);
                return &[];
            }
            Value::Map(entries) => return entries,
            Value::Null => return &[],
            Value::Scalar(Scalar::Bool(on)) => !on,
            Value::Scalar(Scalar::Text(text)) if text.is_empty() || text.eq_ignore_ascii_case("true") => false,
            // Traefik switches a section on by `true` only; `1` and `yes` are off like `0` and `no`.
            Value::Scalar(scalar) if scalar::is_boolean_word(&scalar.to_string()) => true,
            Value::Scalar(_) | Value::List(_) => {
                self.note_bad(SECTION);
                return &[];
            }
        };
        if off && NodeId::of(self.node) == self.context.root {
            self.note_bad(SECTION);
        } else if off {
            self.context.switched_off.borrow_mut().push(NodeId::of(self.node));
        }
        &[]
    }
}

const SECTION: &str = "a section (settings below it, or true for its defaults)";

/// `0` or `[0]`: how labels, keys and variables write a place in a list.
pub(super) fn is_index(key: &str) -> bool {
    let digits = key.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(key);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
