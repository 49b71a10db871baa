//! TCP: matchers over the first bytes of a connection, the rule made of them, the table of routes, and the reader of
//! ClientHellos.

pub mod hello;

use std::net::IpAddr;

use crate::rank::Route;
use crate::rule::{Rule, RuleError, Syntax};

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
    rule: Rule<()>,
    domains: Vec<String>,
}

impl TcpRule {
    pub(crate) fn parse(_text: &str, _syntax: Syntax) -> Result<Self, RuleError> {
        Ok(Self { rule: Rule::Is(()), domains: Vec::new() })
    }

    /// The hosts that the rule names in `HostSNI`, lower-case, in their order; `*` is among them.
    pub fn domains(&self) -> Vec<String> {
        self.domains.clone()
    }

    /// Whether the rule is exactly ``HostSNI(`*`)``.
    pub fn is_catch_all(&self) -> bool {
        false
    }

    /// Whether the rule holds for this connection.
    pub fn matches(&self, _connection: &Connection<'_>) -> bool {
        self.rule.holds(&mut |()| true)
    }
}

/// The priority of a TCP rule for which none was set (or zero): its length in bytes, and -1 for ``HostSNI(`*`)``.
pub fn default_priority(rule: &str) -> i64 {
    crate::rank::default_priority(rule)
}

/// TCP routes by rank.
#[derive(Debug)]
pub struct TcpTable<R> {
    routes: Box<[Route<TcpRule, R>]>,
}

/// A TCP route that was found.
#[derive(Debug)]
pub struct Found<'a, R> {
    pub route: &'a R,
    /// Its rule is exactly ``HostSNI(`*`)``: HTTPS routes of that host go before it.
    pub is_catch_all: bool,
}

impl<R> TcpTable<R> {
    /// Ranks the routes: higher priority first, then lower precedence, then name.
    pub fn build(mut routes: Vec<Route<TcpRule, R>>) -> Self {
        routes.sort_by(Route::rank);
        Self { routes: routes.into() }
    }

    /// The first route by rank whose rule holds.
    pub fn find(&self, connection: &Connection<'_>) -> Option<Found<'_, R>> {
        (self.routes.iter().find(|route| route.rule.matches(connection)))
            .map(|route| Found { route: &route.route, is_catch_all: route.rule.is_catch_all() })
    }

    pub fn len(&self) -> usize {
        self.routes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// All routes by rank.
    pub fn routes(&self) -> impl Iterator<Item = &Route<TcpRule, R>> {
        self.routes.iter()
    }
}
