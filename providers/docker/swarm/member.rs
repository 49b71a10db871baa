//! From a listing to a configuration: which services are taken, with their virtual address or with their tasks.
//!
//! Pure. What must hold: a mistake in the labels of one service leaves out that service and nobody else.

use std::sync::Arc;

use serde::Deserialize;
use trafficcop_config::dynamic::Configuration;
use trafficcop_config::read::labels::read;
use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem};
use trafficcop_provider::constraints::Constraints;
use trafficcop_provider::default_rule::DefaultRule;
use trafficcop_provider::normalize::normalize;
use trafficcop_provider::workload::{Address, Check, NoAddress, Part, Surroundings, Workload, merge};

use super::listing::{Listing, Networks, Service};

/// The network through which published ports are reached. It is seldom the one that is meant.
const INGRESS: &str = "ingress";
/// The labels that are for this provider.
const PREFIXES: [&str; 3] = ["traefik.docker", "traefik.swarm", "traefik.enable"];

/// What the settings say of every service.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) exposed_by_default: bool,
    pub(super) allow_empty_services: bool,
    pub(super) constraints: Constraints,
    pub(super) default_rule: DefaultRule,
    pub(super) network: String,
}

/// What all services say together.
pub(super) struct Said {
    pub(super) configuration: Configuration,
    pub(super) problems: ConfigErrors,
    /// What is not taken, and why.
    pub(super) passed: Vec<String>,
}

/// What a service says to this provider.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wishes {
    enable: Option<bool>,
    docker: Option<Own>,
    swarm: Option<Own>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Own {
    network: Option<String>,
    lbswarm: bool,
    #[serde(rename = "allowNonRunning")]
    _of_containers: bool,
}

/// A server of a service: one of its tasks, or itself by its virtual address, or nobody.
struct Member<'a> {
    id: &'a str,
    name: &'a str,
    networks: Option<&'a Networks>,
}

pub(super) fn configuration(listing: &Listing, rules: &Rules, check: Check<'_>) -> Said {
    let (mut parts, mut problems, mut passed) = (Vec::new(), Vec::new(), Vec::new());
    for service in &listing.services {
        let one = Taken { service, rules, check };
        match one.parts(&mut parts, &mut problems) {
            Ok(None) => {}
            Ok(Some(why)) => passed.push(format!("service {}: {why}", service.name)),
            Err(errors) => problems.extend(errors.0),
        }
    }
    let (configuration, conflicts) = merge(parts);
    problems.extend(conflicts.0);
    Said { configuration, problems: ConfigErrors(problems), passed }
}

struct Taken<'a> {
    service: &'a Service,
    rules: &'a Rules,
    check: Check<'a>,
}

