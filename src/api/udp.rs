//! UDP routers and services as the API shows them.

use serde_json::{Map, Value};
use trafficcop_config::Name;
use trafficcop_config::dynamic::udp::{Router, Service};
use trafficcop_merger::Object;
use trafficcop_snapshot::{ObjectReport, Snapshot};

use crate::http::{full_name, kind_row, named, object, router_details, server_status, state};
use crate::page::Row;
use crate::resource::Section;

/// Every object of a section.
pub(crate) fn rows(section: Section, snapshot: &Snapshot) -> Vec<Row> {
    let (merged, report) = (&snapshot.merged.udp, &snapshot.report.udp);
    match section {
        Section::Routers => {
            (merged.routers.iter()).map(|(name, it)| router_row(name, it, report.routers.get(name))).collect()
        }
        Section::Services => {
            (merged.services.iter()).map(|(name, it)| service_row(name, it, report.services.get(name))).collect()
        }
        Section::Middlewares => Vec::new(),
    }
}

/// One object of a section.
pub(crate) fn one(section: Section, snapshot: &Snapshot, name: &str) -> Option<Value> {
    let (merged, report) = (&snapshot.merged.udp, &snapshot.report.udp);
    let name = &full_name(name)?;
    let row = match section {
        Section::Routers => router_row(name, merged.routers.get(name)?, report.routers.get(name)),
        Section::Services => service_row(name, merged.services.get(name)?, report.services.get(name)),
        Section::Middlewares => return None,
    };
    Some(row.shown)
}

/// A router as raw data shows it.
pub(crate) fn router(router: &Object<Router>, report: Option<&ObjectReport>) -> Map<String, Value> {
    let mut shown = object(&router.settings.value);
    state(&mut shown, &report.cloned().unwrap_or_default(), "using", &router.used);
    shown
}

fn router_row(name: &Name, object: &Object<Router>, report: Option<&ObjectReport>) -> Row {
    let mut shown = router(object, report);
    named(&mut shown, name);
    let mut row = Row { has_no_middlewares: true, ..router_details(name, report, shown) };
    if let Value::Object(shown) = &mut row.shown {
        // A UDP router has no rule, hence no priority.
        shown.remove("priorityStr");
    }
    row
}

/// A service as raw data shows it.
pub(crate) fn service(service: &Object<Service>, report: Option<&ObjectReport>) -> Map<String, Value> {
    let report = &report.cloned().unwrap_or_default();
    let mut shown = object(&service.settings.value);
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
    kind_row(name, service(object, report), report, kind, servers)
}
