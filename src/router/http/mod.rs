//! HTTP: matchers, the rule made of them, and the table of routes.

mod anchor;
mod failing;
mod index;
mod matcher;
mod query;
mod table;
mod v2;
mod v3;

use std::sync::Arc;

use crate::head::Head;
use crate::rule::parse::calls;
use crate::rule::{Place, Rule, RuleError, Syntax, domains};

use anchor::Anchor;
use matcher::HttpMatcher;

pub use failing::Failing;
pub use table::{Candidates, RouteTable};

/// The rule of an HTTP router, ready to be asked.
#[derive(Clone, Debug)]
pub struct HttpRule {
    rule: Rule<HttpMatcher>,
    /// Unless they depend on the other rules of a table.
    anchors: Option<Box<[Anchor]>>,
    domains: Arc<[String]>,
    remarks: Box<[RuleError]>,
}

impl HttpRule {
    pub(crate) fn parse(text: &str, syntax: Syntax) -> Result<Self, RuleError> {
        let calls = calls(text)?;
        let mut remarks = Vec::new();
        let rule = calls.build(&mut |call| {
            let place = Place { source: text, call };
            match syntax {
                Syntax::V3 => {
                    let name = v3::NAMES.resolve(text, call)?;
                    remarks.extend(v3::remark(name, &place));
                    v3::build(name, &place)
                }
                Syntax::V2 => v2::build(v2::NAMES.resolve(text, call)?, &place),
            }
        })?;
        let (anchors, domains) = (anchor::fixed(&rule), domains::named(&calls, "Host").into());
        Ok(Self { rule, anchors, domains, remarks: remarks.into() })
    }

    /// The hosts that the rule names in `Host`, lower-case, in their order; those that are negated are left out.
    pub fn domains(&self) -> &Arc<[String]> {
        &self.domains
    }

    /// What is allowed and yet probably not what was meant.
    pub fn remarks(&self) -> &[RuleError] {
        &self.remarks
    }

    /// Whether the rule holds for this request.
    pub fn matches(&self, head: &Head<'_>) -> bool {
        self.rule.holds(&mut |matcher: &HttpMatcher| matcher.matches(head))
    }
}

#[cfg(test)]
mod tests;
