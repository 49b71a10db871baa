//! What a compose file says, as if its containers ran: for whoever asks before anything does.
//!
//! Nothing is started and no engine is asked. What only an engine would know is assumed and said: services are reached under
//! their names, they are healthy, and one that tells no port listens on 80.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use trafficcop_config::dynamic::Configuration;
use trafficcop_config::settings::discovery::Docker as Settings;
use trafficcop_config::{ConfigErrors, Node, Value};
use trafficcop_provider::ProviderError;
use trafficcop_provider::workload::Check;

use crate::container::{Attachment, Container, Health, Labels, Port};
use crate::inventory::Inventory;

/// The port of a service that tells none.
const ASSUMED: u16 = 80;

/// What the services of a compose file say together.
pub struct Composed {
    pub configuration: Configuration,
    pub problems: ConfigErrors,
    /// What is not taken, or not as it asks for, and what was assumed.
    pub remarks: Vec<String>,
}

/// Whether a document is a compose file.
pub fn is_compose(document: &Node) -> bool {
    document.get("services").is_some_and(|services| matches!(services.value, Value::Map(_)))
}

/// A document's text with `${NAME}`, `${NAME:-else}` and `$NAME` filled in; `$$` is a dollar.
pub fn interpolate(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('$') {
            out.push('$');
            rest = behind;
        } else if let Some((inside, behind)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            let end = inside.find([':', '-', '?', '+']).unwrap_or(inside.len());
            let (name, otherwise) = inside.split_at(end);
            let empty_counts = !otherwise.starts_with(':');
            let found = variable(name).filter(|value| empty_counts || !value.is_empty());
            let otherwise = otherwise.trim_start_matches(':').strip_prefix('-').unwrap_or("");
            out.push_str(found.as_deref().unwrap_or(otherwise));
            rest = behind;
        } else {
            let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
            match end {
                0 => out.push('$'),
                end => out.push_str(&variable(&rest[..end]).unwrap_or_default()),
            }
            rest = &rest[end..];
        }
    }
    out + rest
}

/// The words with which the file starts the router itself; None when it starts none.
pub fn command(document: &Node) -> Option<Vec<String>> {
    let is_router = |service: &&Node| {
        let image = service.get("image").and_then(text).unwrap_or_default();
        let name = image.rsplit('/').next().unwrap_or_default();
        name.starts_with("traefik") || name.starts_with("trafficcop")
    };
    let service = services(document).map(|(_, service)| service).find(is_router)?;
    Some(match service.get("command").map(|command| &command.value) {
        Some(Value::List(words)) => words.iter().filter_map(text).collect(),
        Some(Value::Scalar(line)) => line.to_string().split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    })
}

/// What the services come to under these settings. `project` is the name of the folder, unless the file has one.
pub fn compose(
    document: &Node,
    project: &str,
    settings: &Settings,
    check: Check<'_>,
) -> Result<Composed, ProviderError> {
    let project = document.get("name").and_then(text).unwrap_or_else(|| project.to_owned());
    let mut inventory = Inventory::new(crate::rules(settings)?);
    let mut remarks = Vec::new();
    for (name, service) in services(document) {
        let mut container = container(document, &project, name, service);
        if container.ports.is_empty() {
            let is_said = container.labels.keys().any(|label| label.to_ascii_lowercase().ends_with(".server.port"));
            if !is_said {
                remarks.push(format!(
                    "service {name}: the file does not say on which port it listens; {ASSUMED} is assumed"
                ));
            }
            container.ports.push(Port { number: ASSUMED, protocol: "tcp".to_owned(), published: None });
        }
        let id = Arc::clone(&container.id);
        inventory.inspected(&id, Some(container), Instant::now());
    }
    let (configuration, problems) = inventory.configuration(check);
    let of_routers = |remark: &String| configuration.http.as_ref().is_some_and(|http| speaks_of(remark, http));
    remarks.retain(of_routers);
    remarks.extend(inventory.passed_over());
    Ok(Composed { configuration, problems, remarks })
}

/// Whether a remark is about a service that is routed to.
fn speaks_of(remark: &str, http: &trafficcop_config::dynamic::http::Http) -> bool {
    let name = remark.split([' ', ':']).nth(1).unwrap_or_default();
    let balancers = http.services.values().filter_map(|service| service.load_balancer.as_ref());
    balancers.flat_map(|balancer| &balancer.servers).any(|server| server.url.contains(&format!("//{name}:")))
}

