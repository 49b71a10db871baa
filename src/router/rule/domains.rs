//! The hosts that a rule names. Certificates are looked for, or asked for, under these names.

use super::name::is_written;
use super::parse::{Call, calls};
use super::{Rule, RuleError};

/// The arguments of every `Host` in the rule, lower-case, in their order; also of those that are negated. Neither matchers
/// nor their arguments are checked.
pub fn hosts(rule: &str) -> Result<Vec<String>, RuleError> {
    Ok(named(&calls(rule)?, "Host"))
}

/// The arguments of every `HostSNI` in the rule, likewise; `*` is among them.
pub fn server_names(rule: &str) -> Result<Vec<String>, RuleError> {
    Ok(named(&calls(rule)?, "HostSNI"))
}

pub(crate) fn named(rule: &Rule<Call>, matcher: &str) -> Vec<String> {
    let mut names = Vec::new();
    rule.each(&mut |call| {
        if is_written(matcher, &call.name) {
            names.extend(call.arguments.iter().map(|argument| argument.value.to_lowercase()));
        }
    });
    names
}
