//! [`Place`]: a call within its rule, from which matchers take their arguments and to which errors point.

use ipnet::IpNet;

use super::RuleError;
use super::parse::{Argument, Call};
use crate::cidr::AddressSet;
use crate::pattern::{Pattern, PatternError};

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
