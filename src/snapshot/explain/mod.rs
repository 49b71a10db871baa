//! What a request would meet, and why: the winner, its chain and service, and what kept the others from winning.
//!
//! Asks the tables of the snapshot that serves traffic. It walks every route, so it belongs on the control plane.

mod causes;
mod question;
mod render;
mod services;
mod walk;

use trafficcop_config::Name;
use trafficcop_config::settings::Settings;
use trafficcop_router::{Head, canonical_host, routing_path};

use crate::{Entry, Snapshot};

pub use question::Question;

/// Most routers that are told of beside the winner.
const MAX_OTHERS: usize = 20;

/// What [`explain`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    pub entry_point: Option<String>,
    /// Of a TLS connection: the options that it would be made under.
    pub tls_options: Option<String>,
    pub winner: Option<Winner>,
    /// Routers that do not serve the request although they might have been meant to, and why.
    pub others: Vec<Other>,
    /// What is wrong beyond single routers.
    pub causes: Vec<String>,
}

/// The router that serves the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Winner {
    pub router: String,
    pub rule: String,
    pub priority: i64,
    /// Why it and not another.
    pub why: String,
    /// In their order, each with its kind.
    pub middlewares: Vec<String>,
    /// The routers below it that the request goes on to.
    pub children: Vec<String>,
    /// The service and what it comes to, a line each.
    pub service: Vec<String>,
}

/// A router that does not serve the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    pub router: String,
    pub why: String,
}

/// Answers a question about a snapshot; the settings are those it was built with.
pub fn explain(snapshot: &Snapshot, settings: &Settings, question: &Question) -> Result<Explanation, String> {
    let host = canonical_host(question.authority.as_bytes()).map_err(|error| format!("{error}: the answer is 400"))?;
    let path = routing_path(&question.path).map_err(|error| format!("{error}: the answer is 400"))?;
    let headers = question.headers.as_slice();
    let head = Head {
        method: &question.method,
        host: &host,
        cname: None,
        routing_path: &path,
        query: question.query.as_deref(),
        headers: &headers,
        client_ip: question.client_ip,
    };
    let mut found = Explanation::default();
    let entry = entry(snapshot, settings, question, &mut found);
    if let Some(entry) = entry {
        found.entry_point = Some(entry.name.to_string());
        if question.is_tls {
            let asked = question.sni.as_deref().unwrap_or(&host);
            let options = entry.tls_options.find(asked);
            found.tls_options = Some(options.to_owned());
            let of_host = entry.tls_options.find(&host);
            if asked != host && of_host != options {
                found.causes.push(format!(
                    "TLS options {options} hold for the server name {asked}, but {of_host} for the host {host}: the answer is 421"
                ));
            }
        }
    }
    let asked = walk::Asked { snapshot, question, head: &head, entry };
    found.winner = asked.winner();
    found.others = asked.others(found.winner.as_ref());
    found.others.truncate(MAX_OTHERS);
    causes::add(snapshot, &mut found);
    causes::resolver(snapshot, settings, &mut found);
    Ok(found)
}

/// The entry point that was named, or else the one that listens on the port.
fn entry<'a>(
    snapshot: &'a Snapshot,
    settings: &Settings,
    question: &Question,
    found: &mut Explanation,
) -> Option<&'a Entry> {
    let port = |address: &str| address.split('/').next()?.rsplit_once(':')?.1.parse::<u16>().ok();
    let points = || settings.entry_points.iter().filter(|(_, point)| !point.address.ends_with("/udp"));
    let name = match &question.entry_point {
        Some(name) => Some(name),
        None => points().find(|(_, point)| port(&point.address) == Some(question.port)).map(|(name, _)| name),
    };
    let entry = name.and_then(|name| snapshot.entry(name));
    if entry.is_none() {
        let known: Vec<_> = points().map(|(name, point)| format!("{name} {}", point.address)).collect();
        let what = match name {
            Some(name) => format!("there is no entry point {name}"),
            None => format!("no entry point listens on port {}", question.port),
        };
        found.causes.push(format!("{what}; there are: {}", known.join(", ")));
    }
    entry.map(|entry| &**entry)
}

/// The qualified name in `parent@x -> child@x`: that of the root.
fn root(path: &str) -> Name {
    Name::qualify(path.split(" -> ").next().unwrap_or(path), "")
}
