//! `local@provider`: the qualified name of an object.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A qualified name. The provider is what follows the last `@`. Copies are cheap: they share the text. Compared and looked
/// up as the text that it is.
#[derive(Clone, Debug)]
pub struct Name {
    text: Arc<str>,
    at: usize,
}

impl Name {
    /// The name of what `provider` calls `local`, which may hold an `@` of its own.
    pub fn new(local: &str, provider: &str) -> Self {
        let text: Arc<str> = [local, "@", provider].concat().into();
        let at = text.rfind('@').unwrap_or(local.len());
        Self { text, at }
    }

    /// Completes `text` with `provider` unless it already names one.
    pub fn qualify(text: &str, provider: &str) -> Self {
        match text.rfind('@') {
            Some(at) => Self { text: text.into(), at },
            None => Self::new(text, provider),
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

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.text, &other.text) || self.text == other.text
    }
}

impl Eq for Name {}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.text
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
