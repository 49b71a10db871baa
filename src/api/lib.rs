//! The read-only window: what the snapshot in force says of itself, in the shape that tools know from Traefik.
//!
//! Knows no provider and no socket; nothing can be changed through it. What must hold: the answers are those of Traefik
//! field by field (also in what they show of users and keys), so that dashboards and scripts made for it go on working;
//! and making an answer never holds up a worker. Our own additions are `/api/problems`: everything that is wrong, with its
//! place and what was probably meant; `/api/x/explain`: what a request would meet; `/api/x/providers`: how providers fare.

mod answer;
mod certificates;
mod dashboard;
mod entry_points;
mod explain;
mod http;
mod noop;
mod overview;
mod page;
mod ping;
mod problems;
mod providers;
mod raw;
mod resource;
mod tcp;
mod udp;
mod version;
mod window;

use std::sync::Arc;

use trafficcop_config::settings::Settings;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Method, Reason, Request, Response, Service, StatusCode};
use trafficcop_provider::States;
use trafficcop_snapshot::Snapshot;

use answer::Answer;
use page::Query;
use resource::Resource;

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
    states: States,
    version: String,
    /// Empty, or `/base` without a slash at its end.
    base: String,
}

impl Api {
    /// `window` is opened by whoever makes the [`Live`](trafficcop_snapshot::Live); until then there is nothing to see.
    pub fn new(settings: Arc<Settings>, window: Window, states: States) -> Self {
        let base = settings.api.as_ref().map_or("/", |api| api.base_path.as_str());
        let base = base.trim_end_matches('/').to_owned();
        let version = version::answer(&settings);
        Self { inner: Arc::new(Inner { settings, window, states, version, base }) }
    }
}

impl Service for Api {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        if let Some(response) = self.inner.dashboard(&req) {
            return Box::pin(std::future::ready(response));
        }
        let resource = match self.inner.resource(&req) {
            Ok(resource) => resource,
            Err(answer) => return Box::pin(std::future::ready(answer.into_response())),
        };
        let query = Query::read(req.target.query().unwrap_or(""));
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            // Thousands of objects take their time; that is no time of the worker's.
            let made = tokio::task::spawn_blocking(move || inner.show(&resource, &query)).await;
            made.unwrap_or(Answer::Status(StatusCode::INTERNAL_SERVER_ERROR)).into_response()
        })
    }
}

impl Inner {
    /// The dashboard's part of the paths, if it is wanted.
    fn dashboard(&self, req: &Request) -> Option<Response> {
        let path = req.target.path().strip_prefix(&self.base)?;
        let is_wanted = self.settings.api.as_ref().is_some_and(|api| api.dashboard);
        if is_wanted { dashboard::route(req, &self.base, path) } else { None }
    }

    /// What the request asks for, or the answer to a request that asks for nothing.
    fn resource(&self, req: &Request) -> Result<Resource, Answer> {
        let path = req.target.path().strip_prefix(&self.base).and_then(|path| path.strip_prefix("/api/"));
        let resource = path.and_then(Resource::at).ok_or(Answer::NotFound)?;
        if req.method == Method::GET { Ok(resource) } else { Err(Answer::Status(StatusCode::METHOD_NOT_ALLOWED)) }
    }

    fn show(&self, resource: &Resource, query: &Query) -> Answer {
        match self.window.look() {
            Some(snapshot) => self.show_snapshot(resource, &snapshot, query),
            None => Answer::Status(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    fn show_snapshot(&self, resource: &Resource, snapshot: &Snapshot, query: &Query) -> Answer {
        let settings = &self.settings;
        match resource {
            Resource::Version => Answer::Rendered(self.version.clone()),
            Resource::Overview => Answer::json(&overview::overview(settings, snapshot)),
            Resource::RawData => Answer::json(&raw::raw(snapshot)),
            Resource::Problems => Answer::json(&problems::problems(snapshot)),
            Resource::Providers => Answer::json(&providers::providers(&self.states)),
            Resource::Explain => explain::answer(snapshot, settings, query),
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
