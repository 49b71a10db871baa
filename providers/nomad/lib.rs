//! The Nomad provider: services that Nomad itself keeps, and that describe themselves by tags.
//!
//! What must hold: losing Nomad changes nothing of what was published. Tested against a server of ours that answers as
//! Nomad's documentation says; no Nomad runs in the tests.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use trafficcop_config::settings::discovery::Nomad as NomadSettings;
use trafficcop_provider::catalog::{Instance, Rules};
use trafficcop_provider::{Provider, ProviderError, Publisher};
use trafficcop_remote::RemoteError;
use trafficcop_remote::catalog::{AT_ONCE, Catalog, Pace, follow};
use trafficcop_remote::consul::{Access, Server};

mod empty;
#[cfg(test)]
mod tests;

/// What the provider is told.
#[derive(Clone, Debug)]
pub struct Settings {
    pub nomad: NomadSettings,
    /// Where its services are; none: where the token's are.
    pub namespace: Option<String>,
}

/// See the crate.
pub struct Nomad {
    services: Services,
    rules: Rules,
    pace: Pace,
}

/// Nomad as a catalogue.
struct Services {
    server: Server,
    filter: Rules,
    /// How far the services are known.
    index: Option<u64>,
    /// Services of jobs that were scaled to nothing are kept.
    allow_empty: bool,
}

impl Provider for Nomad {
    const NAME: &'static str = "nomad";
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, ProviderError> {
        let nomad = settings.nomad;
        let poll = nomad.refresh_interval.positive();
        let poll = poll.ok_or_else(|| ProviderError("providers.nomad.refreshInterval must be above 0".into()))?;
        let throttle = nomad.throttle_duration.positive().unwrap_or(Duration::ZERO);
        Ok(Self {
            pace: if nomad.watch { Pace::Watch(throttle) } else { Pace::Poll(poll) },
            rules: rules(&nomad)?,
            services: Services {
                filter: rules(&nomad)?,
                server: server(&nomad, settings.namespace)?,
                index: None,
                allow_empty: nomad.allow_empty_services,
            },
        })
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        match follow(&mut self.services, &self.rules, self.pace, out).await {}
    }
}

fn rules(nomad: &NomadSettings) -> Result<Rules, ProviderError> {
    let texts = (nomad.constraints.as_str(), nomad.default_rule.as_str());
    Rules::new("providers.nomad", "nomad", &nomad.prefix, nomad.exposed_by_default, texts)
}

fn server(nomad: &NomadSettings, namespace: Option<String>) -> Result<Server, ProviderError> {
    let endpoint = &nomad.endpoint;
    let mut always = Vec::new();
    if nomad.stale {
        always.push(("stale", String::new()));
    }
    always.extend(Some(("region", endpoint.region.clone())).filter(|(_, region)| !region.is_empty()));
    always.extend(namespace.map(|namespace| ("namespace", namespace)));
    let access = Access {
        addresses: vec![endpoint.address.clone()],
        tls: endpoint.tls.as_ref(),
        token: Some(("X-Nomad-Token", endpoint.token.reveal())),
        always,
        wait: endpoint.endpoint_wait_time.positive(),
        ..Access::default()
    };
    Server::new(access, "providers.nomad.endpoint")
}

/// The services of one namespace.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Namespace {
    #[serde(default)]
    services: Vec<Stub>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stub {
    service_name: String,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// An instance as Nomad shows it: of an allocation that runs and whose checks do not fail.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Registration {
    #[serde(rename = "ID")]
    id: String,
    service_name: String,
    #[serde(rename = "NodeID", default)]
    node: String,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    address: String,
    #[serde(default)]
    port: u32,
}

impl Catalog for Services {
    async fn changed(&mut self) -> Result<(), RemoteError> {
        let answer = self.server.ask::<serde::de::IgnoredAny>("/v1/services", &[], self.index).await?;
        self.index = Some(answer.index);
        Ok(())
    }

    async fn list(&mut self) -> Result<Vec<Instance>, RemoteError> {
        let namespaces = self.server.ask::<Vec<Namespace>>("/v1/services", &[], None).await?;
        let stubs = namespaces.value.unwrap_or_default().into_iter().flat_map(|namespace| namespace.services);
        let wanted = stubs.filter(|stub| self.filter.may_concern(&trimmed(stub.tags.as_deref())));
        let paths =
            wanted.map(|stub| format!("/v1/service/{}", utf8_percent_encode(&stub.service_name, NON_ALPHANUMERIC)));
        let server = &self.server;
        let lists = stream::iter(paths)
            .map(|path| async move { server.ask::<Vec<Registration>>(&path, &[], None).await })
            .buffered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        let mut instances: Vec<_> =
            lists.into_iter().flat_map(|list| list.value.unwrap_or_default()).map(instance).collect();
        if self.allow_empty {
            instances.extend(empty::services(server, &self.filter).await?);
        }
        Ok(instances)
    }
}

/// Tags are often written over several lines.
fn trimmed(tags: Option<&[String]>) -> Vec<String> {
    tags.unwrap_or_default().iter().map(|tag| tag.trim().to_owned()).collect()
}

fn instance(shown: Registration) -> Instance {
    let tags = trimmed(shown.tags.as_deref());
    let (port, name) = (shown.port.to_string(), shown.service_name);
    Instance { name, node: shown.node, id: shown.id, address: shown.address, port, tags, ..Instance::default() }
}
