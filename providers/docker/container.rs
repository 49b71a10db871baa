//! [`Container`] and [`Summary`]: what is known of a container, freed of the engine's spelling.

use std::collections::BTreeMap;
use std::sync::Arc;

use bollard::models::{ContainerInspectResponse, ContainerSummary, EndpointSettings, HealthStatusEnum, PortBinding};

/// Labels by key.
pub(crate) type Labels = BTreeMap<String, String>;

/// A container as an inspection shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Container {
    pub(crate) id: Arc<str>,
    /// Without the slash that the engine puts before it.
    pub(crate) name: String,
    pub(crate) labels: Labels,
    pub(crate) running: bool,
    pub(crate) health: Health,
    pub(crate) attachment: Attachment,
    /// Networks by name with the address there; empty when there is none yet.
    pub(crate) networks: BTreeMap<String, String>,
    pub(crate) ports: Vec<Port>,
    /// The signal that stops it, when it is not SIGTERM.
    pub(crate) stop_signal: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Health {
    /// It has no health check.
    #[default]
    Unchecked,
    Starting,
    Healthy,
    Unhealthy,
}

/// Whose network a container uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Attachment {
    #[default]
    Own,
    Host,
    /// That of the container with this id.
    Container(Arc<str>),
}

/// An exposed port and where it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) number: u16,
    pub(crate) protocol: String,
    /// Address and port of the host.
    pub(crate) published: Option<(String, String)>,
}

impl Container {
    pub(crate) fn read(answer: ContainerInspectResponse) -> Option<Self> {
        let config = answer.config.unwrap_or_default();
        let state = answer.state.unwrap_or_default();
        let settings = answer.network_settings.unwrap_or_default();
        let health = state.health.and_then(|health| health.status);
        let mode = answer.host_config.and_then(|host| host.network_mode).unwrap_or_default();
        let networks = settings.networks.unwrap_or_default().into_iter();
        let mut ports: Vec<_> = settings
            .ports
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(port, bindings)| Port::read(&port, bindings))
            .collect();
        ports.sort_by(|one, other| (one.number, &one.protocol).cmp(&(other.number, &other.protocol)));
        Some(Self {
            id: answer.id?.into(),
            name: answer.name.unwrap_or_default().trim_start_matches('/').to_owned(),
            labels: config.labels.unwrap_or_default().into_iter().collect(),
            running: state.status.is_some_and(|status| status.as_ref() == "running"),
            health: Health::read(health),
            attachment: Attachment::read(&mode),
            networks: networks.map(|(name, endpoint)| (name, address(&endpoint))).collect(),
            ports,
            stop_signal: config.stop_signal,
        })
    }

    /// The name of its automatic objects before normalization: what compose calls it, else its own name.
    pub(crate) fn service_name(&self) -> String {
        let compose = |key: &str| self.labels.get(key);
        match (compose("com.docker.compose.service"), compose("com.docker.compose.project")) {
            (Some(service), Some(project)) => format!("{service}_{project}"),
            _ => self.name.clone(),
        }
    }

    /// Does this signal, as an event names it, ask it to end?
    pub(crate) fn is_ended_by(&self, signal: &str) -> bool {
        let number = |signal: &str| signal.parse().ok().or_else(|| signal_number(signal));
        match number(signal) {
            Some(9 | 15) => true,
            Some(given) => self.stop_signal.as_deref().and_then(number) == Some(given),
            None => false,
        }
    }
}

/// The signals that images name as theirs to stop.
fn signal_number(name: &str) -> Option<u8> {
    let name = name.to_ascii_uppercase();
    let plain = name.strip_prefix("SIG").unwrap_or(&name);
    Some(match plain {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "ABRT" => 6,
        "KILL" => 9,
        "USR1" => 10,
        "USR2" => 12,
        "TERM" => 15,
        "WINCH" => 28,
        "PWR" => 30,
        "RTMIN" => 34,
        _ => return plain.strip_prefix("RTMIN+")?.parse::<u8>().ok().and_then(|offset| 34_u8.checked_add(offset)),
    })
}

fn address(endpoint: &EndpointSettings) -> String {
    let stated = |address: &Option<String>| address.clone().filter(|address| !address.is_empty());
    stated(&endpoint.ip_address).or_else(|| stated(&endpoint.global_ipv6_address)).unwrap_or_default()
}

impl Health {
    fn read(status: Option<HealthStatusEnum>) -> Self {
        match status {
            // Docker says `none` of a check that an image has and the container switched off.
            None | Some(HealthStatusEnum::EMPTY | HealthStatusEnum::NONE) => Self::Unchecked,
            Some(HealthStatusEnum::STARTING) => Self::Starting,
            Some(HealthStatusEnum::HEALTHY) => Self::Healthy,
            Some(HealthStatusEnum::UNHEALTHY) => Self::Unhealthy,
        }
    }

    /// As the engine calls it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unchecked => "not checked",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }

    pub(crate) fn is_fit(self) -> bool {
        matches!(self, Self::Unchecked | Self::Healthy)
    }
}

impl Attachment {
    fn read(mode: &str) -> Self {
        match mode.strip_prefix("container:") {
            Some(id) => Self::Container(id.into()),
            None if mode == "host" => Self::Host,
            None => Self::Own,
        }
    }
}

impl Port {
    fn read(port: &str, bindings: Option<Vec<PortBinding>>) -> Option<Self> {
        let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        let first = bindings.unwrap_or_default().into_iter().next();
        Some(Self {
            number: number.parse().ok()?,
            protocol: protocol.to_ascii_lowercase(),
            published: first
                .map(|binding| (binding.host_ip.unwrap_or_default(), binding.host_port.unwrap_or_default())),
        })
    }
}

/// A container as the list shows it: enough to see whether it must be looked at more closely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) id: Arc<str>,
    pub(crate) name: String,
    pub(crate) labels: Labels,
    pub(crate) running: bool,
    pub(crate) paused: bool,
    /// Equal as long as nothing changed that an inspection would show.
    pub(crate) mark: String,
}

impl Summary {
    pub(crate) fn read(summary: ContainerSummary) -> Option<Self> {
        let state = summary.state.map(|state| state.to_string()).unwrap_or_default();
        // `Up 5 minutes (healthy)`: the minutes change all the time, the word in parentheses only with the health.
        let status = summary.status.unwrap_or_default();
        let health = status.split_once('(').map_or("", |(_, rest)| rest);
        let networks = summary.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        let networks: BTreeMap<_, _> =
            networks.into_iter().map(|(name, endpoint)| (name, address(&endpoint))).collect();
        let mut ports: Vec<_> = summary
            .ports
            .unwrap_or_default()
            .iter()
            .map(|port| (port.private_port, port.public_port, port.ip.clone()))
            .collect();
        ports.sort();
        let names = summary.names.unwrap_or_default();
        let mark = if state == "running" {
            format!("{state} {health} {networks:?} {ports:?} {names:?}")
        } else {
            // `Exited (0) 5 minutes ago` counts the minutes too.
            format!("{state} {names:?}")
        };
        Some(Self {
            id: summary.id?.into(),
            // Links of other containers show up as further names with two slashes.
            name: names
                .iter()
                .map(|name| name.trim_start_matches('/'))
                .find(|name| !name.contains('/'))
                .unwrap_or("")
                .to_owned(),
            labels: summary.labels.unwrap_or_default().into_iter().collect(),
            running: state == "running",
            paused: state == "paused",
            mark,
        })
    }
}
