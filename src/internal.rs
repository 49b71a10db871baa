//! The services behind `…@internal`: those that the settings ask for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use trafficcop_api::{Api, Dashboard, Extras, Noop, Ping, Window};
use trafficcop_config::settings::Settings;
use trafficcop_exchange::Service;

use crate::measured::Measured;
use crate::providers::Starter;

/// By the local name that routers use: `api` for `api@internal`.
pub(crate) fn services(
    settings: &Arc<Settings>,
    window: &Window,
    stopping: &Arc<AtomicBool>,
    measured: &Measured,
    starter: &Starter,
) -> BTreeMap<String, Arc<dyn Service>> {
    let mut services: BTreeMap<String, Arc<dyn Service>> = BTreeMap::new();
    services.insert("noop".into(), Arc::new(Noop));
    if let Some(ping) = &settings.ping {
        services.insert("ping".into(), Arc::new(Ping::new(ping, Arc::clone(stopping))));
    }
    if let Some(prometheus) = measured.prometheus(window) {
        services.insert("prometheus".into(), Arc::new(prometheus));
    }
    if let Some(api) = &settings.api {
        let states = starter.states.clone();
        let extras = Extras { states, pulse: measured.pulse(), tail: measured.tail(), stopping: Arc::clone(stopping) };
        services.insert("api".into(), Arc::new(Api::new(Arc::clone(settings), window.clone(), extras)));
        if api.dashboard {
            services.insert("dashboard".into(), Arc::new(Dashboard::new(settings)));
        }
    }
    #[cfg(feature = "rest")]
    if settings.providers.rest.is_some() {
        services.insert("rest".into(), Arc::new(trafficcop_provider_rest::Rest::new(starter.publisher("rest"))));
    }
    services
}
