//! What a transport remembers of the servers in use, so that a service built anew finds them as they were.
//!
//! Nothing is kept alive by this: whoever uses an endpoint or a state holds it.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use trafficcop_balancer::Status;
use trafficcop_config::dynamic::http::{HealthCheck, LoadBalancer, PassiveHealthCheck};

use super::retired;
use super::server_url::{Scheme, ServerUrl};
use super::transport::Endpoint;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Known {
    endpoints: Mutex<Kept<(Scheme, Bytes), Weak<Endpoint>>>,
    /// By service and URL.
    states: Mutex<Kept<(String, String), State>>,
    /// The servers of each service as it was built last.
    services: Mutex<Kept<String, Vec<Weak<Endpoint>>>>,
}

/// A server's state, and the checks by which it has come about.
#[derive(Debug)]
struct State {
    status: Weak<Status>,
    active: Option<HealthCheck>,
    passive: Option<PassiveHealthCheck>,
}

impl Known {
    /// The endpoint of that server: connections are shared by whoever has the same one.
    pub(crate) fn endpoint(&self, url: &ServerUrl, build: impl FnOnce() -> Arc<Endpoint>) -> Arc<Endpoint> {
        let mut endpoints = self.endpoints.lock();
        let key = (url.scheme, url.authority.clone());
        if let Some(endpoint) = endpoints.map.get(&key).and_then(Weak::upgrade) {
            return endpoint;
        }
        let endpoint = build();
        endpoints.insert(key, Arc::downgrade(&endpoint), |endpoint| endpoint.strong_count() > 0);
        endpoint
    }

    /// Takes down with which servers a service was built. Those that it had before and has no more are retired: whoever
    /// waits for one of them is told.
    pub(crate) fn built<'a>(&self, service: &str, endpoints: impl Iterator<Item = &'a Arc<Endpoint>>) {
        let present: Vec<&Arc<Endpoint>> = endpoints.collect();
        let mut services = self.services.lock();
        let before = services.map.remove(service).unwrap_or_default();
        let mut has_retired = false;
        for endpoint in before.iter().filter_map(Weak::upgrade) {
            if !present.iter().any(|other| other.id == endpoint.id) {
                has_retired = true;
                endpoint.is_retired.store(true, Ordering::Relaxed);
            }
        }
        for endpoint in &present {
            endpoint.is_retired.store(false, Ordering::Relaxed);
        }
        let present = present.into_iter().map(Arc::downgrade).collect();
        let is_used = |endpoints: &Vec<Weak<Endpoint>>| endpoints.iter().any(|endpoint| endpoint.strong_count() > 0);
        services.insert(service.to_owned(), present, is_used);
        if has_retired {
            retired::announce();
        }
    }

    /// The state of a server of that service. One that was down stays so when the service is built anew, as long as the
    /// same checks will bring it back.
    pub(crate) fn status(&self, service: &str, url: &str, settings: &LoadBalancer) -> Arc<Status> {
        let (active, passive) = (&settings.health_check, &settings.passive_health_check);
        if active.is_none() && passive.is_none() {
            return Status::leaf();
        }
        let mut states = self.states.lock();
        let key = (service.to_owned(), url.to_owned());
        let known = states.map.get(&key).filter(|state| state.active == *active && state.passive == *passive);
        if let Some(status) = known.and_then(|state| state.status.upgrade()) {
            return status;
        }
        let status = Status::leaf();
        let state = State { status: Arc::downgrade(&status), active: active.clone(), passive: passive.clone() };
        states.insert(key, state, |state| state.status.strong_count() > 0);
        status
    }
}

/// A map that forgets what nobody uses, now and then.
#[derive(Debug)]
struct Kept<K, V> {
    map: HashMap<K, V, RandomState>,
    sweep_at: usize,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self { map: HashMap::default(), sweep_at: 64 }
    }
}

impl<K: Eq + std::hash::Hash, V> Kept<K, V> {
    fn insert(&mut self, key: K, value: V, is_used: impl Fn(&V) -> bool) {
        if self.map.len() >= self.sweep_at {
            self.map.retain(|_, value| is_used(value));
            self.sweep_at = self.map.len().max(32) * 2;
        }
        self.map.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &LoadBalancer, after: &LoadBalancer, stays_down: bool) {
        let known = Known::default();
        let old = known.status("s@file", "http://a", before);
        old.set(false);
        assert_eq!(known.status("s@file", "http://a", after).is_up(), !stays_down);
        assert!(known.status("s@file", "http://b", after).is_up());
        assert!(known.status("t@file", "http://a", after).is_up());
        drop(old);
        assert!(known.status("s@file", "http://a", after).is_up(), "nobody remembers");
    }

    #[test]
    fn who_is_down_stays_down_while_the_same_checks_go_on() {
        let none = LoadBalancer::default();
        let active = LoadBalancer { health_check: Some(HealthCheck::default()), ..none.clone() };
        let passive = LoadBalancer { passive_health_check: Some(PassiveHealthCheck::default()), ..none.clone() };
        check(&active, &active, true);
        check(&passive, &passive, true);
        check(&active, &none, false);
        check(&none, &active, false);
        check(&active, &passive, false);
    }

    #[test]
    fn what_nobody_uses_is_forgotten() {
        let known = Known::default();
        let active = LoadBalancer { health_check: Some(HealthCheck::default()), ..LoadBalancer::default() };
        for number in 0..1000 {
            known.status("s@file", &format!("http://{number}"), &active);
        }
        assert!(known.states.lock().map.len() <= 64);
    }
}
