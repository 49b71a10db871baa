//! Every option that the model has can be written, in every notation, and is shown again.

use super::Configuration;
use crate::encode::{to_json, to_node};
use crate::read::{Format, document, kv};
use crate::shape::Kind;
use crate::{Node, Shape, Value};

/// One pair per option, as a key-value store holds it. Text is a duration, so that it fits whatever wants one.
fn pairs() -> Vec<(String, &'static str)> {
    let shape = Shape::of::<Configuration>();
    let holds_more =
        |path: &str| shape.options().any(|(other, _)| other.starts_with(path) && other.len() > path.len() + 2);
    shape
        .options()
        .filter(|(path, _)| !path.ends_with("[]"))
        .filter_map(|(path, kind)| {
            let text = match kind {
                Kind::Bool => "true",
                Kind::Number => "42",
                Kind::Text | Kind::Any => "10s",
                Kind::List if !holds_more(&format!("{path}[].")) => "a, b",
                Kind::List | Kind::Section | Kind::Map => return None,
            };
            let key = path.replace("<name>", "x").replace("[]", "/0").replace('.', "/");
            Some((format!("traefik/{key}"), text))
        })
        .collect()
}

fn everything() -> Configuration {
    let pairs = pairs();
    let pairs = pairs.iter().map(|(key, text)| (key.as_str(), *text));
    let node = kv::read(pairs, "traefik", &super::document::SECTIONS, "store").unwrap();
    node.decode().unwrap_or_else(|errors| panic!("{errors}"))
}

/// The dotted paths of everything that stands at the end of a branch.
fn leaves(node: &Node, path: &str, found: &mut Vec<String>) {
    match &node.value {
        Value::Map(entries) => {
            for (key, child) in entries {
                leaves(child, &format!("{path}/{key}"), found);
            }
        }
        Value::List(items) if matches!(items.first(), Some(Node { value: Value::Map(_), .. })) => {
            leaves(&items[0], &format!("{path}/0"), found);
        }
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn every_option_is_read_and_shown() {
    let mut shown = Vec::new();
    leaves(&to_node(&everything()), "traefik", &mut shown);
    let hidden: Vec<String> = pairs().into_iter().map(|(key, _)| key).filter(|key| !shown.contains(key)).collect();
    // What exists in labels only, where the label providers make a URL or an address of it.
    assert_eq!(
        hidden,
        [
            "traefik/http/services/x/loadBalancer/servers/0/port",
            "traefik/http/services/x/loadBalancer/servers/0/scheme",
            "traefik/tcp/services/x/loadBalancer/servers/0/port",
            "traefik/udp/services/x/loadBalancer/servers/0/port",
        ]
    );
    assert!(shown.len() > 150, "the model has shrunk to {} options", shown.len());
}

#[test]
fn every_notation_reads_the_same() {
    let mut everything = everything();
    everything.http.as_mut().unwrap().services.values_mut().for_each(|service| {
        service.load_balancer.as_mut().unwrap().servers.iter_mut().for_each(|server| {
            (server.port, server.scheme) = (String::new(), String::new());
        });
    });
    everything.tcp.as_mut().unwrap().services.values_mut().for_each(|service| {
        service.load_balancer.as_mut().unwrap().servers.iter_mut().for_each(|server| server.port.clear());
    });
    everything.udp.as_mut().unwrap().services.values_mut().for_each(|service| {
        service.load_balancer.as_mut().unwrap().servers.iter_mut().for_each(|server| server.port.clear());
    });
    let json = to_json(&everything);
    let toml = toml::to_string(&json).unwrap();
    let texts = [(Format::Json, json.to_string()), (Format::Yaml, json.to_string()), (Format::Toml, toml)];
    for (format, text) in texts {
        let made: Configuration = document(&text, format, "f").unwrap().decode().unwrap();
        assert_eq!(made, everything, "{format:?}");
    }
}
