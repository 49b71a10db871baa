//! The read-only window: what the snapshot in force says of itself, in the form that Traefik's API has.
//!
//! Knows neither providers nor sockets; nothing can be changed through it. Every answer is made from one snapshot.

mod answer;
mod dashboard;
mod entry_points;
mod http;
mod objects;
mod overview;
mod page;
mod ping;
mod tcp;
mod udp;
mod version;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use ::http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use trafficcop_config::settings::Settings;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Reason, Request, Response, Service, reply};
use trafficcop_snapshot::{Live, Snapshot};

use self::page::Query;

/// All internal services, for whoever builds snapshots.
pub struct Api {
    window: Arc<Window>,
    stopping: Arc<AtomicBool>,
}

/// What the services look at. There is no snapshot yet when they are made.
struct Window {
    settings: Arc<Settings>,
    live: OnceLock<Arc<Live>>,
    started: jiff::Timestamp,
    /// `/`, or the base path without a slash at its end.
    base_path: String,
}

impl Api {
    pub fn new(settings: &Arc<Settings>) -> Self {
        let base_path =
            settings.api.as_ref().map_or("/", |api| api.base_path.as_str()).trim_end_matches('/').to_owned();
        let window = Window {
            settings: Arc::clone(settings),
            live: OnceLock::new(),
            started: jiff::Timestamp::now(),
            base_path,
        };
        Self { window: Arc::new(window), stopping: Arc::default() }
    }

    /// From now on the answers come from `live`. Only the first call counts.
    pub fn watch(&self, live: &Arc<Live>) {
        let _already_watching = self.window.live.set(Arc::clone(live));
    }

    /// Set it when the process begins to stop: ping says so.
    pub fn stopping(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stopping)
    }

    /// By the local name that routers use: `api` for `api@internal`. Those exist that the settings ask for.
    pub fn services(&self) -> BTreeMap<String, Arc<dyn Service>> {
        let settings = &self.window.settings;
        let mut services: BTreeMap<String, Arc<dyn Service>> = BTreeMap::new();
        services.insert("noop".into(), Arc::new(Noop));
        if let Some(ping) = &settings.ping {
            services.insert("ping".into(), Arc::new(ping::Ping::new(ping, Arc::clone(&self.stopping))));
        }
        if let Some(api) = &settings.api {
            services
                .insert("api".into(), Arc::new(Tree { window: Arc::clone(&self.window), dashboard: api.dashboard }));
            if api.dashboard {
                services.insert("dashboard".into(), Arc::new(dashboard::Dashboard::new(&self.window.base_path)));
            }
        }
        services
    }
}

/// `noop@internal`: 418, for routers that only carry middlewares.
struct Noop;

impl Service for Noop {
    fn call<'a>(&'a self, _: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        Box::pin(std::future::ready(reply::empty(StatusCode::IM_A_TEAPOT)))
    }
}

/// `api@internal`.
struct Tree {
    window: Arc<Window>,
    dashboard: bool,
}

impl Service for Tree {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        let response = self.window.answer(&req).unwrap_or_else(|| {
            if self.dashboard { dashboard::answer(&self.window.base_path, &req) } else { reply::not_found() }
        });
        Box::pin(std::future::ready(response))
    }
}

impl Window {
    /// None when the path is none of the API's.
    fn answer(&self, req: &Request) -> Option<Response> {
        let path = req.target.path().strip_prefix(self.base_path.as_str())?.strip_prefix("/api/")?;
        let live = self.live.get()?.current(0);
        let snapshot: &Snapshot = &live;
        let query = Query::parse(req.target.query().unwrap_or(""));
        let segments: Vec<String> = path.splitn(3, '/').map(decoded).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let response = match segments.as_slice() {
            ["rawdata"] => answer::json(&raw_data(snapshot)),
            ["overview"] => answer::json(&overview::overview(snapshot, &self.settings)),
            ["version"] => version::answer(self.started),
            ["entrypoints"] => page::list(entry_points::all(&self.settings), &query),
            ["entrypoints", name] => answer::one(entry_points::one(&self.settings, name), "entry point", name),
            ["http", kind, rest @ ..] => objects::answer(http::objects(snapshot, kind)?, rest, &query),
            ["tcp", kind, rest @ ..] => objects::answer(tcp::objects(snapshot, kind)?, rest, &query),
            ["udp", kind, rest @ ..] => objects::answer(udp::objects(snapshot, kind)?, rest, &query),
            _ => return None,
        };
        // Known paths answer GET only (HEAD is GET without its body).
        let allowed = req.method == Method::GET || req.method == Method::HEAD;
        Some(if allowed { response } else { reply::empty(StatusCode::METHOD_NOT_ALLOWED) })
    }
}

/// An id may hold escaped slashes.
fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// Everything at once, by name.
fn raw_data(snapshot: &Snapshot) -> Value {
    let mut whole = Map::new();
    for (key, objects) in [
        ("routers", http::routers(snapshot)),
        ("middlewares", http::middlewares(snapshot)),
        ("services", http::services(snapshot)),
        ("tcpRouters", tcp::routers(snapshot)),
        ("tcpMiddlewares", tcp::middlewares(snapshot)),
        ("tcpServices", tcp::services(snapshot)),
        ("udpRouters", udp::routers(snapshot)),
        ("udpServices", udp::services(snapshot)),
    ] {
        let objects: Map<_, _> = objects.into_iter().map(|object| (object.name.to_string(), object.raw())).collect();
        if !objects.is_empty() {
            whole.insert(key.into(), objects.into());
        }
    }
    json!(whole)
}
