//! Why a rule does not hold for a request: the first clause that fails, in words. For `explain`, never for traffic.

use std::sync::Arc;

use super::HttpRule;
use super::{v2, v3};
use crate::head::Head;
use crate::rule::parse::{Call, calls};
use crate::rule::{Place, Rule, RuleError, Syntax};

/// What keeps a rule from holding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The clause as the rule has it.
    pub clause: String,
    /// What the request has instead.
    pub found: String,
    /// The clause asks for the host: the request is probably none of this rule's business.
    pub is_host: bool,
}

impl HttpRule {
    /// The first clause of the rule `text` that does not hold, from left to right; none when the rule holds. The text is
    /// read again, because clauses are not kept for traffic; the matchers that are asked are those of traffic.
    pub fn failing(text: &str, syntax: Syntax, head: &Head<'_>) -> Result<Option<Failing>, RuleError> {
        let clauses = calls(text)?.build(&mut |call| Ok(Rule::Is(Clause::new(text, syntax, call)?)))?;
        let mut is = |clause: &Clause| clause.holds(head);
        let Some(failing) = first_failing(&clauses, &mut is) else { return Ok(None) };
        let (mut names, mut is_host) = (Vec::new(), true);
        failing.each(&mut |clause| {
            is_host &= clause.name.starts_with("Host");
            let found = clause.found(head);
            if !names.contains(&found) {
                names.push(found);
            }
        });
        Ok(Some(Failing { clause: written(failing), found: names.join(" and "), is_host }))
    }
}

/// One matcher with the words it was written in.
struct Clause {
    name: &'static str,
    text: String,
    key: String,
    rule: HttpRule,
}

impl Clause {
    fn new(source: &str, syntax: Syntax, call: &Call) -> Result<Self, RuleError> {
        let place = Place { source, call };
        let (name, rule) = match syntax {
            Syntax::V3 => {
                let name = v3::NAMES.resolve(source, call)?;
                (name, v3::build(name, &place)?)
            }
            Syntax::V2 => {
                let name = v2::NAMES.resolve(source, call)?;
                (name, v2::build(name, &place)?)
            }
        };
        let arguments: Vec<_> = call.arguments.iter().map(|argument| &source[argument.span.clone()]).collect();
        Ok(Self {
            name,
            text: format!("{}({})", call.name, arguments.join(", ")),
            key: call.arguments.first().map(|argument| argument.value.clone()).unwrap_or_default(),
            rule: HttpRule { rule, anchors: None, domains: Arc::default(), remarks: Box::default() },
        })
    }

    fn holds(&self, head: &Head<'_>) -> bool {
        self.rule.matches(head)
    }

    fn found(&self, head: &Head<'_>) -> String {
        match self.name {
            name if name.starts_with("Host") => format!("the host is `{}`", head.host),
            name if name.starts_with("Path") => format!("the path is `{}`", head.routing_path),
            "Method" => format!("the method is `{}`", head.method),
            "ClientIP" => format!("the client's address is {}", head.client_ip),
            name if name.starts_with("Header") => {
                // Values may be secrets; that there is one is enough.
                let is_there = head.headers.values(&self.key, &mut |_| true);
                let how = if is_there { "has another value" } else { "is absent" };
                format!("the header {} {how}", self.key)
            }
            _ => format!("the query is `{}`", head.query.unwrap_or("")),
        }
    }
}

/// Of alternatives that all fail it is the one that came furthest, unless none passed its first clause: then all of them.
fn first_failing<'a, M>(rule: &'a Rule<M>, is: &mut impl FnMut(&M) -> bool) -> Option<&'a Rule<M>> {
    match rule {
        Rule::Is(_) | Rule::Not(_) => (!rule.holds(is)).then_some(rule),
        Rule::All(rules) => rules.iter().find_map(|rule| first_failing(rule, is)),
        Rule::Any(rules) => {
            if rule.holds(is) {
                return None;
            }
            let passed = |rule: &Rule<M>, is: &mut _| match rule {
                Rule::All(rules) => rules.iter().take_while(|rule| rule.holds(is)).count(),
                _ => 0,
            };
            let mut furthest = (0, rule);
            for alternative in rules {
                let count = passed(alternative, is);
                if count > furthest.0 {
                    furthest = (count, alternative);
                }
            }
            if furthest.0 == 0 { Some(rule) } else { first_failing(furthest.1, is) }
        }
    }
}

fn written(rule: &Rule<Clause>) -> String {
    let inner = |rule: &Rule<Clause>| match rule {
        Rule::All(_) | Rule::Any(_) => format!("({})", written(rule)),
        _ => written(rule),
    };
    match rule {
        Rule::Is(clause) => clause.text.clone(),
        Rule::Not(rule) => format!("!{}", inner(rule)),
        Rule::All(rules) => rules.iter().map(inner).collect::<Vec<_>>().join(" && "),
        Rule::Any(rules) => rules.iter().map(inner).collect::<Vec<_>>().join(" || "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: &str, expected: &str) {
        let headers: &[(&str, &str)] = &[("X-Key", "secret")];
        let head = Head {
            method: "GET",
            host: "a.example",
            cname: None,
            routing_path: "/x",
            query: Some("q=1"),
            headers: &headers,
            client_ip: [10, 0, 0, 1].into(),
        };
        let failing = HttpRule::failing(rule, Syntax::V3, &head).unwrap();
        let parsed = HttpRule::parse(rule, Syntax::V3).unwrap();
        assert_eq!(failing.is_none(), parsed.matches(&head), "{rule}: both evaluations agree");
        let text = failing.map(|failing| format!("{}: {}", failing.clause, failing.found)).unwrap_or_default();
        assert_eq!(text, expected, "{rule}");
    }

    #[test]
    fn the_first_clause_that_fails_is_named() {
        check("Host(`a.example`)", "");
        check("Host(`b.example`) && Path(`/y`)", "Host(`b.example`): the host is `a.example`");
        check("Host(`a.example`) && PathPrefix(`/y`)", "PathPrefix(`/y`): the path is `/x`");
        check("Host(`a.example`) && !(Path(`/x`))", "!Path(`/x`): the path is `/x`");
        check(
            "Method(`POST`) || Query(`q`, `2`)",
            "Method(`POST`) || Query(`q`, `2`): the method is `GET` and the query is `q=1`",
        );
        check("ClientIP(`10.1.0.0/16`)", "ClientIP(`10.1.0.0/16`): the client's address is 10.0.0.1");
    }

    #[test]
    fn of_alternatives_the_one_that_came_furthest_is_named() {
        check("(Host(`b`) && Path(`/x`)) || (Host(`a.example`) && Path(`/z`))", "Path(`/z`): the path is `/x`");
    }

    #[test]
    fn values_of_headers_are_not_shown() {
        check("Header(`X-Key`, `other`)", "Header(`X-Key`, `other`): the header X-Key has another value");
        check("Header(`X-None`, `other`)", "Header(`X-None`, `other`): the header X-None is absent");
    }
}
