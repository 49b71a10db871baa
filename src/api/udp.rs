//! UDP routers and services.

use trafficcop_config::dynamic::udp;
use trafficcop_config::encode::to_json;
use trafficcop_snapshot::Snapshot;

use crate::http::kind;
use crate::objects::{Kind, Object};

/// The objects behind `/api/udp/<kind>`.
pub(crate) fn objects(snapshot: &Snapshot, kind: &str) -> Option<Kind> {
    Some(match kind {
        "routers" => Kind { word: "router", objects: routers(snapshot) },
        "services" => Kind { word: "service", objects: services(snapshot) },
        _ => return None,
    })
}

pub(crate) fn routers(snapshot: &Snapshot) -> Vec<Object> {
    let report = &snapshot.report.udp.routers;
    let show = |(name, router): (_, &trafficcop_merger::Object<udp::Router>)| {
        Object::new(name, &to_json(&*router.settings), report.get(name), ("using", &router.used))
    };
    snapshot.merged.udp.routers.iter().map(show).collect()
}

pub(crate) fn services(snapshot: &Snapshot) -> Vec<Object> {
    let report = &snapshot.report.udp.services;
    let show = |(name, service): (_, &trafficcop_merger::Object<udp::Service>)| {
        let settings = to_json(&*service.settings);
        let mut object = Object::new(name, &settings, report.get(name), ("usedBy", &service.used));
        kind(&mut object, &settings);
        object
    };
    snapshot.merged.udp.services.iter().map(show).collect()
}
