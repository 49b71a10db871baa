//! Calls that change something: servers are drained and enabled, circuits closed, the level of the log is set. Ours; Traefik has none.
//!
//! Off unless `api.writes.token` is set. What must hold: whoever calls knows the token, which no page of another origin can make
//! a browser send; a header that needs a preflight, and an origin that is the host, close what is left of that way.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use trafficcop_config::Name;
use trafficcop_config::settings::Settings;
use trafficcop_exchange::{Request, StatusCode};
use trafficcop_snapshot::Snapshot;

use crate::answer::Answer;
use crate::breakers;
use crate::certificates::fingerprint;
use crate::page::Query;

/// What a call asks for, with its words still escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Server {
        service: String,
        drained: bool,
    },
    Backend {
        id: String,
        drained: bool,
    },
    /// The circuit breaker of that number.
    Reset {
        id: String,
    },
    Log,
}

impl Call {
    /// By the path below the base.
    pub(crate) fn at(path: &str) -> Option<Self> {
        let drained = |word: &str| match word {
            "drain" | "disable" => Some(true),
            "enable" => Some(false),
            _ => None,
        };
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["", "api", "x", "log"] => Some(Self::Log),
            ["", "api", "x", "services", service, word] => {
                let service = percent_decode_str(service).decode_utf8().ok()?.into_owned();
                Some(Self::Server { service, drained: drained(word)? })
            }
            ["", "api", "x", "circuit-breakers", id, "reset"] | ["", "admin", "circuit-breakers", id, "reset"] => {
                Some(Self::Reset { id: (*id).to_owned() })
            }
            ["", "admin", "backends", id, word] => {
                Some(Self::Backend { id: (*id).to_owned(), drained: drained(word)? })
            }
            _ => None,
        }
    }

    pub(crate) fn run(&self, snapshot: &Snapshot, query: &Query) -> Answer {
        match self {
            Self::Server { service, drained } => set(snapshot, service, query.get("server"), *drained),
            Self::Backend { id, drained } => {
                let found = backends(snapshot).into_iter().find(|backend| backend.id == *id);
                found.map_or_else(
                    || Answer::Message(StatusCode::NOT_FOUND, format!("backend not found: {id}")),
                    |backend| set(snapshot, &backend.service, &backend.url, *drained),
                )
            }
            Self::Reset { id } => breakers::reset(id),
            Self::Log => {
                let level = query.get("level");
                if trafficcop_observe::log::set_level(level) {
                    tracing::warn!("The level of the log is {level} now, by a call of the API.");
                    return Answer::json(&json!({ "level": level }));
                }
                let message = "level is one of TRACE, DEBUG, INFO, WARN, ERROR".to_owned();
                Answer::Message(StatusCode::BAD_REQUEST, message)
            }
        }
    }
}

/// Why a call is not made; None: it may be.
pub(crate) fn refusal(settings: &Settings, req: &Request) -> Option<Answer> {
    let token = settings.api.as_ref().and_then(|api| api.writes.as_ref()).map(|writes| writes.token.reveal());
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Some(Answer::Status(StatusCode::METHOD_NOT_ALLOWED));
    };
    let given = req.headers.get_str("Authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap_or("");
    if !bool::from(given.as_bytes().ct_eq(token.as_bytes())) {
        return Some(Answer::Message(StatusCode::UNAUTHORIZED, "the token is missing or wrong".to_owned()));
    }
    let of_host = |origin: &str| origin.split_once("://").is_some_and(|(_, host)| host == req.host_str());
    let is_own = req.headers.get_str("Origin").is_none_or(of_host);
    if !is_own || !req.headers.contains("X-TrafficCop-Action") {
        let message = "calls that change something carry the header X-TrafficCop-Action, and come from no other origin";
        return Some(Answer::Message(StatusCode::FORBIDDEN, message.to_owned()));
    }
    None
}

fn set(snapshot: &Snapshot, service: &str, url: &str, drained: bool) -> Answer {
    let report = snapshot.report.http.services.get(&Name::qualify(service, ""));
    let servers = report.and_then(|report| report.servers.as_ref());
    if !servers.is_some_and(|servers| servers.drain(url, drained)) {
        return Answer::Message(StatusCode::NOT_FOUND, format!("server not found: {url} of {service}"));
    }
    tracing::warn!(service, server = url, drained, "A call of the API drains a server, or enables it again.");
    Answer::json(&json!({ "service": service, "server": url, "drained": drained }))
}

struct Backend {
    id: String,
    service: String,
    url: String,
    is_up: bool,
    drained: bool,
}

fn backends(snapshot: &Snapshot) -> Vec<Backend> {
    let mut all = Vec::new();
    for (name, report) in &snapshot.report.http.services {
        let Some(servers) = &report.servers else { continue };
        let drained = servers.drained();
        for (url, is_up) in servers.status() {
            let mut id = fingerprint(format!("{name} {url}").as_bytes());
            id.truncate(16);
            let is_drained = drained.contains(&url);
            all.push(Backend { id, service: name.to_string(), url, is_up, drained: is_drained });
        }
    }
    all
}

/// `/api/x/servers` and `/admin/backends`.
pub(crate) fn servers(snapshot: &Snapshot) -> Value {
    let mut drained: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let all = backends(snapshot);
    for backend in all.iter().filter(|backend| backend.drained) {
        drained.entry(backend.service.clone()).or_default().push(backend.url.clone());
    }
    let shown = all.iter().map(|backend| {
        json!({
            "id": backend.id,
            "service": backend.service,
            "url": backend.url,
            "status": if backend.is_up { "UP" } else { "DOWN" },
            "drained": backend.drained,
        })
    });
    json!({ "drained": drained, "servers": shown.collect::<Vec<_>>() })
}

/// `/admin/health`: well while no server is down.
pub(crate) fn health(snapshot: &Snapshot) -> Value {
    let all = backends(snapshot);
    let up = all.iter().filter(|backend| backend.is_up).count();
    json!({
        "status": if up == all.len() { "healthy" } else if up > 0 { "degraded" } else { "unhealthy" },
        "backends": { "total": all.len(), "up": up, "drained": all.iter().filter(|backend| backend.drained).count() },
    })
}
