//! `local@provider`: the qualified name of an object.

use std::fmt;

/// A qualified name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    text: Box<str>,
    at: usize,
}

impl Name {
    /// Completes `text` with `provider` unless it already names one.
    pub fn qualify(text: &str, provider: &str) -> Self {
        match text.rfind('@') {
            Some(at) => Self { text: text.into(), at },
            None => Self { text: format!("{text}@{provider}").into(), at: text.len() },
        }
    }
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }
    pub fn provider(&self) -> &str {
        &self.text[self.at + 1..]
    }
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
