//! Constraints: an expression that a workload's labels or tags must satisfy to be taken.
//!
//! ``Label(`k`,`v`)`` and ``LabelRegex(`k`,`re`)`` ask for labels, ``Tag(`t`)`` and ``TagRegex(`re`)`` for tags; `&&`,
//! `||`, `!` and parentheses join them. Knows nothing of workloads. What must hold: an expression is judged whole when it
//! is read, so that a mistake shows at the start and not with the first workload.

mod parse;
#[cfg(test)]
mod tests;

use regex::Regex;
use trafficcop_config::{ConfigError, Origin, Problem};

/// What an expression speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Labels,
    Tags,
}

/// A sound expression. An empty one holds for everything.
#[derive(Clone, Debug, Default)]
pub struct Constraints(Option<Expression>);

#[derive(Clone, Debug)]
enum Expression {
    Label { key: String, value: String },
    LabelRegex { key: String, pattern: Regex },
    Tag(String),
    TagRegex(Regex),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

/// Why an expression is none. The column counts characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct ConstraintError {
    pub column: usize,
    pub message: String,
}

impl ConstraintError {
    /// As an error of the static option at `path`.
    pub fn of_option(self, path: &str) -> ConfigError {
        ConfigError {
            at: Origin::Unknown,
            path: path.to_owned(),
            problem: Problem::Syntax { message: self.to_string() },
        }
    }
}

impl Constraints {
    pub fn parse(text: &str, subject: Subject) -> Result<Self, ConstraintError> {
        if text.trim().is_empty() {
            return Ok(Self(None));
        }
        parse::expression(text, subject).map(|expression| Self(Some(expression)))
    }

    /// Do they hold for these labels? `label` finds a label's value by its exact key.
    pub fn hold_for_labels<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.as_ref().is_none_or(|expression| expression.holds(&label, &[] as &[&str]))
    }

    pub fn hold_for_tags<T: AsRef<str>>(&self, tags: &[T]) -> bool {
        self.0.as_ref().is_none_or(|expression| expression.holds(&|_| None, tags))
    }
}

impl Expression {
    fn holds<'a, T: AsRef<str>>(&self, label: &impl Fn(&str) -> Option<&'a str>, tags: &[T]) -> bool {
        match self {
            Self::Label { key, value } => label(key) == Some(value),
            Self::LabelRegex { key, pattern } => label(key).is_some_and(|value| pattern.is_match(value)),
            Self::Tag(tag) => tags.iter().any(|have| have.as_ref() == tag),
            Self::TagRegex(pattern) => tags.iter().any(|have| pattern.is_match(have.as_ref())),
            Self::Not(inner) => !inner.holds(label, tags),
            Self::All(parts) => parts.iter().all(|part| part.holds(label, tags)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(label, tags)),
        }
    }
}
