//! Compared with what Traefik 3.7.15 shows in `/api/rawdata` for real containers with these labels.

mod conflicts;
mod drops;
mod objects;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use trafficcop_config::dynamic::{Configuration, Middleware};
use trafficcop_config::{At, ConfigError, ConfigErrors, Problem};

use super::{Address, NoAddress, Part, Surroundings, Workload, merge};
use crate::default_rule::DefaultRule;

/// A container of the tests: labels, the ports that it exposes, whether it serves.
pub(super) struct Container<'a> {
    pub(super) labels: &'a [(&'a str, &'a str)],
    pub(super) port: Option<&'a str>,
    pub(super) serving: bool,
    pub(super) leaving: bool,
}

pub(super) fn labelled<'a>(labels: &'a [(&'a str, &'a str)]) -> Container<'a> {
    Container { labels, port: Some("80"), serving: true, leaving: false }
}

/// Knows one kind of middleware, as the registry would.
fn known(path: &str, middleware: &At<Middleware>) -> Result<(), ConfigErrors> {
    let bad = middleware.kinds.iter().filter(|(kind, _)| !kind.eq_ignore_ascii_case("addPrefix"));
    let errors = bad.map(|(kind, _)| ConfigError {
        at: middleware.at.clone(),
        path: path.to_owned(),
        problem: Problem::UnknownField { field: kind.to_string(), nearest: Some("addPrefix".into()) },
    });
    let errors: Vec<_> = errors.collect();
    if errors.is_empty() { Ok(()) } else { Err(ConfigErrors(errors)) }
}

/// One line per object, then one per problem.
fn shown(configuration: &Configuration, problems: &[ConfigError]) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").unwrap();
    if let Some(http) = &configuration.http {
        for (name, router) in &http.routers {
            let default = if router.default_rule { " (default)" } else { "" };
            line(format!("router {name}: {}{default} -> {}", *router.rule, router.service));
        }
        for (name, service) in &http.services {
            let servers = service.load_balancer.iter().flat_map(|balancer| &balancer.servers);
            line(format!("service {name}: {}", servers.map(|it| it.url.as_str()).collect::<Vec<_>>().join(" ")));
        }
        for name in http.middlewares.keys() {
            line(format!("middleware {name}"));
        }
        assert!(http.models.is_empty() && http.servers_transports.is_empty());
    }
    if let Some(tcp) = &configuration.tcp {
        for (name, router) in &tcp.routers {
            line(format!("tcp router {name}: {} -> {}", *router.rule, router.service));
        }
        for (name, service) in &tcp.services {
            let servers = service.load_balancer.iter().flat_map(|balancer| &balancer.servers);
            line(format!(
                "tcp service {name}: {}",
                servers.map(|it| it.address.as_str()).collect::<Vec<_>>().join(" ")
            ));
        }
        assert!(tcp.models.is_empty() && tcp.servers_transports.is_empty());
    }
    if let Some(udp) = &configuration.udp {
        for (name, router) in &udp.routers {
            line(format!("udp router {name} -> {}", router.service));
        }
        for (name, service) in &udp.services {
            let servers = service.load_balancer.iter().flat_map(|balancer| &balancer.servers);
            line(format!(
                "udp service {name}: {}",
                servers.map(|it| it.address.as_str()).collect::<Vec<_>>().join(" ")
            ));
        }
    }
    for name in configuration.tls.iter().flat_map(|tls| tls.stores.keys()) {
        line(format!("tls store {name}"));
    }
    for problem in problems {
        line(format!("! {problem}"));
    }
    out
}

/// Containers `c0`, `c1` … at 10.0.0.1, 10.0.0.2 …, merged.
pub(super) fn story(containers: &[Container<'_>], rule: &str) -> String {
    let default_rule = DefaultRule::parse(rule).unwrap();
    let (mut parts, mut problems) = (Vec::new(), Vec::new());
    for (index, container) in containers.iter().enumerate() {
        let name = format!("c{index}");
        let labels: BTreeMap<_, _> =
            container.labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let workload = Workload {
            owner: &name,
            name: &name,
            plain_name: None,
            container_name: Some(&name),
            labels: &labels,
            serving: container.serving,
        };
        let address = |port: Option<&str>| -> Result<Address, NoAddress> {
            let port = port.or(container.port).ok_or(NoAddress::Port)?.to_owned();
            Ok(Address { host: format!("10.0.0.{}", index + 1), port })
        };
        match workload.configure(&Surroundings { default_rule: &default_rule, address: &address, check: &known }) {
            Ok(configured) => {
                problems.extend(configured.problems.0);
                parts.push(Part {
                    key: format!("{name}-id").into(),
                    configuration: Arc::new(configured.configuration),
                    leaving: container.leaving,
                });
            }
            Err(errors) => problems.extend(errors.0),
        }
    }
    let (whole, conflicts) = merge(parts);
    problems.extend(conflicts.0);
    shown(&whole, &problems)
}

#[track_caller]
pub(super) fn check(labels: &[(&str, &str)], expected: &[&str]) {
    check_all(&[labelled(labels)], expected);
}

#[track_caller]
pub(super) fn check_all(containers: &[Container<'_>], expected: &[&str]) {
    let story = story(containers, "Host(`{{ .Name }}`)");
    assert_eq!(story.lines().collect::<Vec<_>>(), expected);
}