fn services(document: &Node) -> impl Iterator<Item = (&str, &Node)> {
    let entries = match document.get("services").map(|services| &services.value) {
        Some(Value::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().map(|(name, service)| (&**name, service))
}

fn container(document: &Node, project: &str, name: &str, service: &Node) -> Container {
    let mut labels: Labels = pairs(service.get("labels")).collect();
    labels.insert("com.docker.compose.project".to_owned(), project.to_owned());
    labels.insert("com.docker.compose.service".to_owned(), name.to_owned());
    let mode = service.get("network_mode").and_then(text).unwrap_or_default();
    let attachment = match mode.split_once(':') {
        Some(("service" | "container", other)) => Attachment::Container(other.into()),
        _ if mode == "host" => Attachment::Host,
        _ => Attachment::Own,
    };
    let own = service.get("container_name").and_then(text);
    Container {
        id: name.into(),
        name: own.unwrap_or_else(|| format!("{project}-{name}-1")),
        labels,
        running: true,
        health: if service.get("healthcheck").is_some() { Health::Healthy } else { Health::Unchecked },
        networks: if attachment == Attachment::Own {
            networks(document, project, name, service)
        } else {
            BTreeMap::new()
        },
        attachment,
        ports: ports(service),
        stop_signal: None,
    }
}

/// The networks of a service under their full names, each with the name under which it is reached there.
fn networks(document: &Node, project: &str, name: &str, service: &Node) -> BTreeMap<String, String> {
    let mut keys = match service.get("networks").map(|networks| &networks.value) {
        Some(Value::List(items)) => items.iter().filter_map(text).collect(),
        Some(Value::Map(entries)) => entries.iter().map(|(key, _)| key.to_string()).collect(),
        _ => Vec::new(),
    };
    if keys.is_empty() {
        keys.push("default".to_owned());
    }
    let full = |key: String| {
        let settings = document.get("networks").and_then(|all| all.get(&key));
        let named = settings.and_then(|network| network.get("name")).and_then(text);
        let is_external =
            settings.and_then(|network| network.get("external")).is_some_and(|external| !external.is_off());
        named.unwrap_or_else(|| if is_external { key } else { format!("{project}_{key}") })
    };
    keys.into_iter().map(|key| (full(key), name.to_owned())).collect()
}

/// The ports that `expose` and `ports` name, in order.
fn ports(service: &Node) -> Vec<Port> {
    let list = |key: &str| match service.get(key).map(|list| &list.value) {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let inside = |item: &Node| match item.get("target") {
        Some(target) => text(target),
        None => text(item),
    };
    let port = |item: &Node| {
        let text = inside(item)?;
        let (ports, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
        let own = ports.rsplit(':').next()?.split('-').next()?;
        Some(Port { number: own.parse().ok()?, protocol: protocol.to_owned(), published: None })
    };
    let mut all: Vec<Port> = list("expose").iter().chain(list("ports")).filter_map(port).collect();
    all.sort_by(|one, other| (one.number, &one.protocol).cmp(&(other.number, &other.protocol)));
    all.dedup();
    all
}

/// A map, or a list of `key=value`.
fn pairs(node: Option<&Node>) -> impl Iterator<Item = (String, String)> {
    let mut pairs = Vec::new();
    match node.map(|node| &node.value) {
        Some(Value::Map(entries)) => {
            let pair = |(key, value): &(Arc<str>, Node)| (key.to_string(), text(value).unwrap_or_default());
            pairs.extend(entries.iter().map(pair));
        }
        Some(Value::List(items)) => {
            for item in items.iter().filter_map(text) {
                let (key, value) = item.split_once('=').unwrap_or((&item, ""));
                pairs.push((key.to_owned(), value.to_owned()));
            }
        }
        _ => {}
    }
    pairs.into_iter()
}

fn text(node: &Node) -> Option<String> {
    match &node.value {
        Value::Scalar(scalar) => Some(scalar.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_config::read::{Format, document};

    use super::*;

    const FILE: &str = "
name: shop
services:
  proxy:
    image: docker.io/library/traefik:v3.7
    command: [--providers.docker.exposedbydefault=false, '--entrypoints.web.address=:80']
  web:
    image: web
    expose: ['8080/tcp', 9000]
    networks: [front]
    labels:
      - traefik.enable=true
      - traefik.http.routers.web.rule=Host(`${NAME:-shop.test}`)
  blog:
    image: blog
    labels: {traefik.enable: true, traefik.docker.network: nowhere, 'traefik.http.routers.blog.rule': Host(`blog.test`)}
  hidden: {image: hidden, labels: {'traefik.http.routers.hidden.rule': Host(`h.test`)}}
networks: {front: {name: edge}}
";

    fn read(name: Option<&str>) -> Node {
        let text = interpolate(FILE, &|asked| name.filter(|_| asked == "NAME").map(str::to_owned));
        document(&text, Format::Yaml, "compose.yml").expect("the file is YAML")
    }

    #[test]
    fn services_become_routes_as_their_containers_would() {
        let settings = Settings { exposed_by_default: false, ..Settings::default() };
        let composed = compose(&read(None), "folder", &settings, &|_, _| Ok(())).expect("good settings");
        assert_eq!(composed.problems.0, []);
        let http = composed.configuration.http.expect("an http section");
        let rules: Vec<_> = http.routers.values().map(|router| &*router.value.rule.value).collect();
        assert_eq!(rules, ["Host(`blog.test`)", "Host(`shop.test`)"]);
        let urls: Vec<_> = http.services.values().filter_map(|service| service.load_balancer.as_ref()).collect();
        let urls: Vec<_> = urls.iter().flat_map(|balancer| &balancer.servers).map(|server| &*server.url).collect();
        assert_eq!(urls, ["http://blog:80", "http://web:8080"]);
        let remarks = composed.remarks.join("\n");
        for part in [
            "service blog: the file does not say on which port it listens; 80 is assumed",
            "container shop-blog-1: it is not in the network nowhere, but in shop_default",
            "container shop-hidden-1: traefik.enable is not set",
        ] {
            assert!(remarks.contains(part), "{part} is not in {remarks}");
        }
    }

    #[test]
    fn variables_are_filled_in_and_the_router_s_own_words_found() {
        let document = read(Some("other.test"));
        assert_eq!(command(&document).map(|words| words.len()), Some(2));
        let composed = compose(&document, "folder", &Settings::default(), &|_, _| Ok(())).expect("good settings");
        let http = composed.configuration.http.expect("an http section");
        assert!(http.routers.values().any(|router| router.value.rule.value == "Host(`other.test`)"));
        let filled = interpolate("a $$b ${X:-y} ${X-z} $X/c $", &|name| (name == "X").then(String::new));
        assert_eq!(filled, "a $b y  /c $");
    }
}
