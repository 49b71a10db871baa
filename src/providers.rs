//! The registry of providers: one line each, and what keeps them running.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use trafficcop_config::settings::Settings;
use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem};
use trafficcop_provider::backoff::Backoff;
use trafficcop_provider::publisher::MiddlewareCheck;
use trafficcop_provider::{Event, Provider, ProviderError, Publisher, States};

use crate::last_good::Restored;

/// Before a provider that failed is started again, at first and at most. One that ran longer than this counts as new.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Starts a provider if the settings ask for it.
type Start = fn(&Settings, &Starter);

/// Every provider of this build, sorted.
const PROVIDERS: &[Start] = &[
    #[cfg(feature = "acme")]
    |settings, starter| starter.start::<trafficcop_provider_acme::Acme>(starter.acme.settings(settings)),
    #[cfg(feature = "consul")]
    consul,
    #[cfg(feature = "consul")]
    consul_catalog,
    #[cfg(feature = "docker")]
    |settings, starter| starter.start::<trafficcop_provider_docker::Docker>(settings.providers.docker.clone()),
    #[cfg(feature = "docker")]
    docker_hosts,
    #[cfg(feature = "ecs")]
    |settings, starter| starter.start::<trafficcop_provider_ecs::Ecs>(settings.providers.ecs.clone()),
    #[cfg(feature = "etcd")]
    |settings, starter| starter.start::<trafficcop_provider_etcd::Etcd>(settings.providers.etcd.clone()),
    #[cfg(not(feature = "etcd"))]
    |settings, starter| starter.left_out("etcd", settings.providers.etcd.is_some()),
    |settings, starter| starter.start::<trafficcop_provider_file::File>(file(settings)),
    #[cfg(feature = "http")]
    |settings, starter| starter.start::<trafficcop_provider_http::Http>(settings.providers.http.clone()),
    #[cfg(feature = "nomad")]
    nomad,
    #[cfg(feature = "redis")]
    |settings, starter| starter.start::<trafficcop_provider_redis::Redis>(settings.providers.redis.clone()),
    #[cfg(feature = "docker")]
    |settings, starter| starter.start::<trafficcop_provider_docker::Swarm>(settings.providers.swarm.clone()),
    #[cfg(feature = "zookeeper")]
    |settings, starter| {
        starter.start::<trafficcop_provider_zookeeper::ZooKeeper>(settings.providers.zoo_keeper.clone());
    },
];

/// Starts every provider that the settings name; each runs on the current runtime until the process ends.
pub(crate) fn start(settings: &Settings, starter: &Starter) {
    for start in PROVIDERS {
        start(settings, starter);
    }
}

/// What every provider is given.
pub(crate) struct Starter {
    pub(crate) out: mpsc::Sender<Event>,
    pub(crate) check: MiddlewareCheck,
    #[cfg(feature = "acme")]
    pub(crate) acme: crate::acme::Acme,
    /// Where the state of each provider is shown.
    pub(crate) states: States,
    /// What a provider said before the router was started; none of it when nothing was kept.
    pub(crate) restored: Restored,
}

impl Starter {
    /// A way to publish, whose state is shown.
    pub(crate) fn publisher(&self, name: &str) -> Publisher {
        let publisher = Publisher::new(name, self.out.clone(), self.check.clone());
        self.states.add(name, publisher.state());
        if let Some(configuration) = self.restored.get(name) {
            tracing::info!(provider = name, "What it said last is in force until it speaks.");
            let (provider, configuration) = (name.into(), Arc::new(configuration.clone()));
            // Before the provider runs: what it says comes after this.
            let said = Event::Configuration { provider, configuration, problems: ConfigErrors::default() };
            if self.out.try_send(said).is_err() {
                tracing::error!(provider = name, "What it said last finds no room.");
            }
        }
        publisher
    }

    /// This build does not have the provider that the settings ask for.
    #[cfg(not(feature = "etcd"))]
    fn left_out(&self, name: &str, is_wanted: bool) {
        if is_wanted {
            let publisher = self.publisher(name);
            let error = ProviderError(format!("providers.{name}: this build is without it (cargo feature {name})"));
            publisher.state().lost(&error);
            tokio::spawn(async move { publisher.refuse(unusable(&error)).await });
        }
    }

