//! TCP: matchers over the first bytes of a connection, the rule made of them, the table of routes, and the reader of
//! ClientHellos.

pub mod hello;
mod matcher;
mod table;

use std::net::IpAddr;

use crate::rule::parse::{Call, calls};
use crate::rule::{Place, Rule, RuleError, Syntax, domains, name};

use matcher::TcpMatcher;

pub use table::{Found, TcpTable};

/// What is known about a connection when it is routed.
#[derive(Clone, Copy, Debug)]
pub struct Connection<'a> {
    /// The server name of the ClientHello, lower-case; empty when there is none or no TLS.
    pub server_name: &'a str,
    /// The protocols that the ClientHello offers, in its order.
    pub alpn: &'a [Vec<u8>],
    /// The peer of the connection (after PROXY protocol).
    pub client_ip: IpAddr,
}

/// The rule of a TCP router, ready to be asked.
#[derive(Clone, Debug)]
pub struct TcpRule {
    rule: Rule<TcpMatcher>,
    domains: Box<[String]>,
    is_catch_all: bool,
}

impl TcpRule {
    pub(crate) fn parse(text: &str, syntax: Syntax) -> Result<Self, RuleError> {
        let calls = calls(text)?;
        let names = matcher::names(syntax);
        let rule = calls.build(&mut |call| {
            let name = names.resolve(text, call)?;
            matcher::build(name, &Place { source: text, call }, syntax)
        })?;
        Ok(Self { rule, domains: domains::named(&calls, "HostSNI").into(), is_catch_all: is_catch_all(&calls) })
    }

    /// The hosts that the rule names in `HostSNI`, lower-case, in their order; `*` is among them.
    pub fn domains(&self) -> Vec<String> {
        self.domains.to_vec()
    }

    /// Whether the rule is ``HostSNI(`*`)`` and nothing else.
    pub fn is_catch_all(&self) -> bool {
        self.is_catch_all
    }

    /// Whether the rule holds for this connection.
    pub fn matches(&self, connection: &Connection<'_>) -> bool {
        self.rule.holds(&mut |matcher: &TcpMatcher| matcher.matches(connection))
    }
}

/// The priority of a TCP rule for which none was set (or zero): its length in bytes, and -1 for ``HostSNI(`*`)``.
pub fn default_priority(rule: &str) -> i64 {
    match calls(rule) {
        Ok(calls) if is_catch_all(&calls) => -1,
        _ => crate::rank::default_priority(rule),
    }
}

/// A negation makes no difference here: that is how rules have always been ranked.
fn is_catch_all(rule: &Rule<Call>) -> bool {
    match rule {
        Rule::Is(call) => {
            name::is_written("HostSNI", &call.name) && matches!(&call.arguments[..], [only] if only.value == "*")
        }
        Rule::Not(rule) => is_catch_all(rule),
        Rule::All(_) | Rule::Any(_) => false,
    }
}

#[cfg(test)]
mod tests;
