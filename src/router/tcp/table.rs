//! [`TcpTable`]: the TCP routes of an entry point.

use super::{Connection, TcpRule};
use crate::rank::Route;

/// TCP routes by rank.
#[derive(Debug)]
pub struct TcpTable<R> {
    routes: Box<[Route<TcpRule, R>]>,
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
        Self { routes: routes.into() }
    }

    /// The first route by rank whose rule holds.
    pub fn find(&self, connection: &Connection<'_>) -> Option<Found<'_, R>> {
        self.find_linear(connection)
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
