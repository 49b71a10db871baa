//! What the control plane tells the ACME provider: which certificates the configuration in force asks for.

use std::sync::Arc;

use tokio::sync::watch;
use trafficcop_config::dynamic::RouterTls;
use trafficcop_config::settings::Settings;
use trafficcop_provider_acme::{Demand, Demands, Stage};
use trafficcop_router::Syntax;
use trafficcop_router::rule::{parse_http, parse_tcp};
use trafficcop_snapshot::Snapshot;

/// The ends that the root holds.
#[derive(Clone, Default)]
pub(crate) struct Acme {
    pub(crate) stage: Stage,
    demands: watch::Sender<Arc<Demands>>,
}

impl Acme {
    /// A new configuration is in force.
    pub(crate) fn tell(&self, snapshot: &Snapshot) {
        let demands = Arc::new(demands(snapshot));
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
        let resolvers = resolvers.collect::<std::collections::BTreeMap<_, _>>();
        let demands = self.demands.subscribe();
        (!resolvers.is_empty()).then(|| trafficcop_provider_acme::Settings {
            resolvers,
            demands,
            stage: self.stage.clone(),
        })
    }
}

fn demands(snapshot: &Snapshot) -> Demands {
    let mut wanted = Vec::new();
    for router in snapshot.merged.http.routers.values() {
        let router = &router.object.settings.value;
        let named = || parse_http(&router.rule, Syntax::named(&router.rule_syntax)).map(|rule| rule.domains());
        wanted.extend(router.tls.iter().flat_map(|tls| asked(tls, || named().unwrap_or_default())));
    }
    for router in snapshot.merged.tcp.routers.values() {
        let router = &router.settings.value;
        let named = || parse_tcp(&router.rule, Syntax::named(&router.rule_syntax)).map(|rule| rule.domains());
        wanted.extend(router.tls.iter().flat_map(|tls| asked(tls, || named().unwrap_or_default())));
    }
    let certificates = snapshot.tls.store().certificates().iter();
    let present = certificates.flat_map(|one| one.names.iter().map(ToString::to_string)).collect();
    Demands { wanted, present }
}

/// The domains of a router's TLS section, else those that its rule names, as one certificate.
fn asked(tls: &RouterTls, named: impl Fn() -> Vec<String>) -> Vec<Demand> {
    if tls.cert_resolver.is_empty() {
        return Vec::new();
    }
    let lists = if tls.domains.is_empty() {
        vec![named()]
    } else {
        tls.domains.iter().map(|domain| [vec![domain.main.clone()], domain.sans.clone()].concat()).collect()
    };
    let demand = |mut names: Vec<String>| {
        names.retain(|name| !name.is_empty() && name != "*");
        Demand { resolver: tls.cert_resolver.clone(), names }
    };
    lists.into_iter().map(demand).filter(|demand| !demand.names.is_empty()).collect()
}
