//! What a service comes to: down to its servers and whether they are up.

use trafficcop_config::Name;
use trafficcop_config::dynamic::http::Service;

use crate::Snapshot;

/// How deep services are followed; a circle is reported where it is built.
const MAX_DEPTH: usize = 8;

/// One line for each part, indented by its depth.
pub(super) fn lines(snapshot: &Snapshot, name: &Name) -> Vec<String> {
    let mut lines = Vec::new();
    add(snapshot, name, 0, &mut lines);
    lines
}

fn add(snapshot: &Snapshot, name: &Name, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let Some(object) = snapshot.merged.http.services.get(name) else {
        let what = if name.provider() == "internal" { "one of our own" } else { "does not exist" };
        lines.push(format!("{indent}{name}: {what}"));
        return;
    };
    let service = &object.settings.value;
    lines.push(format!("{indent}{name}: {}", kind(service)));
    let report = snapshot.report.http.services.get(name);
    for note in report.iter().flat_map(|report| &report.notes) {
        lines.push(format!("{indent}  {}", note.error));
    }
    if service.load_balancer.is_some() {
        let servers = report.and_then(|report| report.servers.as_ref()).map(|servers| servers.status());
        let servers = servers.unwrap_or_default();
        if servers.is_empty() {
            lines.push(format!("{indent}  it has no server: the answer is 503"));
        } else if servers.iter().all(|(_, is_up)| !is_up) {
            lines.push(format!("{indent}  every server is down: the answer is 503"));
        }
        for (url, is_up) in servers {
            lines.push(format!("{indent}  {url}: {}", if is_up { "up" } else { "down" }));
        }
    }
    if depth < MAX_DEPTH {
        for next in parts(service) {
            add(snapshot, &Name::qualify(next, name.provider()), depth + 1, lines);
        }
    }
}

fn kind(service: &Service) -> String {
    match service {
        Service { load_balancer: Some(balancer), .. } => format!("load balancer, strategy {}", balancer.strategy),
        Service { weighted: Some(_), .. } => "weighted".to_owned(),
        Service { highest_random_weight: Some(_), .. } => "highest random weight".to_owned(),
        Service { mirroring: Some(_), .. } => "mirroring".to_owned(),
        Service { failover: Some(_), .. } => "failover".to_owned(),
        _ => "it has no kind".to_owned(),
    }
}

/// The services behind a service that answer in its place. Mirrors do not.
fn parts(service: &Service) -> Vec<&str> {
    let mut parts: Vec<&str> = Vec::new();
    parts.extend(service.weighted.iter().flat_map(|it| &it.services).map(|it| it.name.as_str()));
    parts.extend(service.highest_random_weight.iter().flat_map(|it| &it.services).map(|it| it.name.as_str()));
    parts.extend(service.mirroring.iter().map(|it| it.service.as_str()));
    parts.extend(service.failover.iter().flat_map(|it| [it.service.as_str(), it.fallback.as_str()]));
    parts
}
