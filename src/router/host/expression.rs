//! A host as a rule names it: `a.example` or `*.example`.

use std::sync::Arc;

/// Lower-case. Shared with the indices of tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostExpression {
    Name(Arc<str>),
    /// What follows the asterisk; the asterisk stands for exactly one label, which may be empty.
    Wildcard(Arc<str>),
}

impl HostExpression {
    pub(crate) fn new(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        match text.strip_prefix('*') {
            Some(rest) => Self::Wildcard(rest.into()),
            None => Self::Name(text.into()),
        }
    }

    pub(crate) fn matches(&self, host: &str) -> bool {
        match self {
            Self::Name(name) => **name == *host,
            Self::Wildcard(rest) => **rest == *behind_first_label(host),
        }
    }
}

/// From the first dot on: what a wildcard compares.
pub(crate) fn behind_first_label(host: &str) -> &str {
    memchr::memchr(b'.', host.as_bytes()).map_or("", |dot| &host[dot..])
}