impl Taken<'_> {
    /// What its members contribute, or why there is nothing.
    fn parts(&self, parts: &mut Vec<Part>, problems: &mut Vec<ConfigError>) -> Result<Option<String>, ConfigErrors> {
        let Self { service, rules, .. } = self;
        let labels = service.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let wishes: Wishes = read(labels, &self.owner(), &PREFIXES)?.decode()?;
        let own = self.own(wishes.docker, wishes.swarm)?;
        let speaks = || service.labels.keys().any(|key| key.to_ascii_lowercase().starts_with("traefik."));
        if !wishes.enable.unwrap_or(rules.exposed_by_default) {
            let why = match wishes.enable {
                Some(_) => "traefik.enable is false",
                None => "traefik.enable is not set, and providers.swarm.exposedByDefault is off",
            };
            return Ok(speaks().then(|| why.to_owned()));
        }
        if !rules.constraints.hold_for_labels(|key| service.labels.get(key).map(String::as_str)) {
            return Ok(speaks().then(|| "providers.swarm.constraints exclude it".to_owned()));
        }
        let members = self.members(own.lbswarm);
        let network = own.network.as_deref().unwrap_or(&rules.network);
        for member in &members {
            parts.push(self.part(member, network, problems)?);
        }
        let is_silent = members.is_empty() && speaks();
        Ok(is_silent.then(|| "no task of it runs with an address in a network of the swarm".to_owned()))
    }

    fn own(&self, docker: Option<Own>, swarm: Option<Own>) -> Result<Own, ConfigErrors> {
        let name = &self.service.name;
        let first = |prefix: &str| self.service.labels.keys().find(|key| key.to_ascii_lowercase().starts_with(prefix));
        match (docker, swarm) {
            (Some(_), Some(_)) => {
                let label = first("traefik.docker.").map_or("traefik.docker", String::as_str);
                let at = Origin::Label { owner: self.owner().into(), label: label.into() };
                let message = "both Docker and Swarm labels are defined: traefik.swarm alone is expected".to_owned();
                Err(ConfigError { at, path: String::new(), problem: Problem::Other { message } }.into())
            }
            (Some(docker), None) => {
                tracing::debug!(
                    service = name,
                    "Labels traefik.docker.* of a service are deprecated: use traefik.swarm.*"
                );
                Ok(docker)
            }
            (None, swarm) => Ok(swarm.unwrap_or_default()),
        }
    }

    fn members(&self, by_virtual_address: bool) -> Vec<Member<'_>> {
        let service = self.service;
        let whole = |networks| Member { id: &service.id, name: &service.name, networks };
        let mut members = Vec::new();
        if by_virtual_address && !service.is_dnsrr {
            members.extend(Some(&service.virtual_addresses).filter(|it| !it.is_empty()).map(|it| whole(Some(it))));
        } else {
            if by_virtual_address {
                tracing::warn!(
                    service = service.name,
                    "It has no virtual address (endpoint mode dnsrr): its tasks are taken."
                );
            }
            let tasks = service.tasks.iter().filter(|task| task.runs && !task.networks.is_empty());
            members.extend(tasks.map(|task| Member { id: &task.id, name: &task.name, networks: Some(&task.networks) }));
        }
        if members.is_empty() && self.rules.allow_empty_services {
            members.push(whole(None));
        }
        members
    }

    fn part(&self, member: &Member<'_>, network: &str, problems: &mut Vec<ConfigError>) -> Result<Part, ConfigErrors> {
        let service = self.service;
        let (owner, name) = (self.owner(), normalize(&self.service_name()));
        let workload = Workload {
            owner: &owner,
            name: &name,
            plain_name: None,
            container_name: Some(member.name),
            labels: &service.labels,
            serving: member.networks.is_some(),
        };
        let address = |port: Option<&str>| {
            let host = host(member, network).ok_or_else(|| nowhere(member.name))?;
            Ok(Address { host, port: port.ok_or(NoAddress::Port)?.to_owned() })
        };
        let around = Surroundings { default_rule: &self.rules.default_rule, address: &address, check: self.check };
        let configured = workload.configure(&around)?;
        // What is wrong with a service is wrong with each of its tasks, and told once.
        for problem in configured.problems.0 {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        let key = format!("{name}-{}", member.id);
        Ok(Part { key: key.into(), configuration: Arc::new(configured.configuration), leaving: false })
    }

    /// What messages say before a label.
    fn owner(&self) -> String {
        format!("service {}, label", self.service.name)
    }

    fn service_name(&self) -> String {
        let compose = |key: &str| self.service.labels.get(key);
        match (compose("com.docker.compose.service"), compose("com.docker.compose.project")) {
            (Some(service), Some(project)) => format!("{service}_{project}"),
            _ => self.service.name.clone(),
        }
    }
}

fn nowhere(name: &str) -> NoAddress {
    NoAddress::Other(format!("unable to find the IP address for the container {name:?}: the server is ignored"))
}

/// The address in the network that is wished for, else in the first by name; the ingress network comes last.
fn host(member: &Member<'_>, network: &str) -> Option<String> {
    let networks = member.networks?;
    if let Some(address) = networks.get(network) {
        return Some(address.clone());
    }
    let (used, address) = networks.iter().find(|(name, _)| *name != INGRESS).or_else(|| networks.first_key_value())?;
    if !network.is_empty() {
        tracing::warn!(
            container = member.name,
            network,
            used,
            "Could not find the network. Is the stack's prefix missing in the label? Another network is used."
        );
    }
    Some(address.clone())
}