    fn start<P: Provider>(&self, settings: Option<P::Settings>) {
        self.start_named::<P>(P::NAME, settings);
    }

    /// Runs the provider under a name of its own, as there may be several of its kind: `consul-<namespace>`. Again and
    /// again, later and later; its last configuration stays in force meanwhile. One whose
    /// settings are unusable is left out, as Traefik does: the others keep serving, and the API shows why.
    fn start_named<P: Provider>(&self, name: &str, settings: Option<P::Settings>) {
        let Some(settings) = settings else { return };
        let publisher = self.publisher(name);
        let mut provider = match P::new(settings) {
            Ok(provider) => provider,
            Err(error) => {
                publisher.state().lost(&error);
                tokio::spawn(async move { publisher.refuse(unusable(&error)).await });
                return;
            }
        };
        tokio::spawn(async move {
            let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
            loop {
                let started = Instant::now();
                let Err(error) = provider.run(&publisher).await else { return };
                if started.elapsed() > LONGEST_PAUSE {
                    backoff.reset();
                }
                let pause = backoff.next(rand::random());
                publisher.state().lost(&error);
                tracing::error!(provider = publisher.provider(), %error, retry_in = ?pause, "Provider failed; it will be started again.");
                tokio::time::sleep(pause).await;
            }
        });
    }
}

/// Engines beside the one of `providers.docker`.
#[cfg(feature = "docker")]
fn docker_hosts(settings: &Settings, starter: &Starter) {
    for (name, docker) in &settings.providers.docker_hosts {
        let name = format!("docker-{name}");
        starter.start_named::<trafficcop_provider_docker::Docker>(&name, Some(docker.clone()));
    }
}

/// One for each namespace, or the one.
#[cfg(any(feature = "consul", feature = "nomad"))]
fn for_each<'a>(namespaces: &'a [String], name: &str, mut start: impl FnMut(&str, Option<&'a String>)) {
    if namespaces.is_empty() {
        return start(name, None);
    }
    for namespace in namespaces {
        start(&format!("{name}-{namespace}"), Some(namespace));
    }
}

#[cfg(feature = "consul")]
fn consul_catalog(settings: &Settings, starter: &Starter) {
    use trafficcop_provider_consul_catalog::{ConsulCatalog, Settings};
    let Some(catalog) = &settings.providers.consul_catalog else { return };
    for_each(&catalog.namespaces, ConsulCatalog::NAME, |name, namespace| {
        let settings = Settings { catalog: catalog.clone(), namespace: namespace.cloned() };
        starter.start_named::<ConsulCatalog>(name, Some(settings));
    });
}

#[cfg(feature = "nomad")]
fn nomad(settings: &Settings, starter: &Starter) {
    use trafficcop_provider_nomad::{Nomad, Settings};
    let Some(nomad) = &settings.providers.nomad else { return };
    for_each(&nomad.namespaces, Nomad::NAME, |name, namespace| {
        let settings = Settings { nomad: nomad.clone(), namespace: namespace.cloned() };
        starter.start_named::<Nomad>(name, Some(settings));
    });
}

#[cfg(feature = "consul")]
fn consul(settings: &Settings, starter: &Starter) {
    use trafficcop_provider_consul::{Consul, Settings};
    let Some(consul) = &settings.providers.consul else { return };
    for_each(&consul.namespaces, Consul::NAME, |name, namespace| {
        let settings = Settings { consul: consul.clone(), namespace: namespace.cloned() };
        starter.start_named::<Consul>(name, Some(settings));
    });
}

/// The settings of a provider cannot be used; the error names the option.
fn unusable(error: &ProviderError) -> ConfigErrors {
    let problem = Problem::Other { message: error.to_string() };
    ConfigErrors(vec![ConfigError { at: Origin::Unknown, path: String::new(), problem }])
}

/// The folder, or else the file.
fn file(settings: &Settings) -> Option<trafficcop_provider_file::Settings> {
    let file = settings.providers.file.as_ref()?;
    let source = match (file.directory.as_str(), file.filename.as_str()) {
        ("", "") => return None,
        ("", filename) => trafficcop_provider_file::Source::File(filename.into()),
        (directory, _) => trafficcop_provider_file::Source::Directory(directory.into()),
    };
    Some(trafficcop_provider_file::Settings {
        source,
        watch: file.watch,
        log_templates: file.debug_log_generated_template,
    })
}
