//! The read-only window: what the snapshot in force says of itself, in the shape that tools know from Traefik.
//!
//! Knows no provider and no socket; nothing can be changed through it. What must hold: secrets never leave, and the
//! answers are those of Traefik field by field, so that dashboards and scripts made for it go on working. Our own
//! addition is `/api/problems`: everything that is wrong, with its place and what was probably meant.

mod answer;
mod dashboard;
mod entry_points;
mod http;
mod noop;
mod overview;
mod page;
mod ping;
mod problems;
mod raw;
mod tcp;
mod udp;
mod version;
mod window;

use std::sync::Arc;

use trafficcop_config::settings::Settings;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Method, Reason, Request, Response, Service, StatusCode, reply};
use trafficcop_snapshot::Snapshot;

use answer::{json, message};
use page::Query;

pub use dashboard::Dashboard;
pub use noop::Noop;
pub use ping::Ping;
pub use window::Window;

/// `api@internal`.
pub struct Api {
    settings: Arc<Settings>,
    window: Window,
    version: String,
    /// `/`, or `/base` without a slash at its end.
    base: String,
}

impl Api {
    /// `window` is opened by whoever makes the [`Live`](trafficcop_snapshot::Live); until then there is nothing to see.
    pub fn new(settings: Arc<Settings>, window: Window) -> Self {
        let base = settings.api.as_ref().map_or("/", |api| api.base_path.as_str());
        let base = base.trim_end_matches('/').to_owned();
        let version = version::answer(&settings);
        Self { settings, window, version, base }
    }

    fn answer(&self, req: &Request) -> Response {
        let Some(path) = req.target.path().strip_prefix(&self.base) else { return reply::not_found() };
        let has_dashboard = self.settings.api.as_ref().is_some_and(|api| api.dashboard);
        if has_dashboard && let Some(response) = dashboard::route(req, &self.base, path) {
            return response;
        }
        let Some(path) = path.strip_prefix("/api/") else { return reply::not_found() };
        let Some(resource) = Resource::at(path) else { return reply::not_found() };
        if req.method != Method::GET {
            return reply::empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let Some(snapshot) = self.window.look() else { return reply::status_text(StatusCode::SERVICE_UNAVAILABLE) };
        let query = Query::read(req.target.query().unwrap_or(""));
        self.show(&resource, &snapshot, &query)
    }

    fn show(&self, resource: &Resource<'_>, snapshot: &Snapshot, query: &Query) -> Response {
        let settings = &self.settings;
        match *resource {
            Resource::Version => answer::rendered(&self.version),
            Resource::Overview => json(&overview::overview(settings, snapshot)),
            Resource::RawData => json(&raw::raw(snapshot)),
            Resource::Problems => json(&problems::problems(snapshot)),
            Resource::EntryPoints => page::list(entry_points::all(settings), query),
            Resource::EntryPoint(name) => one("entry point", name, |name| entry_points::one(settings, name)),
            Resource::Objects(protocol, section) => protocol.list(section, snapshot, query),
            Resource::Object(protocol, section, name) => {
                one(section.singular(), name, |name| protocol.one(section, snapshot, name))
            }
        }
    }
}

impl Service for Api {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        Box::pin(std::future::ready(self.answer(&req)))
    }
}

/// One object by its name, which stands in the path in escaped form.
fn one(what: &str, escaped: &str, find: impl FnOnce(&str) -> Option<serde_json::Value>) -> Response {
    let Ok(name) = percent_encoding::percent_decode_str(escaped).decode_utf8() else {
        let field = format!("{}ID", what.replace(" p", "P"));
        return message(StatusCode::BAD_REQUEST, &format!("unable to decode {field} {escaped:?}"));
    };
    match find(&name) {
        Some(object) => json(&object),
        None => message(StatusCode::NOT_FOUND, &format!("{what} not found: {name}")),
    }
}

/// What a path below `/api/` names.
enum Resource<'a> {
    Version,
    Overview,
    RawData,
    Problems,
    EntryPoints,
    EntryPoint(&'a str),
    Objects(Protocol, Section),
    Object(Protocol, Section, &'a str),
}

impl<'a> Resource<'a> {
    fn at(path: &'a str) -> Option<Self> {
        let mut parts = path.split('/');
        let resource = match (parts.next()?, parts.next(), parts.next()) {
            ("version", None, _) => Self::Version,
            ("overview", None, _) => Self::Overview,
            ("rawdata", None, _) => Self::RawData,
            ("problems", None, _) => Self::Problems,
            ("entrypoints", None, _) => Self::EntryPoints,
            ("entrypoints", Some(name), None) if !name.is_empty() => Self::EntryPoint(name),
            (protocol, Some(section), None) => Self::Objects(Protocol::named(protocol)?, Section::named(section)?),
            (protocol, Some(section), Some(name)) if !name.is_empty() => {
                Self::Object(Protocol::named(protocol)?, Section::named(section)?, name)
            }
            _ => return None,
        };
        let exists = !matches!(
            resource,
            Self::Objects(Protocol::Udp, Section::Middlewares) | Self::Object(Protocol::Udp, Section::Middlewares, _)
        );
        (exists && parts.next().is_none()).then_some(resource)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Protocol {
    Http,
    Tcp,
    Udp,
}

impl Protocol {
    fn named(name: &str) -> Option<Self> {
        match name {
            "http" => Some(Self::Http),
            "tcp" => Some(Self::Tcp),
            "udp" => Some(Self::Udp),
            _ => None,
        }
    }

    fn list(self, section: Section, snapshot: &Snapshot, query: &Query) -> Response {
        let rows = match self {
            Self::Http => http::rows(section, snapshot),
            Self::Tcp => tcp::rows(section, snapshot),
            Self::Udp => udp::rows(section, snapshot),
        };
        page::list_rows(section, rows, query)
    }

    fn one(self, section: Section, snapshot: &Snapshot, name: &str) -> Option<serde_json::Value> {
        match self {
            Self::Http => http::one(section, snapshot, name),
            Self::Tcp => tcp::one(section, snapshot, name),
            Self::Udp => udp::one(section, snapshot, name),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Section {
    Routers,
    Services,
    Middlewares,
}

impl Section {
    fn named(name: &str) -> Option<Self> {
        match name {
            "routers" => Some(Self::Routers),
            "services" => Some(Self::Services),
            "middlewares" => Some(Self::Middlewares),
            _ => None,
        }
    }

    fn singular(self) -> &'static str {
        match self {
            Self::Routers => "router",
            Self::Services => "service",
            Self::Middlewares => "middleware",
        }
    }
}

#[cfg(test)]
mod tests;
