//! HTTP routers, services and middlewares.

use serde_json::{Map, Value};
use trafficcop_config::dynamic::Middleware;
use trafficcop_config::encode::to_json;
use trafficcop_snapshot::Snapshot;

use crate::objects::{Kind, Object};

/// The objects behind `/api/http/<kind>`.
pub(crate) fn objects(snapshot: &Snapshot, kind: &str) -> Option<Kind> {
    Some(match kind {
        "routers" => Kind { word: "router", objects: routers(snapshot) },
        "services" => Kind { word: "service", objects: services(snapshot) },
        "middlewares" => Kind { word: "middleware", objects: middlewares(snapshot) },
        _ => return None,
    })
}

pub(crate) fn routers(snapshot: &Snapshot) -> Vec<Object> {
    let report = &snapshot.report.http.routers;
    let routers = snapshot.merged.http.routers.iter();
    let show = |(name, router): (_, &trafficcop_merger::HttpRouter)| {
        let settings = to_json(&*router.object.settings);
        let mut object = Object::new(name, &settings, report.get(name), ("using", &router.object.used));
        priority(&mut object);
        object
    };
    routers.map(show).collect()
}

/// Lists show the priority as text as well: it may be more than a JavaScript number can hold.
pub(crate) fn priority(object: &mut Object) {
    if let Some(priority) = object.fields.get("priority").and_then(Value::as_i64) {
        object.extra.insert("priorityStr".into(), priority.to_string().into());
    }
}

pub(crate) fn services(snapshot: &Snapshot) -> Vec<Object> {
    let report = &snapshot.report.http.services;
    let services = snapshot.merged.http.services.iter();
    let show = |(name, service): (_, &trafficcop_merger::Object<trafficcop_config::dynamic::http::Service>)| {
        let settings = to_json(&*service.settings);
        let mut object = Object::new(name, &settings, report.get(name), ("usedBy", &service.used));
        kind(&mut object, &settings);
        object
    };
    services.map(show).collect()
}

/// The one section that says what it is, in lower case.
pub(crate) fn kind(object: &mut Object, settings: &Value) {
    let sections = settings.as_object().into_iter().flat_map(Map::keys);
    if let Some(kind) = sections.into_iter().find(|key| *key != "middlewares") {
        object.extra.insert("type".into(), kind.to_lowercase().into());
    }
}

pub(crate) fn middlewares(snapshot: &Snapshot) -> Vec<Object> {
    let report = &snapshot.report.http.middlewares;
    let middlewares = snapshot.merged.http.middlewares.iter();
    let show = |(name, middleware): (_, &trafficcop_merger::Object<Middleware>)| {
        let settings = settings(&middleware.settings);
        let mut object = Object::new(name, &settings, report.get(name), ("usedBy", &middleware.used));
        kind(&mut object, &settings);
        object
    };
    middlewares.map(show).collect()
}

/// The settings as their kind understands them, with defaults.
fn settings(middleware: &Middleware) -> Value {
    let show = |(name, settings): &(Box<str>, trafficcop_config::Node)| {
        let kind = trafficcop_middleware::find(name);
        let shown = kind.and_then(|kind| (kind.show)(settings).ok()).unwrap_or_else(|| to_json(settings));
        (kind.map_or_else(|| name.to_string(), |kind| kind.name.to_owned()), shown)
    };
    Value::Object(middleware.kinds.iter().map(show).collect())
}
