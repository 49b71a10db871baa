//! The Consul Catalog provider: services of Consul that describe themselves by tags.
//!
//! An instance is taken when its checks are in one of the states that the settings allow. With `watch`, two questions wait
//! at the server: for services that come, go or change their tags, and for checks that change; in a service mesh (Consul
//! Connect) two more, for our certificate and for the authorities. What must hold: losing Consul changes nothing of what
//! was published.

mod mesh;

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use trafficcop_config::settings::discovery::ConsulCatalog as CatalogSettings;
use trafficcop_provider::catalog::{Connect, Instance, Rules};
use trafficcop_provider::{Provider, ProviderError, Publisher};
use trafficcop_remote::RemoteError;
use trafficcop_remote::catalog::{AT_ONCE, Catalog, Pace, follow};
use trafficcop_remote::consul::{Access, Server};

use mesh::Material;

/// What the provider is told.
#[derive(Clone, Debug)]
pub struct Settings {
    pub catalog: CatalogSettings,
    /// Where its services are; none: where the token's are.
    pub namespace: Option<String>,
}

/// See the crate.
pub struct ConsulCatalog {
    consul: Consul,
    rules: Rules,
    pace: Pace,
}

/// Consul as a catalogue.
struct Consul {
    server: Server,
    settings: CatalogSettings,
    /// By tags alone, may a service be taken?
    filter: Rules,
    /// How far services and checks are known.
    services: Option<u64>,
    checks: Option<u64>,
    /// Our certificate in the mesh, if the settings ask for one.
    material: Option<Material>,
}

impl Provider for ConsulCatalog {
    const NAME: &'static str = "consulcatalog";
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, ProviderError> {
        let catalog = settings.catalog;
        for state in &catalog.strict_checks {
            if !STATES.contains(&state.as_str()) {
                let expected = STATES.join(", ");
                let why = format!("{state:?} is not one of {expected}");
                return Err(ProviderError(format!("providers.consulCatalog.strictChecks: {why}")));
            }
        }
        let poll = catalog.refresh_interval.positive();
        let poll =
            poll.ok_or_else(|| ProviderError("providers.consulCatalog.refreshInterval must be above 0".into()))?;
        Ok(Self {
            rules: rules(&catalog)?,
            pace: if catalog.watch { Pace::Watch(std::time::Duration::ZERO) } else { Pace::Poll(poll) },
            consul: Consul {
                server: server(&catalog, settings.namespace)?,
                filter: rules(&catalog)?,
                material: catalog.connect_aware.then(|| Material::of(&catalog.service_name)),
                settings: catalog,
                services: None,
                checks: None,
            },
        })
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        match follow(&mut self.consul, &self.rules, self.pace, out).await {}
    }
}

/// Of checks, from bad to good; `any` stands for whatever they are.
const STATES: [&str; 5] = ["maintenance", "critical", "warning", "passing", "any"];

fn rules(catalog: &CatalogSettings) -> Result<Rules, ProviderError> {
    let texts = (catalog.constraints.as_str(), catalog.default_rule.as_str());
    let connect = Connect { is_aware: catalog.connect_aware, by_default: catalog.connect_by_default };
    let rules =
        Rules::new("providers.consulCatalog", "consulcatalog", &catalog.prefix, catalog.exposed_by_default, texts)?;
    Ok(rules.with_connect(connect))
}

/// What the settings leave open, the variables of Consul's own client say.
fn server(catalog: &CatalogSettings, namespace: Option<String>) -> Result<Server, ProviderError> {
    let endpoint = &catalog.endpoint;
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let address = Some(endpoint.address.clone()).filter(|address| !address.is_empty());
    let address = address.or_else(|| variable("CONSUL_HTTP_ADDR")).unwrap_or_else(|| "127.0.0.1:8500".into());
    let token = Some(endpoint.token.reveal().to_owned()).filter(|token| !token.is_empty());
    let token = token.or_else(|| variable("CONSUL_HTTP_TOKEN")).unwrap_or_default();
    let basic = endpoint.http_auth.as_ref().filter(|auth| !auth.username.is_empty());
    let mut always = Vec::new();
    let flags = [("stale", catalog.stale), ("consistent", catalog.require_consistent)];
    always.extend(flags.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| (name, String::new())));
    always.extend(Some(("dc", endpoint.datacenter.clone())).filter(|(_, center)| !center.is_empty()));
    always.extend(namespace.map(|namespace| ("ns", namespace)));
    let access = Access {
        addresses: vec![address],
        scheme: &endpoint.scheme,
        tls: endpoint.tls.as_ref(),
        token: Some(("X-Consul-Token", &token)),
        basic: basic.map(|auth| (auth.username.as_str(), auth.password.reveal())),
        always,
        wait: endpoint.endpoint_wait_time.positive(),
    };
    Server::new(access, "providers.consulCatalog.endpoint")
}

