//! What can be wrong with a configuration: where, at which path, what was expected, what was probably meant.

use std::fmt;

use crate::Origin;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    pub at: Origin,
    /// Dotted path of the thing, e.g. `http.routers.web.rule`; empty for a whole document.
    pub path: String,
    pub problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The key exists nowhere in the model. `nearest` is what was probably meant.
    UnknownField { field: String, nearest: Option<String> },
    /// A value of the wrong kind or outside what is allowed.
    BadValue { found: String, expected: String, nearest: Option<String> },
    /// Something that must be there is not.
    Missing { field: String },
    /// The notation itself (YAML, TOML, JSON, template, rule …) does not parse.
    Syntax { message: String },
    /// An option of an earlier major version; `hint` says what replaced it.
    Removed { hint: String },
    /// Anything else, as one sentence.
    Other { message: String },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at != Origin::Unknown {
            write!(f, "{}: ", self.at)?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        match &self.problem {
            Problem::UnknownField { field, nearest } => {
                write!(f, "field not found, node: {field}")?;
                did_you_mean(f, nearest.as_deref())
            }
            Problem::BadValue { found, expected, nearest } => {
                write!(f, "{found} is not {expected}")?;
                did_you_mean(f, nearest.as_deref())
            }
            Problem::Missing { field } => write!(f, "{field} is missing"),
            Problem::Removed { hint } => f.write_str(hint),
            Problem::Syntax { message } | Problem::Other { message } => f.write_str(message),
        }
    }
}

fn did_you_mean(f: &mut fmt::Formatter<'_>, nearest: Option<&str>) -> fmt::Result {
    nearest.map_or(Ok(()), |name| write!(f, " (did you mean {name}?)"))
}

/// Everything that is wrong with one document, in the order of its places.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl ConfigErrors {
    /// In the order of their places: files by name, line and column; everything else by what it is called.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.0.sort_by_cached_key(|error| match &error.at {
            Origin::File { file, line, column } => (file.to_string(), *line, *column),
            other => (other.to_string(), 0, 0),
        });
        self
    }

    /// `Ok` if nothing is wrong.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl FromIterator<ConfigError> for ConfigErrors {
    fn from_iter<I: IntoIterator<Item = ConfigError>>(errors: I) -> Self {
        Self(errors.into_iter().collect())
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}
