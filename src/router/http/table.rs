//! [`RouteTable`]: the routes of an entry point, or the children of a router.

use std::sync::Arc;

use crate::head::Head;
use crate::host::index::HostIndex;
use crate::rank::Route;

use super::HttpRule;
use super::anchor::Anchors;
use super::index::PathIndex;

/// Routes by rank.
#[derive(Debug)]
pub struct RouteTable<R> {
    /// Rules are shared with whoever builds the next table: most of them stay as they are.
    routes: Box<[Route<Arc<HttpRule>, R>]>,
    /// Ranks by host and path. It only leaves out routes that cannot match.
    index: HostIndex<PathIndex>,
}

impl<R> RouteTable<R> {
    /// Ranks the routes: higher priority first, then lower precedence, then name.
    pub fn build<Rule: Into<Arc<HttpRule>>>(routes: Vec<Route<Rule, R>>) -> Self {
        let shared = |Route { rule, priority, precedence, name, route }| {
            let rule: Arc<HttpRule> = Rule::into(rule);
            Route { rule, priority, precedence, name, route }
        };
        let mut routes: Vec<_> = routes.into_iter().map(shared).collect();
        routes.sort_by(Route::rank);
        let anchors = Anchors::of_all(routes.iter().map(|route| &*route.rule));
        let ranked = routes.iter().zip(0_u32..);
        let mut items = Vec::with_capacity(routes.len());
        for (route, rank) in ranked {
            let anchors = anchors.of(&route.rule);
            items.extend(anchors.iter().map(|anchor| (anchor.host.clone(), (anchor.path.clone(), rank))));
        }
        let index = HostIndex::build(items, PathIndex::build);
        Self { routes: routes.into(), index }
    }

    /// The first route by rank whose rule holds.
    pub fn find(&self, head: &Head<'_>) -> Option<&R> {
        let mut best = u32::MAX;
        self.index.visit(head.host, head.cname, |paths| {
            paths.visit(head.routing_path, |ranks| {
                let better = ranks.iter().take_while(|rank| **rank < best);
                if let Some(rank) = better.copied().find(|rank| self.routes[*rank as usize].rule.matches(head)) {
                    best = rank;
                }
            });
        });
        self.routes.get(best as usize).map(|route| &route.route)
    }

    /// What [`RouteTable::find`] must answer: every rule is asked by rank.
    pub fn find_linear(&self, head: &Head<'_>) -> Option<&R> {
        self.routes.iter().find(|route| route.rule.matches(head)).map(|route| &route.route)
    }

    /// Every route by rank, with whether its rule holds: what `explain` shows.
    pub fn candidates<'a, 'h>(&'a self, head: &'h Head<'h>) -> Candidates<'a, 'h, R> {
        Candidates { routes: self.routes.iter(), head }
    }

    pub fn len(&self) -> usize {
        self.routes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// All routes by rank.
    pub fn routes(&self) -> impl Iterator<Item = &Route<Arc<HttpRule>, R>> {
        self.routes.iter()
    }
}

/// See [`RouteTable::candidates`].
pub struct Candidates<'a, 'h, R> {
    routes: std::slice::Iter<'a, Route<Arc<HttpRule>, R>>,
    head: &'h Head<'h>,
}

impl<'a, R> Iterator for Candidates<'a, '_, R> {
    type Item = (&'a Route<Arc<HttpRule>, R>, bool);

    fn next(&mut self) -> Option<Self::Item> {
        self.routes.next().map(|route| (route, route.rule.matches(self.head)))
    }
}

#[cfg(test)]
mod tests;
