//! Regular expressions as users of Traefik write them, which is how Go reads them.
//!
//! Go and Rust share a family but not every word: a pattern is first translated, so that each construct keeps the meaning
//! that it has in Go, and is refused where there is no such meaning in Go.

mod class;
mod parts;
mod translate;

use regex::{Regex, RegexBuilder};

pub(crate) use parts::{OneOf, shortest};

/// How large a compiled pattern may become, in bytes.
const SIZE_LIMIT: usize = 16 << 20;

/// How much each thread may remember of a pattern's states, in bytes.
const CACHE_LIMIT: usize = 512 << 10;

/// A compiled pattern. It is not anchored.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: Regex,
}

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PatternError {
    /// Where, in bytes of the pattern, where that is known.
    pub(crate) at: Option<usize>,
    pub(crate) message: String,
}

impl Pattern {
    /// Compiles a pattern written for Go.
    pub(crate) fn compile(text: &str) -> Result<Self, PatternError> {
        Self::compile_translated(&translate::translate(text)?)
    }

    /// Matches exactly this text, in any letter case.
    pub(crate) fn of_text(text: &str) -> Result<Self, PatternError> {
        Self::compile_translated(&format!("(?i)^{}$", regex::escape(text)))
    }

    /// Compiles what [`translated`] made, or a pattern put together of such parts.
    pub(crate) fn compile_translated(text: &str) -> Result<Self, PatternError> {
        let built = RegexBuilder::new(text).size_limit(SIZE_LIMIT).dfa_size_limit(CACHE_LIMIT).build();
        built.map(|regex| Self { regex }).map_err(|error| PatternError { at: None, message: told(&error) })
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The same for bytes that may not be UTF-8: each byte that is none counts as U+FFFD, as in Go.
    pub(crate) fn is_match_bytes(&self, bytes: &[u8]) -> bool {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.is_match(text),
            Err(_) => self.is_match(&crate::path::lossy(bytes.to_vec())),
        }
    }
}

/// The same pattern in the words of the engine that runs it: a whole by itself, of which a larger one can be made.
pub(crate) fn translated(text: &str) -> Result<String, PatternError> {
    let translated = translate::translate(text)?;
    match regex_syntax::parse(&translated) {
        Ok(_) => Ok(translated),
        Err(error) => Err(PatternError { at: None, message: last_line(&error.to_string()) }),
    }
}

fn told(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => format!("it becomes larger than {limit} bytes"),
        other => last_line(&other.to_string()),
    }
}

/// What is wrong; the lines before draw the pattern.
fn last_line(message: &str) -> String {
    let last = message.lines().next_back().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests;
