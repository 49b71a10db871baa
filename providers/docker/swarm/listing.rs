//! [`Listing`]: the services of a swarm with their tasks, as the engine shows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bollard::errors::Error;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::container::Labels;
use crate::engine::Engine;

/// Everything that is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) services: Vec<Service>,
}

/// Addresses by the name of the network.
pub(super) type Networks = BTreeMap<String, String>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) id: Arc<str>,
    pub(super) name: String,
    pub(super) labels: Labels,
    /// It has no virtual addresses, by its own wish.
    pub(super) is_dnsrr: bool,
    pub(super) virtual_addresses: Networks,
    /// Tasks that are to run.
    pub(super) tasks: Vec<Task>,
    /// How many there should be; none: one for each node.
    pub(super) replicas: Option<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) id: Arc<str>,
    /// `web.1`, or `web.<id>` for those of which each node has one.
    pub(super) name: String,
    pub(super) runs: bool,
    pub(super) networks: Networks,
}

impl Listing {
    pub(super) async fn read(engine: &Engine) -> Result<Self, Error> {
        let scope = r#"/networks?filters={"scope":["swarm"]}"#;
        let running = r#"/tasks?filters={"desired-state":["running"]}"#;
        let (services, networks, tasks) = tokio::try_join!(
            engine.ask::<Vec<ShownService>>("/services"),
            engine.ask::<Vec<ShownNetwork>>(scope),
            engine.ask::<Vec<ShownTask>>(running),
        )?;
        Ok(Self::of(services, networks, tasks))
    }

    pub(super) fn of(services: Vec<ShownService>, networks: Vec<ShownNetwork>, tasks: Vec<ShownTask>) -> Self {
        let networks: BTreeMap<_, _> = networks.into_iter().map(|network| (network.id, network.name)).collect();
        let mut of_service: BTreeMap<String, Vec<ShownTask>> = BTreeMap::new();
        for task in tasks {
            of_service.entry(task.service_id.clone()).or_default().push(task);
        }
        let mut services: Vec<_> = services
            .into_iter()
            .map(|service| {
                let tasks = of_service.remove(&service.id).unwrap_or_default();
                service.read(tasks, &networks)
            })
            .collect();
        services.sort_by(|one, other| one.id.cmp(&other.id));
        Self { services }
    }

    /// Does every task run that should?
    pub(super) fn is_settled(&self) -> bool {
        self.services.iter().all(|service| {
            let running = service.tasks.iter().filter(|task| task.runs).count();
            running == service.tasks.len() && service.replicas.is_none_or(|replicas| running == replicas)
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ShownNetwork {
    id: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ShownService {
    #[serde(rename = "ID")]
    id: String,
    spec: Spec,
    #[serde(default)]
    endpoint: Endpoint,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Spec {
    name: String,
    #[serde(default)]
    labels: Option<Labels>,
    #[serde(default)]
    mode: Mode,
    #[serde(rename = "EndpointSpec", default)]
    endpoint: Option<EndpointSpec>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Mode {
    replicated: Option<Replicated>,
    global: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replicated {
    #[serde(default)]
    replicas: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EndpointSpec {
    #[serde(default)]
    mode: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Endpoint {
    #[serde(rename = "VirtualIPs")]
    virtual_ips: Option<Vec<VirtualIp>>,
}

#[derive(Deserialize)]
struct VirtualIp {
    #[serde(rename = "NetworkID")]
    network: String,
    /// With the length of the network's prefix: `10.0.1.2/24`.
    #[serde(rename = "Addr", default)]
    address: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ShownTask {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "ServiceID", default)]
    service_id: String,
    #[serde(default)]
    slot: u64,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    networks_attachments: Option<Vec<Attachment>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Status {
    state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attachment {
    network: AttachedNetwork,
    #[serde(default)]
    addresses: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct AttachedNetwork {
    #[serde(rename = "ID")]
    id: String,
}

impl ShownService {
    fn read(self, tasks: Vec<ShownTask>, networks: &BTreeMap<String, String>) -> Service {
        let Self { id, spec, endpoint } = self;
        let mode = spec.endpoint.map(|endpoint| endpoint.mode);
        let has_addresses = mode.as_deref() == Some("vip");
        let addresses = endpoint.virtual_ips.unwrap_or_default().into_iter().filter(|_| has_addresses);
        let virtual_addresses =
            addresses.filter_map(|ip| Some((networks.get(&ip.network)?.clone(), bare(&ip.address)?)));
        let is_global = spec.mode.global.is_some();
        let mut tasks: Vec<_> = tasks.into_iter().map(|task| task.read(&spec.name, is_global, networks)).collect();
        tasks.sort_by(|one, other| one.id.cmp(&other.id));
        Service {
            id: id.into(),
            virtual_addresses: virtual_addresses.collect(),
            tasks,
            name: spec.name,
            labels: spec.labels.unwrap_or_default(),
            is_dnsrr: mode.as_deref() == Some("dnsrr"),
            replicas: spec.mode.replicated.and_then(|replicated| replicated.replicas),
        }
    }
}

impl ShownTask {
    fn read(self, service: &str, is_global: bool, networks: &BTreeMap<String, String>) -> Task {
        let name = if is_global { format!("{service}.{}", self.id) } else { format!("{service}.{}", self.slot) };
        let attached = self.networks_attachments.unwrap_or_default().into_iter().filter_map(|attachment| {
            let name = networks.get(&attachment.network.id)?;
            // Traefik takes the last one where there are several.
            let addresses = attachment.addresses.unwrap_or_default();
            Some((name.clone(), addresses.iter().rev().find_map(|address| bare(address))?))
        });
        Task { id: self.id.into(), name, runs: self.status.state == "running", networks: attached.collect() }
    }
}

/// Without the length of the prefix.
fn bare(address: &str) -> Option<String> {
    let address = address.split('/').next().unwrap_or(address);
    (!address.is_empty()).then(|| address.to_owned())
}
