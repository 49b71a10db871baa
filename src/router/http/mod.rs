//! HTTP: matchers, the rule made of them, and the table of routes.

mod table;

use crate::head::Head;
use crate::rule::{Rule, RuleError, Syntax};

pub use table::{Candidates, RouteTable};

/// The rule of an HTTP router, ready to be asked.
#[derive(Clone, Debug)]
pub struct HttpRule {
    rule: Rule<()>,
    domains: Vec<String>,
}

impl HttpRule {
    pub(crate) fn parse(_text: &str, _syntax: Syntax) -> Result<Self, RuleError> {
        Ok(Self { rule: Rule::Is(()), domains: Vec::new() })
    }

    /// The hosts that the rule names in `Host`, lower-case, in their order; also those that are negated.
    pub fn domains(&self) -> Vec<String> {
        self.domains.clone()
    }

    /// Whether the rule holds for this request.
    pub fn matches(&self, _head: &Head<'_>) -> bool {
        self.rule.holds(&mut |()| true)
    }
}
