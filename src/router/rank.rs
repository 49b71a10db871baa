//! The order in which routes are tried.

use std::cmp::Ordering;
use std::sync::Arc;

/// Users may not set a priority above this one; what lies above it belongs to routers of our own. A router that asks for
/// more is disabled by whoever builds the snapshot.
pub const MAX_PRIORITY: i64 = i64::MAX - 1000;

/// One route as it is put into a table.
#[derive(Clone, Debug)]
pub struct Route<Rule, R> {
    pub rule: Rule,
    /// Higher is tried first. Zero is not replaced here: see [`default_priority`].
    pub priority: i64,
    /// The rank of the provider that said it: lower is tried first among equal priorities.
    pub precedence: usize,
    /// The name settles what priority and precedence leave open: ascending.
    pub name: Arc<str>,
    /// Where it leads.
    pub route: R,
}

/// The priority of an HTTP rule for which none was set (or zero): its length in bytes.
pub fn default_priority(rule: &str) -> i64 {
    i64::try_from(rule.len()).unwrap_or(MAX_PRIORITY)
}

impl<Rule, R> Route<Rule, R> {
    /// The order in which two routes are tried.
    pub(crate) fn rank(&self, other: &Self) -> Ordering {
        (other.priority.cmp(&self.priority))
            .then_with(|| self.precedence.cmp(&other.precedence))
            .then_with(|| self.name.cmp(&other.name))
    }
}
