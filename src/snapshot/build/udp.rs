//! UDP routers: what is wrong with them, and where they lead.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trafficcop_config::Name;
use trafficcop_config::dynamic::udp;
use trafficcop_exchange::{UdpFilter, UdpService};
use trafficcop_merger::{Map, nearest};
use trafficcop_router::MAX_PRIORITY;
use trafficcop_router::tcp::{TcpTable, default_priority};

use super::other::{fail, start};
use super::pass::{Failure, Pass};
use crate::Protocol;
use crate::udp::{UdpRoute, UdpRoutes};

/// A rule that holds for all clients; a router without a rule has it too.
const ALL: &str = "*";
const ALL_AS_TCP: &str = "HostSNI(`*`)";

type Ranked = trafficcop_router::Route<trafficcop_router::tcp::TcpRule, Arc<UdpRoute>>;

/// What routers say of one entry point.
#[derive(Default)]
struct Binding {
    routes: Vec<Ranked>,
    /// Of routers as Traefik has them: the one with the last name has the entry point.
    plain: Option<Arc<dyn UdpService>>,
    /// Whether one of them has what only we have.
    is_extended: bool,
}

impl Pass<'_> {
    /// The service of each UDP entry point.
    pub(super) fn bind_udp(&mut self) -> BTreeMap<Arc<str>, Arc<dyn UdpService>> {
        let mut bindings: BTreeMap<Arc<str>, Binding> = BTreeMap::new();
        let merged = self.merged;
        let mut report = Protocol::default();
        for (name, router) in &merged.udp.routers {
            start(&mut report.routers, name, &router.notes, router.used.is_empty());
            if router.used.is_empty() {
                continue;
            }
            match self.udp_router(name, &router.settings) {
                Err((field, failure)) => {
                    let path = format!("udp.routers.{}.{field}", name.local());
                    fail(&mut report.routers, name, &router.settings.at, path, &failure);
                }
                Ok(_) if router.is_disabled() => {}
                Ok(ranked) => {
                    let settings = &router.settings;
                    for entry_point in &router.used {
                        let binding = bindings.entry(entry_point.clone()).or_default();
                        binding.is_extended |= !settings.rule.is_empty() || !settings.middlewares.is_empty();
                        // In the order of names: a later one replaces an earlier one.
                        binding.plain = Some(Arc::clone(&ranked.route.service));
                        binding.routes.push(ranked.clone());
                    }
                }
            }
        }
        self.report.udp = report;
        let service = |binding: Binding| -> Option<Arc<dyn UdpService>> {
            if !binding.is_extended {
                return binding.plain;
            }
            Some(Arc::new(UdpRoutes::new(TcpTable::build(binding.routes))))
        };
        bindings.into_iter().filter_map(|(name, binding)| Some((name, service(binding)?))).collect()
    }

    fn udp_router(&mut self, name: &Name, router: &udp::Router) -> Result<Ranked, (&'static str, Failure)> {
        let of_service = |failure| ("service", failure);
        if router.service.is_empty() {
            return Err(of_service(Failure::new("the service is missing on the udp router")));
        }
        let service = Name::qualify(&router.service, name.provider());
        check(&service, &self.merged.udp.services, &mut BTreeSet::new()).map_err(of_service)?;
        let service = self.udp_service(&service).map_err(of_service)?;
        let written = router.rule.trim();
        let rule = if matches!(written, "" | ALL) { ALL_AS_TCP } else { written };
        let parsed = self
            .rules
            .tcp(rule, "")
            .map_err(|error| ("rule", Failure::new(format!("the rule {rule} is not usable: {error}"))))?;
        if parsed.domains().iter().any(|host| host != ALL) {
            let message = format!("the rule {rule} asks for a server name, which datagrams do not have");
            return Err(("rule", Failure::new(message)));
        }
        // One that holds for all goes last.
        let usual = if rule == ALL_AS_TCP { 1 } else { default_priority(rule) };
        let priority = if router.priority == 0 { usual } else { router.priority };
        if priority > MAX_PRIORITY {
            let message =
                format!("the router priority {priority} exceeds the max user-defined priority {MAX_PRIORITY}");
            return Err(("priority", Failure::new(message)));
        }
        let mut filters: Vec<Arc<dyn UdpFilter>> = Vec::new();
        for middleware in &router.middlewares {
            let middleware = Name::qualify(middleware, name.provider());
            filters.push(self.udp_filter(name, &middleware).map_err(|failure| ("middlewares", failure))?);
        }
        let route = Arc::new(UdpRoute { filters: filters.into(), service });
        let precedence = self.precedence(name);
        Ok(Ranked { rule: (*parsed).clone(), priority, precedence, name: name.shared(), route })
    }
}

fn check(name: &Name, services: &Map<udp::Service>, inside: &mut BTreeSet<Name>) -> Result<(), Failure> {
    let Some(service) = services.get(name) else {
        let hint = nearest(name, services.keys());
        return Err(Failure::hinting(format!("the UDP service {:?} does not exist", name.as_str()), hint));
    };
    if !inside.insert(name.clone()) {
        return Err(Failure::new(format!("the UDP service {name} contains itself")));
    }
    let children = service.settings.weighted.iter().flat_map(|weighted| &weighted.services);
    let mut children = children.map(|child| Name::qualify(&child.name, name.provider()));
    let result = children.try_for_each(|child| check(&child, services, inside));
    inside.remove(name);
    result
}
