//! The hosts that a rule names. Certificates are looked for, or asked for, under these names.

use super::Rule;
use super::name::is_written;
use super::parse::Call;

/// The arguments of every call of that matcher, lower-case, in their order. What a negation excludes is named by nobody.
pub(crate) fn named(rule: &Rule<Call>, matcher: &str) -> Vec<String> {
    let mut names = Vec::new();
    gather(rule, matcher, true, &mut names);
    names
}

fn gather(rule: &Rule<Call>, matcher: &str, wanted: bool, names: &mut Vec<String>) {
    match rule {
        Rule::Is(call) if wanted && is_written(matcher, &call.name) => {
            names.extend(call.arguments.iter().map(|argument| argument.value.to_lowercase()));
        }
        Rule::Is(_) => {}
        Rule::Not(rule) => gather(rule, matcher, !wanted, names),
        Rule::All(rules) | Rule::Any(rules) => rules.iter().for_each(|rule| gather(rule, matcher, wanted, names)),
    }
}
