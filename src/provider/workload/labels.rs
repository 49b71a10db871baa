//! From labels to the typed configuration that they state, before anything automatic is added.

use trafficcop_config::dynamic::Configuration;
use trafficcop_config::read::labels::{DYNAMIC, read};
use trafficcop_config::suggest::nearest;
use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem};

use super::{Check, Workload};

/// The words that may follow `traefik.`, whoever reads them.
const ROOTS: [&str; 11] =
    ["enable", "http", "tcp", "udp", "tls", "docker", "swarm", "consulcatalog", "nomad", "ecs", "tags"];

pub(super) fn decode(workload: &Workload<'_>, check: Check<'_>) -> Result<Configuration, ConfigErrors> {
    let pairs = workload.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let configuration: Configuration = read(pairs, workload.owner, &DYNAMIC)?.decode()?;
    let mut errors = bare_sections(workload);
    let http = configuration.http.iter().flat_map(|http| &http.middlewares);
    for (name, middleware) in http {
        errors.extend(check(&format!("http.middlewares.{name}"), middleware).err().unwrap_or_default().0);
    }
    let tcp = configuration.tcp.iter().flat_map(|tcp| &tcp.middlewares);
    for (name, middleware) in tcp {
        errors.extend(check(&format!("tcp.middlewares.{name}"), middleware).err().unwrap_or_default().0);
    }
    if errors.is_empty() { Ok(configuration) } else { Err(ConfigErrors(errors)) }
}

/// `traefik.http=true` switches nothing on: these sections have no meaning of their own.
fn bare_sections(workload: &Workload<'_>) -> Vec<ConfigError> {
    let bare = |label: &&String| {
        label
            .strip_prefix("traefik.")
            .is_some_and(|rest| ["http", "tcp", "udp"].iter().any(|it| rest.eq_ignore_ascii_case(it)))
    };
    let error = |label: &String| {
        let at = Origin::Label { owner: workload.owner.into(), label: label.as_str().into() };
        let message = format!("{label} cannot be a standalone element");
        ConfigError { at, path: String::new(), problem: Problem::Other { message } }
    };
    workload.labels.keys().filter(bare).map(error).collect()
}

/// Labels below `traefik.` that nobody reads. Traefik passes over them without a word, so they are worth one.
pub(super) fn unknown_roots(workload: &Workload<'_>) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    for label in workload.labels.keys() {
        let Some(rest) = label.strip_prefix("traefik.") else { continue };
        let root = rest.split(['.', '[']).next().unwrap_or(rest);
        if ROOTS.iter().any(|known| root.eq_ignore_ascii_case(known)) {
            continue;
        }
        let at = Origin::Label { owner: workload.owner.into(), label: label.as_str().into() };
        let problem = match root.to_ascii_lowercase().as_str() {
            "frontend" | "backend" | "port" | "weight" | "protocol" | "domain" => Problem::Removed {
                hint: format!(
                    "the label is of Traefik 1; write traefik.http.routers.{0}.rule, traefik.http.services.{0}.loadbalancer.server.port",
                    workload.name
                ),
            },
            // People put words of their own here, for constraints say, so only what is very near is taken for a mistake.
            word => match nearest(word, ROOTS).filter(|near| near.len().abs_diff(word.len()) <= 2) {
                Some(near) => Problem::UnknownField { field: root.to_owned(), nearest: Some(near.to_owned()) },
                None => continue,
            },
        };
        errors.push(ConfigError { at, path: root.to_owned(), problem });
    }
    errors
}
