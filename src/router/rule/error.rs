//! What is wrong with a rule, and where.

/// A rule that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at column {column}{}{}", wanted(self.expected.as_ref()), meant(self.nearest.as_ref()))]
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

fn wanted(expected: Option<&String>) -> String {
    expected.map(|expected| format!(": expected {expected}")).unwrap_or_default()
}

fn meant(nearest: Option<&&'static str>) -> String {
    nearest.map(|nearest| format!(" (did you mean `{nearest}`?)")).unwrap_or_default()
}
