//! The language of rules: text → tree of matchers, with places in its errors.

pub mod domains;
mod error;
mod lex;
pub(crate) mod name;
pub(crate) mod parse;

use parse::{Argument, Call};

use ipnet::IpNet;

use crate::cidr::AddressSet;
use crate::pattern::{Pattern, PatternError};

pub use error::RuleError;

pub use crate::http::HttpRule;
pub use crate::tcp::TcpRule;

/// In which of the two languages a rule is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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

/// A call with the rule around it: says what is wrong with it, and where.
pub(crate) struct Place<'a> {
    pub(crate) source: &'a str,
    pub(crate) call: &'a Call,
}

impl Place<'_> {
    pub(crate) fn error(&self, message: &str) -> RuleError {
        let end = self.call.arguments.last().map_or(self.call.span.end, |argument| argument.span.end);
        RuleError::at(self.source, self.call.span.start..end, message)
    }

    pub(crate) fn wrong(&self, argument: &Argument, message: &str) -> RuleError {
        RuleError::at(self.source, argument.span.clone(), message)
    }

    /// That there are arguments, and that none of them is empty.
    pub(crate) fn check_filled(&self, name: &str) -> Result<(), RuleError> {
        if self.call.arguments.is_empty() {
            return Err(self.error(&format!("{name} has no argument")));
        }
        match self.call.arguments.iter().find(|argument| argument.value.is_empty()) {
            Some(argument) => Err(self.wrong(argument, &format!("an argument of {name} is empty"))),
            None => Ok(()),
        }
    }

    /// Version 3 takes exact numbers of arguments. Several values were possible in version 2, hence the advice.
    pub(crate) fn check_count(&self, name: &str, least: usize, most: usize) -> Result<(), RuleError> {
        let arguments = &self.call.arguments;
        if (least..=most).contains(&arguments.len()) {
            return Ok(());
        }
        let wanted = match (least, most) {
            (1, 1) => "exactly one argument".to_owned(),
            (least, most) if least == most => format!("exactly {least} arguments"),
            (least, most) => format!("{least} or {most} arguments"),
        };
        let error = self.error(&format!("{name} takes {wanted}, not {}", arguments.len()));
        if most > 1 {
            return Err(error);
        }
        let each: Vec<_> = arguments.iter().map(|argument| format!("{name}(`{}`)", argument.value)).collect();
        Err(error.expecting(Some(&each.join(" || "))))
    }

    pub(crate) fn check_ascii(&self, name: &str, argument: &Argument) -> Result<(), RuleError> {
        if argument.value.is_ascii() {
            return Ok(());
        }
        let error = self.wrong(argument, &format!("{name} takes ASCII only"));
        Err(error.expecting(Some("an international name in its xn-- form")))
    }

    /// Compiles the pattern that the argument holds.
    pub(crate) fn pattern(&self, argument: &Argument) -> Result<Pattern, RuleError> {
        Pattern::compile(&argument.value).map_err(|error| self.bad_pattern(argument, &error))
    }

    pub(crate) fn bad_pattern(&self, argument: &Argument, error: &PatternError) -> RuleError {
        let message = format!("the regular expression is not valid: {}", error.message);
        // Between back quotes each byte of the pattern is a byte of the rule.
        let is_raw = self.source.as_bytes().get(argument.span.start) == Some(&b'`');
        match error.at {
            Some(at) if is_raw && argument.value.is_char_boundary(at) && !argument.value.contains('\r') => {
                let start = argument.span.start + 1 + at;
                RuleError::at(self.source, start..start + 1, &message)
            }
            _ => self.wrong(argument, &message),
        }
    }

    /// An address or a range of them.
    pub(crate) fn range(&self, argument: &Argument) -> Result<IpNet, RuleError> {
        AddressSet::range(&argument.value).ok_or_else(|| {
            let error = self.wrong(argument, &format!("`{}` is no address", argument.value));
            error.expecting(Some("an IP address such as 10.0.0.1, or a range such as 10.0.0.0/8 or fd00::/8"))
        })
    }
}

#[cfg(test)]
mod tests;
