//! [`Note`]: what is wrong with one object.

use trafficcop_config::{ConfigError, Origin, Problem};

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The object works, but not all of it as written.
    Warning,
    /// The object is disabled.
    Error,
}

/// What is wrong with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub severity: Severity,
    /// In the words of Traefik's API, which tools compare; no place, no suggestion. Empty when Traefik says nothing of it.
    pub message: String,
    /// In our words: place, path, message, and what was probably meant.
    pub error: ConfigError,
}

impl Note {
    /// The object is disabled. `hint` (as in "did you mean …?") is told in our words only.
    pub fn error(at: &Origin, path: impl Into<String>, message: impl Into<String>, hint: Option<String>) -> Self {
        Self::new(Severity::Error, at, path.into(), message.into(), hint)
    }

    /// The object works all the same.
    pub fn warning(at: &Origin, path: impl Into<String>, message: impl Into<String>, hint: Option<String>) -> Self {
        Self::new(Severity::Warning, at, path.into(), message.into(), hint)
    }

    /// What Traefik would not say: it stops at the first error of an object, and we do not.
    pub fn also(error: ConfigError) -> Self {
        Self { severity: Severity::Error, message: String::new(), error }
    }

    /// What Traefik would not say, and which disables nothing.
    pub fn remark(error: ConfigError) -> Self {
        Self { severity: Severity::Warning, message: String::new(), error }
    }

    fn new(severity: Severity, at: &Origin, path: String, message: String, hint: Option<String>) -> Self {
        let text = match hint {
            Some(hint) => format!("{message} ({hint})"),
            None => message.clone(),
        };
        let error = ConfigError { at: at.clone(), path, problem: Problem::Other { message: text } };
        Self { severity, message, error }
    }
}
