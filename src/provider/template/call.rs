//! One call of a template function: its arguments, as the types the function asks for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::{TemplateError, Value};

pub(super) type Answer = Result<Value, TemplateError>;
/// A table of functions by name.
pub(super) type Functions = &'static [(&'static str, fn(&Call<'_>) -> Answer)];

pub(super) struct Call<'a> {
    name: &'static str,
    values: &'a [Value],
}

impl<'a> Call<'a> {
    pub(super) fn new(name: &'static str, values: &'a [Value]) -> Self {
        Self { name, values }
    }

    pub(super) fn values(&self) -> &'a [Value] {
        self.values
    }

    /// All arguments, which must be `count`.
    pub(super) fn exactly(&self, count: usize) -> Result<&'a [Value], TemplateError> {
        self.between(count, count)
    }

    pub(super) fn at_least(&self, count: usize) -> Result<&'a [Value], TemplateError> {
        self.between(count, usize::MAX)
    }

    pub(super) fn between(&self, least: usize, most: usize) -> Result<&'a [Value], TemplateError> {
        let got = self.values.len();
        if got < least || got > most {
            let expected = if got < least { least } else { most };
            return Err(TemplateError::ArgCount { name: self.name.to_owned(), expected, got });
        }
        Ok(self.values)
    }

    /// An argument that is text; Go's templates convert nothing on the way into a function.
    pub(super) fn text(&self, index: usize) -> Result<&'a str, TemplateError> {
        match self.values.get(index) {
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(self.wrong("string", other)),
            None => Err(self.missing(index)),
        }
    }

    /// An argument as a whole number, converted as sprig does: text is parsed, what is no number is 0.
    pub(super) fn int(&self, index: usize) -> Result<i64, TemplateError> {
        self.values.get(index).map(to_int).ok_or_else(|| self.missing(index))
    }

    pub(super) fn float(&self, index: usize) -> Result<f64, TemplateError> {
        self.values.get(index).map(to_float).ok_or_else(|| self.missing(index))
    }

    pub(super) fn list(&self, index: usize) -> Result<&'a [Value], TemplateError> {
        match self.values.get(index) {
            Some(Value::List(items)) => Ok(items),
            Some(other) => Err(self.wrong("list", other)),
            None => Err(self.missing(index)),
        }
    }

    pub(super) fn map(&self, index: usize) -> Result<&'a BTreeMap<Arc<str>, Value>, TemplateError> {
        match self.values.get(index) {
            Some(Value::Map(entries)) => Ok(entries),
            Some(other) => Err(self.wrong("map", other)),
            None => Err(self.missing(index)),
        }
    }

    pub(super) fn fail(&self, message: &str) -> TemplateError {
        TemplateError::Exec(format!("error calling {}: {message}", self.name))
    }

    fn wrong(&self, expected: &str, found: &Value) -> TemplateError {
        self.fail(&format!("expected {expected}; found {found}"))
    }

    fn missing(&self, index: usize) -> TemplateError {
        TemplateError::ArgCount { name: self.name.to_owned(), expected: index + 1, got: self.values.len() }
    }
}

/// A value as text, whatever it is.
pub(super) fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        Value::Uint(number) => i64::try_from(*number).unwrap_or(i64::MAX),
        Value::Float(number) => *number as i64,
        Value::Bool(yes) => i64::from(*yes),
        Value::String(text) => text.parse().unwrap_or(0),
        _ => 0,
    }
}

pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Int(number) => *number as f64,
        Value::Uint(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Bool(yes) => f64::from(u8::from(*yes)),
        Value::String(text) => text.parse().unwrap_or(0.0),
        _ => 0.0,
    }
}

/// Equality as Go's `reflect.DeepEqual` sees it.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Int(one), Value::Int(other)) => one == other,
        (Value::Uint(one), Value::Uint(other)) => one == other,
        (Value::Float(one), Value::Float(other)) => one.total_cmp(other).is_eq(),
        (Value::String(one), Value::String(other)) => one == other,
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other.iter()).all(|(one, other)| same(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len()
                && one.iter().zip(other.iter()).all(|((key, one), (name, other))| key == name && same(one, other))
        }
        _ => false,
    }
}

#[allow(clippy::unnecessary_wraps)] // the answer of a function in one expression
pub(super) fn list(items: impl IntoIterator<Item = Value>) -> Answer {
    Ok(Value::List(items.into_iter().collect()))
}

#[allow(clippy::unnecessary_wraps)] // the answer of a function in one expression
pub(super) fn string(text: impl Into<String>) -> Answer {
    Ok(Value::String(text.into().into()))
}

#[allow(clippy::unnecessary_wraps)] // the answer of a function in one expression
pub(super) fn map(entries: BTreeMap<Arc<str>, Value>) -> Answer {
    Ok(Value::Map(Arc::new(entries)))
}
