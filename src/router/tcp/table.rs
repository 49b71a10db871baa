//! [`TcpTable`]: the TCP routes of an entry point.

use super::matcher::TcpMatcher;
use super::{Connection, TcpRule};
use crate::host::index::{HostIndex, HostKey};
use crate::pattern::shortest;
use crate::rank::Route;
use crate::rule::Rule;

/// TCP routes by rank.
#[derive(Debug)]
pub struct TcpTable<R> {
    routes: Box<[Route<TcpRule, R>]>,
    /// Ranks by server name. It only leaves out routes that cannot match.
    index: HostIndex<Box<[u32]>>,
}

/// A TCP route that was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<'a, R> {
    pub route: &'a R,
    /// Its rule is ``HostSNI(`*`)`` and nothing else: HTTPS routes of that host go before it.
    pub is_catch_all: bool,
}

impl<R> TcpTable<R> {
    /// Ranks the routes: higher priority first, then lower precedence, then name.
    pub fn build(mut routes: Vec<Route<TcpRule, R>>) -> Self {
        routes.sort_by(Route::rank);
        let ranked = routes.iter().zip(0_u32..);
        let items = ranked.flat_map(|(route, rank)| names(&route.rule.rule).into_iter().map(move |name| (name, rank)));
        let index = HostIndex::build(items, |mut ranks| {
            ranks.dedup();
            ranks.into()
        });
        Self { routes: routes.into(), index }
    }

    /// The first route by rank whose rule holds.
    pub fn find(&self, connection: &Connection<'_>) -> Option<Found<'_, R>> {
        let mut best = u32::MAX;
        self.index.visit(connection.server_name, None, |ranks| {
            let better = ranks.iter().take_while(|rank| **rank < best);
            if let Some(rank) = better.copied().find(|rank| self.routes[*rank as usize].rule.matches(connection)) {
                best = rank;
            }
        });
        self.routes.get(best as usize).map(found)
    }

    /// What [`TcpTable::find`] must answer: every rule is asked by rank.
    pub fn find_linear(&self, connection: &Connection<'_>) -> Option<Found<'_, R>> {
        self.routes.iter().find(|route| route.rule.matches(connection)).map(found)
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

fn found<R>(route: &Route<TcpRule, R>) -> Found<'_, R> {
    Found { route: &route.route, is_catch_all: route.rule.is_catch_all() }
}

/// The server names of which one must be there for the rule to hold.
fn names(rule: &Rule<TcpMatcher>) -> Vec<HostKey> {
    match rule {
        Rule::Is(TcpMatcher::ServerName(name)) => vec![name.into()],
        Rule::Is(TcpMatcher::ServerNameRegexp(pattern)) => {
            let longest = pattern.parts(true).into_iter().max_by_key(shortest);
            longest.map_or(vec![HostKey::Any], |texts| texts.into_iter().map(HostKey::Part).collect())
        }
        Rule::Is(_) | Rule::Not(_) => vec![HostKey::Any],
        Rule::Any(rules) => {
            let found: Vec<_> = rules.iter().flat_map(names).collect();
            if found.contains(&HostKey::Any) { vec![HostKey::Any] } else { found }
        }
        // Each part alone must be true: one that names servers, if there is one.
        Rule::All(rules) => {
            let mut parts = rules.iter().map(names);
            parts.find(|names| !names.contains(&HostKey::Any)).unwrap_or_else(|| vec![HostKey::Any])
        }
    }
}

#[cfg(test)]
mod tests;
