//! From labels to the typed configuration that they state, before anything automatic is added.

use trafficcop_config::dynamic::{Configuration, Middleware};
use trafficcop_config::read::labels::{DYNAMIC, read};
use trafficcop_config::suggest::nearest;
use trafficcop_config::{At, ConfigError, ConfigErrors, Node, Origin, Problem, Value};

use super::Workload;

/// What labels cannot state: whatever stands below is not even looked at. A star is any name.
const NOT_BY_LABELS: [&[&str]; 13] = [
    &["http", "serverstransports"],
    &["http", "models"],
    &["http", "routers", "*", "parentrefs"],
    &["http", "services", "*", "weighted"],
    &["http", "services", "*", "mirroring"],
    &["http", "services", "*", "failover"],
    &["http", "services", "*", "highestrandomweight"],
    &["tcp", "serverstransports"],
    &["tcp", "models"],
    &["tcp", "services", "*", "weighted"],
    &["udp", "services", "*", "weighted"],
    &["tls", "certificates"],
    &["tls", "options"],
];

/// The words that may follow `traefik.`, whoever reads them.
const ROOTS: [&str; 11] =
    ["enable", "http", "tcp", "udp", "tls", "docker", "swarm", "consulcatalog", "nomad", "ecs", "tags"];

pub(super) fn decode(
    workload: &Workload<'_>,
    check: &dyn Fn(&str, &At<Middleware>) -> Result<(), ConfigErrors>,
) -> Result<Configuration, ConfigErrors> {
    let pairs = workload.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let mut node = read(pairs, workload.owner, &DYNAMIC)?;
    for path in NOT_BY_LABELS {
        remove(&mut node, path);
    }
    let configuration: Configuration = node.decode()?;
    let mut errors = Vec::new();
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

fn remove(node: &mut Node, path: &[&str]) {
    let (Value::Map(entries), Some((step, deeper))) = (&mut node.value, path.split_first()) else { return };
    let meant = |name: &str| *step == "*" || name.eq_ignore_ascii_case(step);
    if deeper.is_empty() {
        entries.retain(|(name, _)| !meant(name));
    } else {
        entries.iter_mut().filter(|(name, _)| meant(name)).for_each(|(_, child)| remove(child, deeper));
    }
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
                hint: format!("the label is of Traefik 1; write traefik.http.routers.{0}.rule, traefik.http.services.{0}.loadbalancer.server.port", workload.name),
            },
            _ => Problem::UnknownField { field: root.to_owned(), nearest: nearest(root, ROOTS).map(str::to_owned) },
        };
        errors.push(ConfigError { at, path: root.to_owned(), problem });
    }
    errors
}
