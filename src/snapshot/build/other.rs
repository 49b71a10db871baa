//! TCP routers: what is wrong with them, and where they lead.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trafficcop_config::dynamic::tcp;
use trafficcop_config::{Name, Origin};
use trafficcop_merger::{Map, Note, nearest};
use trafficcop_router::tcp::TcpRule;
use trafficcop_router::{MAX_PRIORITY, tcp::default_priority};

use super::pass::{Failure, Pass};
use super::words;
use crate::{ObjectReport, Protocol, Servers, TcpRoute, TcpTls};

const SEVERAL_KINDS: &str = "cannot create service: multi-types service not supported, consider declaring two different \
                             pieces of service instead";

type Ranked = trafficcop_router::Route<TcpRule, Arc<TcpRoute>>;

/// The TCP routes of an entry point.
#[derive(Default)]
pub(super) struct TcpBinding {
    pub(super) plain: Vec<Ranked>,
    pub(super) tls: Vec<Ranked>,
}

impl Pass<'_> {
    pub(super) fn bind_tcp(&mut self) -> BTreeMap<Arc<str>, TcpBinding> {
        let mut bindings: BTreeMap<Arc<str>, TcpBinding> = BTreeMap::new();
        let merged = self.merged;
        let mut report = Protocol::default();
        for (name, router) in &merged.tcp.routers {
            start(&mut report.routers, name, &router.notes, router.used.is_empty());
            if router.used.is_empty() {
                continue;
            }
            match self.tcp_router(name, &router.settings, &mut report) {
                Err((field, failure)) => {
                    let path = format!("tcp.routers.{}.{field}", name.local());
                    fail(&mut report.routers, name, &router.settings.at, path, &failure);
                }
                Ok(_) if router.is_disabled() => {}
                Ok(ranked) => {
                    for entry_point in &router.used {
                        let binding = bindings.entry(entry_point.clone()).or_default();
                        let routes = if ranked.route.tls.is_some() { &mut binding.tls } else { &mut binding.plain };
                        routes.push(ranked.clone());
                    }
                }
            }
        }
        self.report.tcp = report;
        bindings
    }

    fn tcp_router(
        &mut self,
        name: &Name,
        router: &tcp::Router,
        report: &mut Protocol,
    ) -> Result<Ranked, (&'static str, Failure)> {
        if router.service.is_empty() {
            return Err(("service", Failure::new("the service is missing on the router")));
        }
        let rule = router.rule.as_str();
        if rule.is_empty() {
            return Err(("rule", Failure::new("router has no rule")));
        }
        // What Traefik refuses, and others write.
        let rule = if rule == "*" { "HostSNI(`*`)" } else { rule };
        let parsed = self.rules.tcp(rule, &router.rule_syntax).map_err(|error| {
            let words = words::rule(rule, &error);
            let words = words.strip_prefix(&format!("parsing rule {rule}: ")).unwrap_or(&words);
            let ours = Some(format!("the rule {rule} is not usable: {error}"));
            ("rule", Failure { ours, ..Failure::new(format!("invalid rule: {rule:?} , {words}")) })
        })?;
        if router.tls.is_none() && parsed.domains().first().is_some_and(|host| host != "*") {
            let message = format!("invalid rule: {rule:?} , has HostSNI matcher, but no TLS on router");
            return Err(("rule", Failure::new(message)));
        }
        let priority = if router.priority == 0 { default_priority(rule) } else { router.priority };
        if priority > MAX_PRIORITY && name.provider() != "internal" {
            let message =
                format!("the router priority {priority} exceeds the max user-defined priority {MAX_PRIORITY}");
            return Err(("priority", Failure::new(message)));
        }
        let mut ends = router.tls.as_ref().map(|_| TcpTls::Passthrough);
        if let Some(tls) = router.tls.as_ref().filter(|tls| !tls.passthrough) {
            let options = match tls.options.as_str() {
                "" | "default" => "default".to_owned(),
                given => Name::qualify(given, name.provider()).to_string(),
            };
            self.usable_tls_options(&options).map_err(|failure| ("tls.options", failure))?;
            ends = Some(TcpTls::Options(options.into()));
        }
        let services = &self.merged.tcp.services;
        let service = Name::qualify(&router.service, name.provider());
        check_service(
            &service,
            services,
            &self.merged.tcp.servers_transports,
            &mut report.services,
            &mut BTreeSet::new(),
        )
        .map_err(|failure| ("service", failure))?;
        let built = self.tcp_service(&service, report).map_err(|failure| ("service", failure))?;
        let mut filters = Vec::new();
        let middlewares = &self.merged.tcp.middlewares;
        for middleware in router.middlewares.iter().rev() {
            let middleware = Name::qualify(middleware, name.provider());
            if !middlewares.contains_key(&middleware) {
                let hint = nearest(&middleware, middlewares.keys());
                let message = format!("middleware {:?} does not exist", middleware.as_str());
                return Err(("middlewares", Failure::hinting(message, hint)));
            }
            let filter = self.tcp_filter(name, &middleware).map_err(|failure| {
                let at = middlewares.get(&middleware).map(|object| object.settings.at.clone()).unwrap_or_default();
                let path = format!("tcp.middlewares.{}", middleware.local());
                fail(&mut report.middlewares, &middleware, &at, path, &failure);
                ("middlewares", failure)
            })?;
            filters.insert(0, filter);
        }
        let route = Arc::new(TcpRoute {
            router: name.as_str().into(),
            filters: filters.into(),
            service: built.service,
            tls: ends,
        });
        let precedence = self.precedence(name);
        Ok(Ranked { rule: (*parsed).clone(), priority, precedence, name: name.shared(), route })
    }
}

