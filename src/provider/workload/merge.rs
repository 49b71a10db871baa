//! Many workloads, one configuration.
//!
//! Equal definitions of one name are one; load balancers that differ in nothing but servers become one with the servers
//! of all; whatever else differs removes every definition of that name, for nobody can tell which one is meant.
//!
//! What must hold: a workload that is leaving never stands in the way of one that stays. It only keeps names known that
//! nobody else defines, so that its routes answer that nobody is there instead of not existing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trafficcop_config::dynamic::{Configuration, Objects, http, tcp, udp};
use trafficcop_config::{ConfigError, ConfigErrors, Origin, Problem};

/// What one workload contributes.
#[derive(Clone, Debug)]
pub struct Part {
    /// Orders the parts and names them in messages: the workload's name and its id.
    pub key: Arc<str>,
    pub configuration: Arc<Configuration>,
    /// The workload is on its way out; its configuration has no servers any more.
    pub leaving: bool,
}

/// Merges what each of several workloads contributes, which `part` finds out. One that cannot be understood is left out;
/// the errors say what was.
pub fn merge_each<W>(
    workloads: impl IntoIterator<Item = W>,
    part: impl Fn(W, &mut Vec<ConfigError>) -> Result<Option<Part>, ConfigErrors>,
) -> (Configuration, ConfigErrors) {
    let (mut parts, mut problems) = (Vec::new(), Vec::new());
    for workload in workloads {
        match part(workload, &mut problems) {
            Ok(part) => parts.extend(part),
            Err(errors) => problems.extend(errors.0),
        }
    }
    let (configuration, conflicts) = merge(parts);
    problems.extend(conflicts.0);
    (configuration, ConfigErrors(problems))
}

/// Merges in the order of the keys. The errors say which names were removed.
pub fn merge(mut parts: Vec<Part>) -> (Configuration, ConfigErrors) {
    parts.sort_by(|one, other| (one.leaving, &one.key).cmp(&(other.leaving, &other.key)));
    let mut errors = Vec::new();
    let http = sections(&parts, |it| it.http.as_ref());
    let tcp = sections(&parts, |it| it.tcp.as_ref());
    let udp = sections(&parts, |it| it.udp.as_ref());
    let tls = sections(&parts, |it| it.tls.as_ref());
    let mut whole = Configuration::default();

    let into = whole.http.get_or_insert_default();
    into.services =
        Kind("http", "services", "HTTP service").merged(&http, |it| &it.services, add_http_servers, &mut errors);
    into.routers = Kind("http", "routers", "HTTP router").merged(&http, |it| &it.routers, never, &mut errors);
    into.middlewares =
        Kind("http", "middlewares", "HTTP middleware").merged(&http, |it| &it.middlewares, never, &mut errors);
    into.servers_transports = Kind("http", "serversTransports", "HTTP servers transport").merged(
        &http,
        |it| &it.servers_transports,
        never,
        &mut errors,
    );
    let into = whole.tcp.get_or_insert_default();
    into.services =
        Kind("tcp", "services", "TCP service").merged(&tcp, |it| &it.services, add_tcp_servers, &mut errors);
    into.routers = Kind("tcp", "routers", "TCP router").merged(&tcp, |it| &it.routers, never, &mut errors);
    into.middlewares =
        Kind("tcp", "middlewares", "TCP middleware").merged(&tcp, |it| &it.middlewares, never, &mut errors);
    into.servers_transports = Kind("tcp", "serversTransports", "TCP servers transport").merged(
        &tcp,
        |it| &it.servers_transports,
        never,
        &mut errors,
    );
    let into = whole.udp.get_or_insert_default();
    into.services =
        Kind("udp", "services", "UDP service").merged(&udp, |it| &it.services, add_udp_servers, &mut errors);
    into.routers = Kind("udp", "routers", "UDP router").merged(&udp, |it| &it.routers, never, &mut errors);
    let into = whole.tls.get_or_insert_default();
    into.stores = Kind("tls", "stores", "TLS store").merged(&tls, |it| &it.stores, never, &mut errors);
    (whole, ConfigErrors(errors))
}

/// One section of each part that has it.
fn sections<'a, S>(parts: &'a [Part], section: impl Fn(&'a Configuration) -> Option<&'a S>) -> Vec<(&'a Part, &'a S)> {
    parts.iter().filter_map(|part| Some((part, section(&part.configuration)?))).collect()
}

/// Section, subsection and what messages call one object.
struct Kind(&'static str, &'static str, &'static str);

impl Kind {
    /// `join` adds what a later definition may add to an earlier one, or refuses.
    fn merged<S, T: Clone + PartialEq>(
        &self,
        parts: &[(&Part, &S)],
        objects: impl Fn(&S) -> &Objects<T>,
        join: impl Fn(&mut T, &T) -> bool,
        errors: &mut Vec<ConfigError>,
    ) -> Objects<T> {
        let mut whole: Objects<T> = BTreeMap::new();
        let mut places: BTreeMap<&String, Vec<(&str, Origin)>> = BTreeMap::new();
        let mut conflicting = BTreeSet::new();
        for (part, section) in parts {
            for (name, object) in objects(section) {
                if part.leaving {
                    if !conflicting.contains(name) {
                        whole.entry(name.clone()).or_insert_with(|| object.clone());
                    }
                    continue;
                }
                places.entry(name).or_default().push((&part.key, object.at.clone()));
                match whole.get_mut(name) {
                    None => drop(whole.insert(name.clone(), object.clone())),
                    Some(known) if known.value == object.value => {}
                    Some(known) => {
                        if !join(&mut known.value, &object.value) {
                            conflicting.insert(name);
                        }
                    }
                }
            }
        }
        for name in conflicting {
            whole.remove(name);
            errors.push(self.conflict(name, &places[name]));
        }
        whole
    }

    fn conflict(&self, name: &str, places: &[(&str, Origin)]) -> ConfigError {
        let Self(section, subsection, shown) = self;
        let keys = places.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(" ");
        let message = format!("{shown} defined multiple times with different configurations in [{keys}]");
        let at = places.iter().map(|(_, at)| at.clone()).find(|at| *at != Origin::Unknown).unwrap_or_default();
        ConfigError { at, path: format!("{section}.{subsection}.{name}"), problem: Problem::Other { message } }
    }
}

fn never<T>(_: &mut T, _: &T) -> bool {
    false
}

/// Appends servers that are new, where everything but the servers is equal.
macro_rules! add_servers {
    ($name:ident, $service:ty, $place:ident) => {
        fn $name(known: &mut $service, more: &$service) -> bool {
            let mut bare = more.clone();
            let (Some(ours), Some(theirs)) = (&mut known.load_balancer, &mut bare.load_balancer) else { return false };
            let mut servers = std::mem::take(&mut ours.servers);
            let added = std::mem::take(&mut theirs.servers);
            let mergeable = *known == bare;
            if mergeable {
                for server in added {
                    if !servers.iter().any(|known| known.$place == server.$place) {
                        servers.push(server);
                    }
                }
            }
            if let Some(ours) = &mut known.load_balancer {
                ours.servers = servers;
            }
            mergeable
        }
    };
}

add_servers!(add_http_servers, http::Service, url);
add_servers!(add_tcp_servers, tcp::Service, address);
add_servers!(add_udp_servers, udp::Service, address);
