//! What the control plane tells the ACME provider: which certificates the configuration in force asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use trafficcop_config::dynamic::RouterTls;
use trafficcop_config::settings::Settings;
use trafficcop_config::settings::certificates;
use trafficcop_provider::ProviderError;
use trafficcop_provider_acme::{Demand, Demands, Shared, Stage};
use trafficcop_router::Syntax;
use trafficcop_router::rule::{parse_http, parse_tcp};
use trafficcop_snapshot::Snapshot;

/// The ends that the root holds.
#[derive(Clone)]
pub(crate) struct Acme {
    pub(crate) stage: Stage,
    demands: watch::Sender<Arc<Demands>>,
    /// The resolvers that there are, and whether they speak ACME.
    known: Arc<BTreeMap<String, bool>>,
}

impl Acme {
    pub(crate) fn new(settings: &Settings) -> Self {
        let all = settings.certificates_resolvers.iter();
        let known = all.map(|(name, resolver)| (name.clone(), resolver.acme.is_some())).collect();
        Self { stage: Stage::default(), demands: watch::Sender::default(), known: Arc::new(known) }
    }

    /// A new configuration is in force.
    pub(crate) fn tell(&self, snapshot: &Snapshot) {
        let demands = Arc::new(demands(snapshot));
        let before = Arc::clone(&self.demands.borrow());
        for demand in demands.wanted.iter().filter(|demand| !before.wanted.contains(demand)) {
            let (resolver, names) = (&demand.resolver, demand.names.join(", "));
            match self.known.get(resolver) {
                Some(true) => {}
                Some(false) => tracing::error!(
                    %resolver, names,
                    "A router uses a certificate resolver that brings no certificate: only those with acme do in this build."
                ),
                None => tracing::error!(%resolver, names, "A router uses a nonexistent certificate resolver."),
            }
        }
        self.demands.send_if_modified(|before| {
            let is_new = *before != demands;
            *before = demands;
            is_new
        });
    }

    /// What the provider is started with; None when no resolver speaks ACME.
    pub(crate) fn settings(&self, settings: &Settings) -> Option<trafficcop_provider_acme::Settings> {
        let acme = settings.certificates_resolvers.iter();
        let resolvers = acme.filter_map(|(name, resolver)| Some((name.clone(), resolver.acme.clone()?)));
        let resolvers = resolvers.collect::<BTreeMap<_, _>>();
        let demands = self.demands.subscribe();
        let shared = shared(&resolvers);
        (!resolvers.is_empty()).then(|| trafficcop_provider_acme::Settings {
            shared,
            resolvers,
            demands,
            stage: self.stage.clone(),
        })
    }
}

/// The stores that resolvers share with other instances; those of the same settings are one.
fn shared(resolvers: &BTreeMap<String, certificates::Acme>) -> BTreeMap<String, Result<Shared, String>> {
    let mut opened: Vec<(&certificates::SharedStorage, Result<Shared, String>)> = Vec::new();
    let mut found = BTreeMap::new();
    for (name, acme) in resolvers {
        let Some(settings) = &acme.shared_storage else { continue };
        let known = opened.iter().find(|(known, _)| *known == settings).map(|(_, one)| one.clone());
        let one = known.unwrap_or_else(|| {
            let place = format!("certificatesResolvers.{name}.acme.sharedStorage");
            let one = open(settings).map_err(|error| error.to_string().replace("providers", &place));
            opened.push((settings, one.clone()));
            one
        });
        found.insert(name.clone(), one);
    }
    found
}

fn open(settings: &certificates::SharedStorage) -> Result<Shared, ProviderError> {
    #[cfg(feature = "redis")]
    if let Some(redis) = &settings.redis {
        return trafficcop_provider_redis::shared(redis);
    }
    #[cfg(feature = "etcd")]
    if let Some(etcd) = &settings.etcd {
        return trafficcop_provider_etcd::shared(etcd);
    }
    #[cfg(feature = "consul")]
    if let Some(consul) = &settings.consul {
        return trafficcop_provider_consul::shared(consul);
    }
    let names =
        [(settings.redis.is_some(), "redis"), (settings.etcd.is_some(), "etcd"), (settings.consul.is_some(), "consul")];
    let name = names.into_iter().find(|(is_set, _)| *is_set).map_or("the store", |(_, name)| name);
    Err(ProviderError(format!("providers.{name}: this build is without it (cargo feature {name})")))
}

fn demands(snapshot: &Snapshot) -> Demands {
    let mut wanted = Vec::new();
    for router in snapshot.merged.http.routers.values() {
        let router = &router.object.settings.value;
        let named = || parse_http(&router.rule, Syntax::named(&router.rule_syntax)).map(|rule| rule.domains().to_vec());
        wanted.extend(router.tls.iter().flat_map(|tls| asked(tls, || named().unwrap_or_default())));
    }
    for router in snapshot.merged.tcp.routers.values() {
        let router = &router.settings.value;
        let named = || parse_tcp(&router.rule, Syntax::named(&router.rule_syntax)).map(|rule| rule.domains());
        wanted.extend(router.tls.iter().flat_map(|tls| asked(tls, || named().unwrap_or_default())));
    }
    let default = snapshot.merged.tls.stores.get("default").and_then(|store| store.default_generated_cert.as_ref());
    wanted.extend(default.and_then(|generated| {
        let domain = generated.domain.as_ref()?;
        demand(&generated.resolver, [vec![domain.main.clone()], domain.sans.clone()].concat())
    }));
    let certificates = snapshot.tls.store().certificates().iter();
    let present = certificates.flat_map(|one| one.names.iter().map(ToString::to_string)).collect();
    Demands { wanted, present }
}

/// The domains of a router's TLS section, else those that its rule names, as one certificate.
fn asked(tls: &RouterTls, named: impl Fn() -> Vec<String>) -> Vec<Demand> {
    let lists = if tls.cert_resolver.is_empty() {
        Vec::new()
    } else if tls.domains.is_empty() {
        vec![named()]
    } else {
        tls.domains.iter().map(|domain| [vec![domain.main.clone()], domain.sans.clone()].concat()).collect()
    };
    lists.into_iter().filter_map(|names| demand(&tls.cert_resolver, names)).collect()
}

/// The names in the form in which certificates carry them; None when there is none.
fn demand(resolver: &str, names: Vec<String>) -> Option<Demand> {
    let mut known = Vec::new();
    for name in names {
        let name = name.trim().trim_end_matches('.').to_lowercase();
        if !name.is_empty() && name != "*" && !known.contains(&name) {
            known.push(name);
        }
    }
    (!resolver.is_empty() && !known.is_empty()).then(|| Demand { resolver: resolver.to_owned(), names: known })
}
