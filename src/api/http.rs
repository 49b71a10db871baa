//! HTTP routers, services and middlewares as the API shows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};
use trafficcop_config::dynamic::Middleware;
use trafficcop_config::dynamic::http::{RouterObservability, Service, Sticky};
use trafficcop_config::{At, Name};
use trafficcop_merger::{HttpRouter, Object};
use trafficcop_middleware as middleware;
use trafficcop_router::default_priority;
use trafficcop_snapshot::{ObjectReport, Snapshot};

use crate::page::Row;
use crate::resource::Section;

/// Every object of a section.
pub(crate) fn rows(section: Section, snapshot: &Snapshot) -> Vec<Row> {
    let (merged, report) = (&snapshot.merged.http, &snapshot.report.http);
    match section {
        Section::Routers => {
            merged.routers.iter().map(|(name, router)| router_row(name, router, report.routers.get(name))).collect()
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
    let (merged, report) = (&snapshot.merged.http, &snapshot.report.http);
    let name = &full_name(name)?;
    let row = match section {
        Section::Routers => router_row(name, merged.routers.get(name)?, report.routers.get(name)),
        Section::Services => service_row(name, merged.services.get(name)?, report.services.get(name)),
        Section::Middlewares => middleware_row(name, merged.middlewares.get(name)?, report.middlewares.get(name)),
    };
    Some(row.shown)
}

/// A name as it stands in a path; what names no provider names nothing.
pub(crate) fn full_name(name: &str) -> Option<Name> {
    name.contains('@').then(|| Name::qualify(name, ""))
}

/// The settings as an object.
pub(crate) fn object(settings: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// What is common to all objects: errors, status, and who uses what.
pub(crate) fn state(shown: &mut Map<String, Value>, report: &ObjectReport, users: &str, used: &[Arc<str>]) {
    let errors: Vec<_> = (report.notes.iter())
        .filter(|note| !note.message.is_empty())
        .map(|note| Value::from(note.message.as_str()))
        .collect();
    if !errors.is_empty() {
        shown.insert("error".to_owned(), Value::Array(errors));
    }
    shown.insert("status".to_owned(), json!(report.status().name()));
    if !used.is_empty() {
        shown.insert(users.to_owned(), json!(used));
    }
}

/// Name and provider, which lists show and raw data do not.
pub(crate) fn named(shown: &mut Map<String, Value>, name: &Name) {
    shown.insert("name".to_owned(), json!(name.as_str()));
    shown.insert("provider".to_owned(), json!(name.provider()));
}

/// A router as raw data shows it.
pub(crate) fn router(name: &Name, router: &HttpRouter, report: Option<&ObjectReport>) -> Map<String, Value> {
    let report = &report.cloned().unwrap_or_default();
    let settings = &router.object.settings.value;
    let mut shown = object(settings);
    if settings.parent_refs.is_empty() {
        let observed = observed(settings.observability.clone().unwrap_or_default());
        shown.insert("observability".to_owned(), json!(observed));
    }
    if !report.is_untouched {
        if settings.priority == 0 && !settings.rule.is_empty() {
            shown.insert("priority".to_owned(), json!(default_priority(&settings.rule)));
        }
        if !settings.middlewares.is_empty() {
            shown.insert("middlewares".to_owned(), json!(qualified(&settings.middlewares, name)));
        }
    }
    state(&mut shown, report, "using", &router.object.used);
    shown
}

/// What holds where nothing else is said.
fn observed(asked: RouterObservability) -> RouterObservability {
    let trace_verbosity = if asked.trace_verbosity.is_empty() { "minimal".to_owned() } else { asked.trace_verbosity };
    RouterObservability {
        access_logs: asked.access_logs.or(Some(true)),
        metrics: asked.metrics.or(Some(true)),
        tracing: asked.tracing.or(Some(true)),
        trace_verbosity,
    }
}

pub(crate) fn qualified(names: &[String], owner: &Name) -> Vec<String> {
    names.iter().map(|name| Name::qualify(name, owner.provider()).to_string()).collect()
}

fn router_row(name: &Name, object: &HttpRouter, report: Option<&ObjectReport>) -> Row {
    let mut shown = router(name, object, report);
    if let Some(Value::Object(tls)) = shown.get_mut("tls") {
        tls.entry("options").or_insert_with(|| json!("default"));
    }
    named(&mut shown, name);
    router_details(name, report, shown)
}

/// A row made from what it shows.
pub(crate) fn router_details(name: &Name, report: Option<&ObjectReport>, mut shown: Map<String, Value>) -> Row {
    let priority = shown.get("priority").and_then(Value::as_i64).unwrap_or(0);
    shown.insert("priorityStr".to_owned(), json!(priority.to_string()));
    let text = |field: &str| shown.get(field).and_then(Value::as_str).unwrap_or("").to_owned();
    let list = |field: &str| shown.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    Row {
        name: name.to_string(),
        provider: name.provider().to_owned(),
        status: report.map(ObjectReport::status).unwrap_or_default().name(),
        rule: text("rule"),
        service: text("service"),
        middlewares: list("middlewares").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        priority,
        entry_points: list("entryPoints").len(),
        shown: Value::Object(shown),
        ..Row::default()
    }
}

/// A service as raw data shows it.
pub(crate) fn service(name: &Name, service: &Object<Service>, report: Option<&ObjectReport>) -> Map<String, Value> {
    let report = &report.cloned().unwrap_or_default();
    let mut settings = service.settings.value.clone();
    if let Some(load_balancer) =
        settings.load_balancer.as_mut().filter(|_| !service.used.is_empty() || report.servers.is_some())
    {
        name_cookie(load_balancer.sticky.as_mut(), name);
        let transport = &mut load_balancer.servers_transport;
        if !transport.is_empty() {
            *transport = Name::qualify(transport, name.provider()).to_string();
        }
    }
    if let Some(weighted) = settings.weighted.as_mut().filter(|_| !service.used.is_empty()) {
        name_cookie(weighted.sticky.as_mut(), name);
    }
    let mut shown = object(&settings);
    state(&mut shown, report, "usedBy", &service.used);
    server_status(&mut shown, report);
    shown
}

pub(crate) fn server_status(shown: &mut Map<String, Value>, report: &ObjectReport) {
    let status: BTreeMap<String, &str> = (report.servers.iter())
        .flat_map(|servers| servers.status())
        .map(|(server, is_up)| (server, if is_up { "UP" } else { "DOWN" }))
        .collect();
    if !status.is_empty() {
        shown.insert("serverStatus".to_owned(), json!(status));
    }
}

fn name_cookie(sticky: Option<&mut Sticky>, service: &Name) {
    if let Some(cookie) = sticky.and_then(|sticky| sticky.cookie.as_mut()) {
        cookie.name = trafficcop_balancer::sticky::cookie_name(&cookie.name, service.as_str());
    }
}

fn service_row(name: &Name, object: &Object<Service>, report: Option<&ObjectReport>) -> Row {
    let settings = &object.settings.value;
    let kinds = [
        ("loadbalancer", settings.load_balancer.is_some()),
        ("highestrandomweight", settings.highest_random_weight.is_some()),
        ("weighted", settings.weighted.is_some()),
        ("mirroring", settings.mirroring.is_some()),
        ("failover", settings.failover.is_some()),
        ("static", settings.static_files.is_some()),
    ];
    let kind = kinds.iter().find(|(_, is_set)| *is_set).map_or("", |(kind, _)| kind);
    let servers = settings.load_balancer.as_ref().map_or(0, |load_balancer| load_balancer.servers.len());
    kind_row(name, service(name, object, report), report, kind, servers)
}

/// A row of a service or middleware.
pub(crate) fn kind_row(
    name: &Name,
    mut shown: Map<String, Value>,
    report: Option<&ObjectReport>,
    kind: &str,
    servers: usize,
) -> Row {
    named(&mut shown, name);
    if !kind.is_empty() {
        shown.insert("type".to_owned(), json!(kind));
    }
    Row {
        name: name.to_string(),
        provider: name.provider().to_owned(),
        status: report.map(ObjectReport::status).unwrap_or_default().name(),
        kind: kind.to_owned(),
        servers,
        shown: Value::Object(shown),
        ..Row::default()
    }
}

/// A middleware as raw data shows it: its kind shows itself, without its secrets.
pub(crate) fn middleware(
    name: &Name,
    object: &Object<Middleware>,
    report: Option<&ObjectReport>,
) -> Map<String, Value> {
    let mut shown = Map::new();
    let At { value: settings, .. } = &*object.settings;
    for (kind, settings) in &settings.kinds {
        let known = middleware::find(kind);
        let value = known.and_then(|known| (known.show)(settings).ok());
        let kind = known.map_or(&**kind, |known| known.name);
        let mut value = value.unwrap_or_else(|| json!(settings));
        if let Some(Value::Array(members)) = value.get_mut("middlewares").filter(|_| kind == "chain") {
            for member in members {
                let full = member.as_str().map(|member| Name::qualify(member, name.provider()));
                *member = full.map_or(Value::Null, |full| json!(full.as_str()));
            }
        }
        shown.insert(kind.to_owned(), value);
    }
    state(&mut shown, &report.cloned().unwrap_or_default(), "usedBy", &object.used);
    shown
}

fn middleware_row(name: &Name, object: &Object<Middleware>, report: Option<&ObjectReport>) -> Row {
    let kind = kind_of(&object.settings);
    kind_row(name, middleware(name, object, report), report, &kind, 0)
}

/// The kind that lists show: of several the first by name; of a plugin the plugin's own name.
pub(crate) fn kind_of(settings: &Middleware) -> String {
    let Some((kind, settings)) = settings.kinds.iter().min_by_key(|(kind, _)| kind.to_lowercase()) else {
        return String::new();
    };
    match &settings.value {
        trafficcop_config::Value::Map(plugins) if kind.eq_ignore_ascii_case("plugin") && plugins.len() == 1 => {
            plugins[0].0.to_lowercase()
        }
        _ => kind.to_lowercase(),
    }
}