pub(super) type Objects = BTreeMap<Name, ObjectReport>;

pub(super) fn start(objects: &mut Objects, name: &Name, notes: &[Note], is_untouched: bool) {
    if is_untouched || !notes.is_empty() {
        let report = ObjectReport { notes: notes.to_vec(), is_untouched, ..ObjectReport::default() };
        objects.insert(name.clone(), report);
    }
}

pub(super) fn fail(objects: &mut Objects, name: &Name, at: &Origin, path: String, failure: &Failure) {
    objects.entry(name.clone()).or_default().push(failure.note(at, path));
}

/// An empty name means the default transport, which is always there.
fn check_transport(service: &Name, wanted: &str, transports: &Map<tcp::ServersTransport>) -> Result<(), Failure> {
    let wanted = Name::qualify(wanted, service.provider());
    if wanted.local().is_empty() || transports.contains_key(&wanted) {
        return Ok(());
    }
    let hint = nearest(&wanted, transports.keys());
    Err(Failure::hinting(format!("TCP dialer not found {wanted}"), hint))
}

fn check_service(
    name: &Name,
    services: &Map<tcp::Service>,
    transports: &Map<tcp::ServersTransport>,
    report: &mut Objects,
    inside: &mut BTreeSet<Name>,
) -> Result<(), Failure> {
    let Some(service) = services.get(name) else {
        let hint = nearest(name, services.keys());
        return Err(Failure::hinting(format!("the service {:?} does not exist", name.as_str()), hint));
    };
    let children = service.settings.weighted.iter().flat_map(|weighted| &weighted.services);
    let problem = match (&service.settings.load_balancer, &service.settings.weighted) {
        (Some(_), Some(_)) => Some(Failure::new(SEVERAL_KINDS)),
        (None, None) => Some(Failure::new(format!("the service {:?} does not have any type defined", name.as_str()))),
        _ if !inside.insert(name.clone()) => Some(Failure::new(format!("the service {name} contains itself"))),
        _ => None,
    };
    let below = || {
        let mut children = children.map(|child| Name::qualify(&child.name, name.provider()));
        children.try_for_each(|child| check_service(&child, services, transports, report, inside))
    };
    let result = problem.map_or_else(below, Err);
    inside.remove(name);
    match &result {
        Ok(()) => {
            if let Some(load_balancer) = &service.settings.load_balancer {
                // As in Traefik this is told on the router: the service itself is as written.
                check_transport(name, &load_balancer.servers_transport, transports)?;
                let usable = load_balancer.servers.iter().map(|server| server.address.clone());
                let usable = usable.filter(|address| address.rsplit_once(':').is_some()).collect();
                report.entry(name.clone()).or_default().servers = Some(Arc::new(Unchecked(usable)));
            }
        }
        Err(failure) => fail(report, name, &service.settings.at, format!("tcp.services.{}", name.local()), failure),
    }
    result
}

/// Servers that nobody checks count as up.
struct Unchecked(Vec<String>);

impl Servers for Unchecked {
    fn status(&self) -> Vec<(String, bool)> {
        self.0.iter().map(|address| (address.clone(), true)).collect()
    }
}
