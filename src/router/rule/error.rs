//! What is wrong with a rule, and where.

use std::ops::Range;

/// A rule that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}{}{}", wanted(self.expected.as_ref()), meant(self.nearest.as_ref()))]
pub struct RuleError {
    /// Where it is, counted in characters from 1.
    pub column: usize,
    /// How many characters are concerned, at least one.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right there.
    pub expected: Option<String>,
    /// The matcher that was probably meant.
    pub nearest: Option<&'static str>,
}

impl RuleError {
    /// An error about these bytes of the rule.
    pub(crate) fn at(source: &str, span: Range<usize>, message: &str) -> Self {
        let before = |end: usize| source.char_indices().take_while(|(at, _)| *at < end).count();
        let (start, end) = (before(span.start), before(span.end));
        let length = (end - start).max(1);
        Self { column: start + 1, length, message: message.to_owned(), expected: None, nearest: None }
    }

    pub(crate) fn expecting(mut self, expected: Option<&str>) -> Self {
        self.expected = expected.map(str::to_owned);
        self
    }
}

fn wanted(expected: Option<&String>) -> String {
    expected.map(|expected| format!("; expected {expected}")).unwrap_or_default()
}

fn meant(nearest: Option<&&'static str>) -> String {
    nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}
