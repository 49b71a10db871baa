//! The read-only window: what the snapshot in force says of itself, in the shape that tools know from Traefik.
//!
//! Knows no provider and no socket; nothing can be changed through it but caches that allow it,
//! which can be emptied, and what `api.writes` allows. What must hold: the answers are those of Traefik
//! field by field (also in what they show of users and keys), so that dashboards and scripts made for it go on working;
//! and making an answer never holds up a worker. Our own additions are `/api/problems`: everything that is wrong, with its
//! place and what was probably meant; `/api/x/explain`: what a request would meet; `/api/x/providers`: how providers fare;
//! `/api/x/cache`: what caches hold; `/api/x/circuit-breakers`: how they stand; and what the dashboard shows beside that (`/api/x/traffic`, `/api/x/tail`, `/api/x/events`).

mod answer;
mod breakers;
mod caches;
mod certificates;
mod dashboard;
mod entry_points;
mod events;
mod explain;
mod http;
mod noop;
mod orders;
mod overview;
mod page;
mod ping;
mod problems;
mod providers;
mod raw;
mod resource;
mod support;
mod tcp;
mod traffic;
mod udp;
mod version;
mod window;
mod writes;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use trafficcop_config::settings::Settings;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Method, Reason, Request, Response, Service, StatusCode};
use trafficcop_observe::{Pulse, Tail};
use trafficcop_provider::States;
use trafficcop_snapshot::Snapshot;

use answer::Answer;
use page::Query;
use resource::Resource;
use writes::Call;

pub use certificates::{CertificateEnd, certificate_ends};
pub use dashboard::Dashboard;
pub use noop::Noop;
pub use ping::Ping;
pub use window::{View, Window};

/// `api@internal`.
pub struct Api {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Arc<Settings>,
    window: Window,
    version: String,
    /// Empty, or `/base` without a slash at its end.
    base: String,
    dashboard: Option<Dashboard>,
    extras: Extras,
    /// How many are told news.
    listeners: Arc<AtomicUsize>,
}

/// What the API shows beside the snapshot. What is None is not there.
#[derive(Clone, Default)]
pub struct Extras {
    /// How providers fare.
    pub states: States,
    pub pulse: Option<Arc<Pulse>>,
    pub tail: Option<Arc<Tail>>,
    /// Set when the process is stopping: whoever is told news must go.
    pub stopping: Arc<AtomicBool>,
}

impl Api {
    /// `window` is opened by whoever makes the [`Live`](trafficcop_snapshot::Live); until then there is nothing to see.
    pub fn new(settings: Arc<Settings>, window: Window, extras: Extras) -> Self {
        let base = settings.api.as_ref().map_or("/", |api| api.base_path.as_str());
        let base = base.trim_end_matches('/').to_owned();
        let version = version::answer(&settings);
        let is_wanted = settings.api.as_ref().is_some_and(|api| api.dashboard);
        let dashboard = is_wanted.then(|| Dashboard::new(&settings));
        let listeners = Arc::default();
        Self { inner: Arc::new(Inner { settings, window, version, base, dashboard, extras, listeners }) }
    }
}

impl Service for Api {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        if let Some(response) = self.inner.dashboard(&req) {
            return Box::pin(std::future::ready(response));
        }
        if let Some(call) = self.inner.call(&req) {
            return self.run(&call, &req);
        }
        let resource = match self.inner.resource(&req) {
            Ok(resource) => resource,
            Err(answer) => return Box::pin(std::future::ready(answer.into_response())),
        };
        let query = Query::read(req.target.query().unwrap_or(""));
        if resource == Resource::Events {
            return Box::pin(std::future::ready(events::answer(&self.inner, &query)));
        }
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            // Thousands of objects take their time; that is no time of the worker's.
            let made = tokio::task::spawn_blocking(move || inner.show(&resource, &query)).await;
            made.unwrap_or(Answer::Status(StatusCode::INTERNAL_SERVER_ERROR)).into_response()
        })
    }
}

impl Api {
    /// Makes a call that changes something, if whoever calls may.
    fn run(&self, call: &Call, req: &Request) -> LocalBoxFuture<'static, Response> {
        let answer = writes::refusal(&self.inner.settings, req).unwrap_or_else(|| {
            let query = Query::read(req.target.query().unwrap_or(""));
            let snapshot = self.inner.window.look();
            snapshot.map_or(Answer::Status(StatusCode::SERVICE_UNAVAILABLE), |snapshot| call.run(&snapshot, &query))
        });
        Box::pin(std::future::ready(answer.into_response()))
    }
}

impl Inner {
    fn allows_writes(&self) -> bool {
        self.settings.api.as_ref().is_some_and(|api| api.writes.is_some())
    }

