//! The language of rules: text → tree of matchers, with places in its errors.

pub(crate) mod domains;
mod error;
mod lex;
pub(crate) mod name;
pub(crate) mod parse;
mod place;

use parse::Call;

pub use error::RuleError;
pub(crate) use place::Place;

pub use crate::http::HttpRule;
pub use crate::tcp::TcpRule;

/// In which of the two languages a rule is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Syntax {
    #[default]
    V3,
    /// Deprecated: several arguments mean "one of them", and braces hold regular expressions.
    V2,
}

impl Syntax {
    /// As `ruleSyntax` says it: exactly `v2` is version 2, everything else version 3.
    pub fn named(name: &str) -> Self {
        if name == "v2" { Self::V2 } else { Self::V3 }
    }
}

/// Reads the rule of an HTTP router.
pub fn parse_http(text: &str, syntax: Syntax) -> Result<HttpRule, RuleError> {
    HttpRule::parse(text, syntax)
}

/// Reads the rule of a TCP router.
pub fn parse_tcp(text: &str, syntax: Syntax) -> Result<TcpRule, RuleError> {
    TcpRule::parse(text, syntax)
}

/// A rule over matchers `M`.
#[derive(Clone, Debug)]
pub enum Rule<M> {
    Is(M),
    Not(Box<Rule<M>>),
    All(Box<[Rule<M>]>),
    Any(Box<[Rule<M>]>),
}

impl<M> Rule<M> {
    /// Whether the rule holds, when `is` says which matchers do. Matchers are asked from left to right, and only as long
    /// as the answer is open.
    pub fn holds(&self, is: &mut impl FnMut(&M) -> bool) -> bool {
        match self {
            Self::Is(matcher) => is(matcher),
            Self::Not(rule) => !rule.holds(is),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(is)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(is)),
        }
    }

    /// Hands every matcher to `see`, from left to right.
    pub fn each(&self, see: &mut impl FnMut(&M)) {
        match self {
            Self::Is(matcher) => see(matcher),
            Self::Not(rule) => rule.each(see),
            Self::All(rules) | Self::Any(rules) => rules.iter().for_each(|rule| rule.each(see)),
        }
    }
}

impl Rule<Call> {
    /// Puts what `build` makes of each call in its place.
    pub(crate) fn build<M>(
        &self,
        build: &mut impl FnMut(&Call) -> Result<Rule<M>, RuleError>,
    ) -> Result<Rule<M>, RuleError> {
        Ok(match self {
            Self::Is(call) => build(call)?,
            Self::Not(rule) => Rule::Not(Box::new(rule.build(build)?)),
            Self::All(rules) => Rule::All(rules.iter().map(|rule| rule.build(build)).collect::<Result<_, _>>()?),
            Self::Any(rules) => Rule::Any(rules.iter().map(|rule| rule.build(build)).collect::<Result<_, _>>()?),
        })
    }
}

/// One alternative stays itself, several are joined.
pub(crate) fn one_of<M>(mut rules: Vec<Rule<M>>) -> Rule<M> {
    if rules.len() == 1 { rules.pop().expect("there is one") } else { Rule::Any(rules.into()) }
}

#[cfg(test)]
mod tests;