/// An instance as Consul shows it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    node: Node,
    service: Service,
    #[serde(default)]
    checks: Vec<Check>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    #[serde(rename = "Node")]
    name: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    datacenter: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    #[serde(rename = "ID")]
    id: String,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    address: String,
    #[serde(default)]
    port: u32,
    #[serde(default)]
    namespace: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Check {
    #[serde(rename = "CheckID", default)]
    id: String,
    #[serde(default)]
    status: String,
}

impl Catalog for Consul {
    async fn changed(&mut self) -> Result<(), RemoteError> {
        let services = self.server.ask::<IgnoredAny>("/v1/catalog/services", &[], self.services);
        let checks = self.server.ask::<IgnoredAny>("/v1/health/state/any", &[], self.checks);
        if self.services.is_none() || self.checks.is_none() {
            let (services, checks) = (services.await?, checks.await?);
            (self.services, self.checks) = (Some(services.index), Some(checks.index));
            return Ok(());
        }
        let mesh = async {
            match &self.material {
                Some(material) => material.changed(&self.server).await,
                None => std::future::pending().await,
            }
        };
        // Silence is as good as news: what is listed then is what is known.
        tokio::select! {
            answer = services => self.services = Some(answer?.index),
            answer = checks => self.checks = Some(answer?.index),
            () = mesh => {}
        }
        Ok(())
    }

    async fn list(&mut self) -> Result<Vec<Instance>, RemoteError> {
        let cached = [("cached", "")];
        let parameters = if self.settings.cache { &cached[..] } else { &[] };
        let services =
            self.server.ask::<BTreeMap<String, Vec<String>>>("/v1/catalog/services", parameters, None).await?;
        let mut names = services.value.unwrap_or_default();
        names.retain(|_, tags| {
            self.filter.may_concern(tags) && (self.material.is_some() || !self.filter.is_in_mesh(tags))
        });
        if let Some(material) = &mut self.material {
            material.refresh(&self.server).await;
        }
        let (server, filter, material) = (&self.server, &self.filter, self.material.as_ref());
        let lists = stream::iter(names)
            .map(|(name, tags)| async move {
                let is_in_mesh = filter.is_in_mesh(&tags);
                let kind = if is_in_mesh { "connect" } else { "service" };
                let path = format!("/v1/health/{kind}/{}", utf8_percent_encode(&name, NON_ALPHANUMERIC));
                let listed = server.ask::<Vec<Shown>>(&path, parameters, None).await?;
                Ok::<_, RemoteError>((name, material.filter(|_| is_in_mesh), listed.value.unwrap_or_default()))
            })
            .buffered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        let mut instances = Vec::new();
        for (name, material, shown) in lists {
            let fit = shown.into_iter().filter(|shown| self.is_fit(state(&shown.checks)));
            instances.extend(fit.map(|shown| instance(&name, shown, material)));
        }
        Ok(instances)
    }
}

impl Consul {
    fn is_fit(&self, state: &str) -> bool {
        self.settings.strict_checks.iter().any(|allowed| allowed == state || allowed == "any")
    }
}

/// The worst of all checks.
fn state(checks: &[Check]) -> &'static str {
    let is_held = |check: &Check| check.id == "_node_maintenance" || check.id.starts_with("_service_maintenance:");
    if checks.iter().any(is_held) {
        return "maintenance";
    }
    let worst = ["critical", "warning"].into_iter().find(|state| checks.iter().any(|check| check.status == *state));
    worst.unwrap_or("passing")
}

/// Those of a mesh are proxies, or the services themselves, and go by the name of the service that is meant.
fn instance(name: &str, shown: Shown, material: Option<&Material>) -> Instance {
    let Shown { node, service, .. } = shown;
    let address = if service.address.is_empty() { node.address } else { service.address };
    Instance {
        mesh: material.and_then(|material| material.mesh(&service.namespace, &node.datacenter, name)),
        name: name.to_owned(),
        node: node.name,
        id: service.id,
        address,
        port: service.port.to_string(),
        tags: service.tags.unwrap_or_default(),
        is_empty: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_check_counts() {
        let check = |id: &str, status: &str| Check { id: id.into(), status: status.into() };
        assert_eq!(state(&[]), "passing");
        assert_eq!(state(&[check("a", "passing"), check("b", "warning")]), "warning");
        assert_eq!(state(&[check("a", "warning"), check("b", "critical")]), "critical");
        assert_eq!(state(&[check("_service_maintenance:web", "critical")]), "maintenance");
    }

    #[test]
    fn settings_that_can_never_work() {
        let catalog = CatalogSettings { strict_checks: vec!["pasing".into()], ..CatalogSettings::default() };
        let error = ConsulCatalog::new(Settings { catalog, namespace: None }).map(drop).unwrap_err().to_string();
        let expected = "providers.consulCatalog.strictChecks: \"pasing\" is not one of maintenance, critical, warning, passing, any";
        assert_eq!(error, expected);
    }
}