    /// The call that a request makes; none where nobody may make any.
    fn call(&self, req: &Request) -> Option<Call> {
        let path = req.target.path().strip_prefix(&self.base)?;
        (req.method == Method::POST && self.allows_writes()).then(|| Call::at(path)).flatten()
    }

    /// The dashboard's part of the paths, if it is wanted.
    fn dashboard(&self, req: &Request) -> Option<Response> {
        let path = req.target.path().strip_prefix(&self.base)?;
        self.dashboard.as_ref()?.route(req, &self.base, path)
    }

    /// Other names for what is below `/api/x/`, where calls are allowed.
    fn admin(&self, req: &Request) -> Option<Resource> {
        match req.target.path().strip_prefix(&self.base).filter(|_| self.allows_writes())? {
            "/admin/health" => Some(Resource::AdminHealth),
            "/admin/backends" => Some(Resource::Servers),
            "/admin/circuit-breakers" => Some(Resource::Breakers),
            _ => None,
        }
    }

    /// What the request asks for, or the answer to a request that asks for nothing.
    fn resource(&self, req: &Request) -> Result<Resource, Answer> {
        let path = req.target.path().strip_prefix(&self.base).and_then(|path| path.strip_prefix("/api/"));
        let resource = path.and_then(Resource::at).or_else(|| self.admin(req)).ok_or(Answer::NotFound)?;
        match req.method {
            Method::GET => Ok(resource),
            Method::DELETE if resource == Resource::Caches => {
                Err(caches::purge(&Query::read(req.target.query().unwrap_or(""))))
            }
            _ => Err(Answer::Status(StatusCode::METHOD_NOT_ALLOWED)),
        }
    }

    fn show(&self, resource: &Resource, query: &Query) -> Answer {
        match self.window.look() {
            Some(snapshot) => self.show_snapshot(resource, &snapshot, query),
            None => Answer::Status(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// Which of our own parts there are, so that nobody need ask in vain.
    fn features(&self) -> serde_json::Value {
        serde_json::json!({
            "traffic": self.extras.pulse.is_some(),
            "tail": self.extras.tail.is_some(),
            "writes": self.allows_writes(),
        })
    }

    fn show_snapshot(&self, resource: &Resource, snapshot: &Snapshot, query: &Query) -> Answer {
        let settings = &self.settings;
        match resource {
            Resource::Version => Answer::Rendered(self.version.clone()),
            Resource::Overview => Answer::json(&overview::overview(settings, snapshot)),
            Resource::RawData => Answer::json(&raw::raw(snapshot)),
            Resource::SupportDump => support::dump(settings, snapshot, &self.version),
            Resource::Servers => Answer::json(&writes::servers(snapshot)),
            Resource::AdminHealth => Answer::json(&writes::health(snapshot)),
            Resource::Features => Answer::json(&self.features()),
            Resource::Traffic => {
                self.extras.pulse.as_ref().map_or(Answer::NotFound, |it| Answer::json(&traffic::traffic(it)))
            }
            Resource::Tail => self.extras.tail.as_ref().map_or(Answer::NotFound, |it| traffic::tail(it, query)),
            // Answered before, on the worker.
            Resource::Events => Answer::NotFound,
            Resource::Problems => Answer::json(&problems::problems(snapshot)),
            Resource::Providers => Answer::json(&providers::providers(&self.extras.states)),
            Resource::Explain => explain::answer(snapshot, settings, &self.extras.states, query),
            Resource::Orders => Answer::json(&orders::orders(&self.extras.states)),
            Resource::Caches => caches::list(),
            Resource::Breakers => breakers::list(),
            Resource::Certificates => certificates::list(snapshot, query),
            Resource::Certificate(name) => one("certificate", name, |name| certificates::one(snapshot, name)),
            Resource::EntryPoints => page::list(entry_points::all(settings), query),
            Resource::EntryPoint(name) => one("entry point", name, |name| entry_points::one(settings, name)),
            Resource::Objects(protocol, section) => page::list_rows(*section, protocol.rows(*section, snapshot), query),
            Resource::Object(protocol, section, name) => {
                one(section.singular(), name, |name| protocol.one(*section, snapshot, name))
            }
        }
    }
}

/// One object by its name, which stands in the path in escaped form.
fn one(what: &str, escaped: &str, find: impl FnOnce(&str) -> Option<serde_json::Value>) -> Answer {
    let Ok(name) = percent_encoding::percent_decode_str(escaped).decode_utf8() else {
        let field = format!("{}ID", what.replace("y p", "yP"));
        return Answer::Message(StatusCode::BAD_REQUEST, format!("unable to decode {field} {escaped:?}"));
    };
    match find(&name) {
        Some(object) => Answer::json(&object),
        None => Answer::Message(StatusCode::NOT_FOUND, format!("{what} not found: {name}")),
    }
}

#[cfg(test)]
mod tests;
