//! TCP routers, services and middlewares as the API shows them.

use serde_json::{Map, Value, json};
use trafficcop_config::Name;
use trafficcop_config::dynamic::Middleware;
use trafficcop_config::dynamic::tcp::{Router, Service};
use trafficcop_merger::Object;
use trafficcop_router::tcp::default_priority;
use trafficcop_snapshot::{ObjectReport, Snapshot};

use crate::http::{full_name, kind_of, kind_row, named, object, qualified, router_details, server_status, state};
use crate::page::Row;
use crate::resource::Section;

/// Every object of a section.
pub(crate) fn rows(section: Section, snapshot: &Snapshot) -> Vec<Row> {
    let (merged, report) = (&snapshot.merged.tcp, &snapshot.report.tcp);
    match section {
        Section::Routers => {
            (merged.routers.iter()).map(|(name, it)| router_row(name, it, report.routers.get(name))).collect()
        }
        Section::Services => {
            (merged.services.iter()).map(|(name, it)| service_row(name, it, report.services.get(name))).collect()
        }
        Section::Middlewares => (merged.middlewares.iter())
            .map(|(name, it)| middleware_row(name, it, report.middlewares.get(name)))
            .collect(),
    }
}

/// One object of a section.
pub(crate) fn one(section: Section, snapshot: &Snapshot, name: &str) -> Option<Value> {
    let (merged, report) = (&snapshot.merged.tcp, &snapshot.report.tcp);
    let name = &full_name(name)?;
    let row = match section {
        Section::Routers => router_row(name, merged.routers.get(name)?, report.routers.get(name)),
        Section::Services => service_row(name, merged.services.get(name)?, report.services.get(name)),
        Section::Middlewares => middleware_row(name, merged.middlewares.get(name)?, report.middlewares.get(name)),
    };
    Some(row.shown)
}

/// A router as raw data shows it.
pub(crate) fn router(name: &Name, router: &Object<Router>, report: Option<&ObjectReport>) -> Map<String, Value> {
    let report = &report.cloned().unwrap_or_default();
    let settings = &router.settings.value;
    let mut shown = object(settings);
    if !report.is_untouched {
        if settings.priority == 0 && !settings.rule.is_empty() {
            shown.insert("priority".to_owned(), json!(default_priority(&settings.rule)));
        }
        if !settings.middlewares.is_empty() {
            shown.insert("middlewares".to_owned(), json!(qualified(&settings.middlewares, name)));
        }
    }
    state(&mut shown, report, "using", &router.used);
    shown
}

fn router_row(name: &Name, object: &Object<Router>, report: Option<&ObjectReport>) -> Row {
    let mut shown = router(name, object, report);
    named(&mut shown, name);
    router_details(name, report, shown)
}

/// A service as raw data shows it.
pub(crate) fn service(name: &Name, service: &Object<Service>, report: Option<&ObjectReport>) -> Map<String, Value> {
    let report = &report.cloned().unwrap_or_default();
    let mut settings = service.settings.value.clone();
    if let Some(load_balancer) = settings.load_balancer.as_mut().filter(|_| report.servers.is_some()) {
        let transport = &mut load_balancer.servers_transport;
        if !transport.is_empty() {
            *transport = Name::qualify(transport, name.provider()).to_string();
        }
    }
    let mut shown = object(&settings);
    state(&mut shown, report, "usedBy", &service.used);
    server_status(&mut shown, report);
    shown
}

fn service_row(name: &Name, object: &Object<Service>, report: Option<&ObjectReport>) -> Row {
    let settings = &object.settings.value;
    let kind = match (&settings.load_balancer, &settings.weighted) {
        (Some(_), _) => "loadbalancer",
        (None, Some(_)) => "weighted",
        (None, None) => "",
    };
    let servers = settings.load_balancer.as_ref().map_or(0, |load_balancer| load_balancer.servers.len());
    kind_row(name, service(name, object, report), report, kind, servers)
}

/// A middleware as raw data shows it.
pub(crate) fn middleware(object: &Object<Middleware>, report: Option<&ObjectReport>) -> Map<String, Value> {
    let mut shown = Map::new();
    for (kind, settings) in &object.settings.kinds {
        shown.insert(kind.to_string(), json!(settings));
    }
    state(&mut shown, &report.cloned().unwrap_or_default(), "usedBy", &object.used);
    shown
}

fn middleware_row(name: &Name, object: &Object<Middleware>, report: Option<&ObjectReport>) -> Row {
    let kind = kind_of(&object.settings);
    kind_row(name, middleware(object, report), report, &kind, 0)
}
