//! The hosts that a rule names. Certificates are looked for, or asked for, under these names.

use super::Rule;
use super::name::is_written;
use super::parse::Call;

/// The arguments of every call of that matcher, lower-case, in their order; also of those that are negated.
pub(crate) fn named(rule: &Rule<Call>, matcher: &str) -> Vec<String> {
    let mut names = Vec::new();
    rule.each(&mut |call| {
        if is_written(matcher, &call.name) {
            names.extend(call.arguments.iter().map(|argument| argument.value.to_lowercase()));
        }
    });
    names
}
