//! Walks the routes: who wins, and what kept each other one from it.

use std::sync::Arc;

use trafficcop_config::Name;
use trafficcop_merger::{HttpRouter, Severity};
use trafficcop_router::rule::parse_http;
use trafficcop_router::{Head, HttpRule, RouteTable, Syntax, default_priority};

use super::{Other, Question, Winner, causes, root, services};
use crate::{Entry, Route, Snapshot};

/// How deep routers below routers are followed.
const MAX_DEPTH: usize = 16;

/// A question with what it is asked of.
pub(super) struct Asked<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) question: &'a Question,
    pub(super) head: &'a Head<'a>,
    pub(super) entry: Option<&'a Entry>,
}

impl Asked<'_> {
    fn table<'t>(&self, entry: &'t Entry) -> &'t RouteTable<Arc<Route>> {
        if self.question.is_tls { &entry.https } else { &entry.http }
    }

    pub(super) fn winner(&self) -> Option<Winner> {
        let table = self.table(self.entry?);
        let route = table.find(self.head)?;
        let name = root(&route.info.router);
        let mut holding = table.candidates(self.head).filter(|(_, holds)| *holds).map(|(route, _)| route);
        let first = holding.next()?;
        let why = match holding.next() {
            None => "it is the only one whose rule holds".to_owned(),
            Some(next) if first.priority > next.priority => {
                format!("its priority {} is above the {} of {}", first.priority, next.priority, next.name)
            }
            Some(next) if first.precedence < next.precedence => {
                format!("its provider goes before that of {}, at the same priority", next.name)
            }
            Some(next) => format!("its name comes before {}, at the same priority", next.name),
        };
        let router = self.snapshot.merged.http.routers.get(&name)?;
        let mut winner = Winner {
            router: name.to_string(),
            rule: router.object.settings.rule.value.clone(),
            priority: first.priority,
            why,
            ..Winner::default()
        };
        self.follow(&name, router, 0, &mut winner);
        Some(winner)
    }

    /// The chain of a router and what is behind it: a service, or the router below that holds.
    fn follow(&self, name: &Name, router: &HttpRouter, depth: usize, winner: &mut Winner) {
        let settings = &router.object.settings.value;
        let http = &self.snapshot.merged.http;
        for middleware in &settings.middlewares {
            let middleware = Name::qualify(middleware, name.provider());
            let kinds = http.middlewares.get(&middleware).map(|object| &object.settings.value.kinds);
            let kind = kinds.and_then(|kinds| kinds.iter().next()).map_or("unknown", |(kind, _)| kind);
            winner.middlewares.push(format!("{middleware} ({kind})"));
        }
        if router.children.is_empty() || depth == MAX_DEPTH {
            winner.service = services::lines(self.snapshot, &Name::qualify(&settings.service, name.provider()));
            return;
        }
        let ranked = router.children.iter().filter_map(|child| self.child(child)).collect();
        match RouteTable::build(ranked).find(self.head) {
            Some(child) => {
                winner.children.push(child.to_string());
                if let Some(router) = http.routers.get(child) {
                    self.follow(child, router, depth + 1, winner);
                }
            }
            None => winner.service.push("none of the routers below it holds: the answer is 404".to_owned()),
        }
    }

    fn child(&self, name: &Name) -> Option<trafficcop_router::Route<HttpRule, Name>> {
        let settings = &self.snapshot.merged.http.routers.get(name)?.object.settings.value;
        if self.error(name).is_some() {
            return None;
        }
        let rule = parse_http(&settings.rule, Syntax::named(&settings.rule_syntax)).ok()?;
        let priority = if settings.priority == 0 { default_priority(&settings.rule) } else { settings.priority };
        Some(trafficcop_router::Route { rule, priority, precedence: 0, name: name.shared(), route: name.clone() })
    }

    /// Why a router is disabled.
    fn error(&self, name: &Name) -> Option<String> {
        let report = self.snapshot.report.http.routers.get(name)?;
        let errors: Vec<_> = report.notes.iter().filter(|note| note.severity == Severity::Error).collect();
        let texts: Vec<_> = errors.iter().map(|note| note.error.to_string()).collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    }

    /// Every router but the winner that might have been meant, with why it does not serve the request.
    pub(super) fn others(&self, winner: Option<&Winner>) -> Vec<Other> {
        let routers = &self.snapshot.merged.http.routers;
        let is_winner = |name: &Name| {
            winner.is_some_and(|it| it.router == name.as_str() || it.children.contains(&name.to_string()))
        };
        let named = routers.iter().filter(|(name, _)| !is_winner(name) && name.provider() != "internal");
        let mut others: Vec<Other> = named
            .filter_map(|(name, router)| {
                let why = self.why_not(name, router, winner)?;
                Some(Other { router: name.to_string(), why })
            })
            .collect();
        if others.is_empty()
            && winner.is_none()
            && let Some(host) = causes::similar_host(self.snapshot, self.head.host)
        {
            let why = format!("no router names the host {}; did you mean {host}?", self.head.host);
            others.push(Other { router: String::new(), why });
        }
        others
    }

    fn why_not(&self, name: &Name, router: &HttpRouter, winner: Option<&Winner>) -> Option<String> {
        let settings = &router.object.settings.value;
        let rule = settings.rule.value.as_str();
        let failing = HttpRule::failing(rule, Syntax::named(&settings.rule_syntax), self.head);
        if let Some(error) = self.error(name) {
            let concerns_host = match &failing {
                Ok(failing) => failing.as_ref().is_none_or(|failing| !failing.is_host),
                Err(_) => rule.to_lowercase().contains(self.head.host),
            };
            let asks = &settings.entry_points;
            let asked = if router.object.used.is_empty() && !asks.is_empty() {
                format!(" (it asks for {})", asks.join(", "))
            } else {
                String::new()
            };
            return concerns_host.then(|| format!("it is disabled: {error}{asked}"));
        }
        match failing.ok()? {
            // Whoever asks for another host was hardly meant.
            Some(failing) if failing.is_host => None,
            Some(failing) => Some(format!("{} does not hold: {}", failing.clause, failing.found)),
            None => Some(self.elsewhere(router, winner)),
        }
    }

    /// Why a router whose rule holds does not serve the request.
    fn elsewhere(&self, router: &HttpRouter, winner: Option<&Winner>) -> String {
        let settings = &router.object.settings.value;
        if !settings.parent_refs.is_empty() {
            return format!("it is below {}, which does not serve the request", settings.parent_refs.join(", "));
        }
        let used = &router.object.used;
        if used.is_empty() {
            return format!("it is on no entry point that exists (it asks for {})", settings.entry_points.join(", "));
        }
        match self.entry {
            Some(entry) if used.iter().any(|point| **point == *entry.name) => {}
            Some(entry) => return format!("it is on entry point {}, not on {}", used.join(", "), entry.name),
            None => return format!("it is on entry point {}", used.join(", ")),
        }
        match (settings.tls.is_some(), self.question.is_tls) {
            (true, false) => "it answers TLS only, and this request is plain".to_owned(),
            (false, true) => "it answers plain requests only, and this one is TLS: it has no tls section".to_owned(),
            _ => {
                let own = if settings.priority == 0 { default_priority(&settings.rule) } else { settings.priority };
                match winner {
                    Some(winner) => format!(
                        "its rule holds too, but {} comes first: priority {} against {own}",
                        winner.router, winner.priority
                    ),
                    None => "its rule holds, but it could not be built".to_owned(),
                }
            }
        }
    }
}
