//! TCP routers, services and middlewares.

use serde_json::Value;
use trafficcop_config::dynamic::{Middleware, tcp};
use trafficcop_config::encode::to_json;
use trafficcop_snapshot::Snapshot;

use crate::http::{kind, priority};
use crate::objects::{Kind, Object};

/// The objects behind `/api/tcp/<kind>`.
pub(crate) fn objects(snapshot: &Snapshot, kind: &str) -> Option<Kind> {
    Some(match kind {
        "routers" => Kind { word: "router", objects: routers(snapshot) },
        "services" => Kind { word: "service", objects: services(snapshot) },
        "middlewares" => Kind { word: "middleware", objects: middlewares(snapshot) },
        _ => return None,
    })
}

pub(crate) fn routers(snapshot: &Snapshot) -> Vec<Object> {
    let report = &snapshot.report.tcp.routers;
    let show = |(name, router): (_, &trafficcop_merger::Object<tcp::Router>)| {
        let mut object = Object::new(name, &to_json(&*router.settings), report.get(name), ("using", &router.used));
        priority(&mut object);
        object
    };
    snapshot.merged.tcp.routers.iter().map(show).collect()
}

pub(crate) fn services(snapshot: &Snapshot) -> Vec<Object> {
    let report = &snapshot.report.tcp.services;
    let show = |(name, service): (_, &trafficcop_merger::Object<tcp::Service>)| {
        let settings = to_json(&*service.settings);
        let mut object = Object::new(name, &settings, report.get(name), ("usedBy", &service.used));
        kind(&mut object, &settings);
        object
    };
    snapshot.merged.tcp.services.iter().map(show).collect()
}

pub(crate) fn middlewares(snapshot: &Snapshot) -> Vec<Object> {
    let report = &snapshot.report.tcp.middlewares;
    let show = |(name, middleware): (_, &trafficcop_merger::Object<Middleware>)| {
        let shown = |(name, settings): &(Box<str>, trafficcop_config::Node)| (name.to_string(), to_json(settings));
        let settings = Value::Object(middleware.settings.kinds.iter().map(shown).collect());
        let mut object = Object::new(name, &settings, report.get(name), ("usedBy", &middleware.used));
        kind(&mut object, &settings);
        object
    };
    snapshot.merged.tcp.middlewares.iter().map(show).collect()
}
