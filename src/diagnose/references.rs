//! Names that lead nowhere, within one set of documents. What another provider holds cannot be known here.

use std::collections::BTreeSet;

use trafficcop_config::suggest::nearest;
use trafficcop_config::{ConfigError, Node, Problem, Scalar, Value, pattern};

use super::{Finding, Severity};

/// Where a name is written, and where the thing of that name is defined.
const REFERENCES: &[(&str, &str)] = &[
    ("http.middlewares.*.chain.middlewares", "http.middlewares"),
    ("http.middlewares.*.errors.service", "http.services"),
    ("http.routers.*.middlewares", "http.middlewares"),
    ("http.routers.*.parentRefs", "http.routers"),
    ("http.routers.*.service", "http.services"),
    ("http.routers.*.tls.options", "tls.options"),
    ("http.services.*.failover.fallback", "http.services"),
    ("http.services.*.failover.service", "http.services"),
    ("http.services.*.highestRandomWeight.services.*.name", "http.services"),
    ("http.services.*.loadBalancer.serversTransport", "http.serversTransports"),
    ("http.services.*.middlewares", "http.middlewares"),
    ("http.services.*.mirroring.mirrors.*.name", "http.services"),
    ("http.services.*.mirroring.service", "http.services"),
    ("http.services.*.weighted.services.*.name", "http.services"),
    ("tcp.routers.*.middlewares", "tcp.middlewares"),
    ("tcp.routers.*.service", "tcp.services"),
    ("tcp.routers.*.tls.options", "tls.options"),
    ("tcp.services.*.loadBalancer.serversTransport", "tcp.serversTransports"),
    ("tcp.services.*.weighted.services.*.name", "tcp.services"),
    ("udp.routers.*.service", "udp.services"),
    ("udp.services.*.weighted.services.*.name", "udp.services"),
];

/// Every name in `documents` that none of them defines.
pub(crate) fn examine(documents: &[&Node]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (written, defined) in REFERENCES {
        let names = names(documents, defined);
        for found in documents.iter().flat_map(|document| pattern::find(document, written)) {
            for (node, name) in texts(found.node) {
                findings.extend(missing(node, name, &found.path, defined, &names));
            }
        }
    }
    findings
}

fn names<'a>(documents: &[&'a Node], defined: &str) -> BTreeSet<&'a str> {
    let sections = documents.iter().flat_map(|document| pattern::find(document, defined));
    let keys = sections.filter_map(|section| match &section.node.value {
        Value::Map(entries) => Some(entries.iter().map(|(key, _)| &**key)),
        _ => None,
    });
    keys.flatten().collect()
}

/// The names that a value holds: one text, several with commas between them, or a list.
fn texts(node: &Node) -> Vec<(&Node, &str)> {
    match &node.value {
        Value::Scalar(Scalar::Text(text)) => {
            text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(|name| (node, name)).collect()
        }
        Value::List(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn missing(node: &Node, name: &str, path: &str, defined: &str, names: &BTreeSet<&str>) -> Option<Finding> {
    let local = match name.rsplit_once('@') {
        None => name,
        Some((local, "file")) => local,
        Some(_) => return None,
    };
    if names.contains(local) || (defined == "tls.options" && local == "default") {
        return None;
    }
    let problem = Problem::BadValue {
        found: format!("{name:?}"),
        expected: format!("defined in {defined}"),
        nearest: nearest(local, names.iter().copied()).map(str::to_owned),
    };
    let error = ConfigError { at: node.at.clone(), path: path.to_owned(), problem };
    Some(Finding::new(Severity::Error, error))
}
