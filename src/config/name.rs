//! `local@provider`: the qualified name of an object.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A qualified name. The provider is what follows the last `@`. Copies are cheap: they share the text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    text: Arc<str>,
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
    /// The text, shared with this name.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[track_caller]
    fn check(text: &str, local: &str, provider: &str) {
        let name = Name::qualify(text, "docker");
        assert_eq!((name.local(), name.provider()), (local, provider));
        assert_eq!(name.as_str(), format!("{local}@{provider}"));
    }

    #[test]
    fn completes_only_what_names_no_provider() {
        check("web", "web", "docker");
        check("web@file", "web", "file");
        check("user@host@file", "user@host", "file");
        check("", "", "docker");
        check("web@", "web", "");
    }
}
