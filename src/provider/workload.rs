//! [`Workload`]: a container, task or service that describes itself by labels; and the way from there to a
//! configuration, for every provider that reads labels.
//!
//! Knows no engine: addresses come from the caller. What must hold: a problem of one router drops that router, a problem
//! of a service, a port or a label drops the whole workload, and either way there is an error with the label's name.

mod http;
mod labels;
mod merge;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;

use std::collections::BTreeMap;
use std::sync::Arc;

use trafficcop_config::dynamic::{Configuration, Middleware};
use trafficcop_config::{At, ConfigError, ConfigErrors, Origin, Problem};

use crate::default_rule::{DefaultRule, Subject};

pub use merge::{Part, merge, merge_each};

/// What a provider knows of a workload.
#[derive(Clone, Copy, Debug)]
pub struct Workload<'a> {
    /// What messages call it.
    pub owner: &'a str,
    /// The name of its automatic router and service, already normalized.
    pub name: &'a str,
    /// What default rules know as `.Name` where that is not the same.
    pub plain_name: Option<&'a str>,
    /// What default rules know as `.ContainerName`.
    pub container_name: Option<&'a str>,
    pub labels: &'a BTreeMap<String, String>,
    /// Is it running and healthy? If not, its services are kept without servers.
    pub serving: bool,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// An IP address or a name, without brackets.
    pub host: String,
    pub port: String,
}

/// Why a server has no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    /// No label states the port and nothing is exposed.
    #[error("port is missing")]
    Port,
    #[error("{0}")]
    Other(String),
}

/// What the world around a workload says.
pub struct Surroundings<'a> {
    pub default_rule: &'a DefaultRule,
    /// The address of the server whose port label says so, or of the one with the lowest exposed port.
    pub address: &'a dyn Fn(Option<&str>) -> Result<Address, NoAddress>,
    pub check: Check<'a>,
}

/// Are these settings of a middleware acceptable? The path comes first.
pub type Check<'a> = &'a dyn Fn(&str, &At<Middleware>) -> Result<(), ConfigErrors>;

/// What a workload said, and what of it had to be left out.
#[derive(Debug, Default)]
pub struct Configured {
    pub configuration: Configuration,
    pub problems: ConfigErrors,
}

impl Workload<'_> {
    /// From labels to a configuration. An error means that the whole workload is left out.
    pub fn configure(&self, around: &Surroundings<'_>) -> Result<Configured, ConfigErrors> {
        let mut configuration = labels::decode(self, around.check)?;
        let mut problems = Problems { owner: self.owner.into(), fatal: Vec::new(), router: Vec::new() };
        problems.router.extend(labels::unknown_roots(self));

        let stream = {
            let tcp = configuration.tcp.get_or_insert_default();
            let udp = configuration.udp.get_or_insert_default();
            tcp::services(self, around, tcp, &mut problems);
            udp::services(self, around, udp, &mut problems);
            tcp::routers(tcp, &mut problems);
            udp::routers(udp, &mut problems);
            !(tcp.routers.is_empty() && tcp.services.is_empty() && udp.routers.is_empty() && udp.services.is_empty())
        };
        let http = configuration.http.get_or_insert_default();
        let silent = http.routers.is_empty() && http.services.is_empty() && http.middlewares.is_empty();
        if !(stream && silent) {
            http::services(self, around, http, &mut problems);
            http::routers(self, around.default_rule, http, &mut problems);
        }
        if problems.fatal.is_empty() {
            configuration.tls.get_or_insert_default();
            Ok(Configured { configuration, problems: ConfigErrors(problems.router) })
        } else {
            Err(ConfigErrors(problems.fatal))
        }
    }

    fn subject(&self) -> Subject<'_> {
        Subject { name: self.plain_name.unwrap_or(self.name), container_name: self.container_name, labels: self.labels }
    }
}

/// The same configuration with no server in any load balancer: what remains of a workload that is leaving.
pub fn without_servers(configuration: &Configuration) -> Configuration {
    let mut bare = configuration.clone();
    let http = bare.http.iter_mut().flat_map(|http| http.services.values_mut());
    http.filter_map(|service| service.load_balancer.as_mut()).for_each(|balancer| balancer.servers.clear());
    let tcp = bare.tcp.iter_mut().flat_map(|tcp| tcp.services.values_mut());
    tcp.filter_map(|service| service.load_balancer.as_mut()).for_each(|balancer| balancer.servers.clear());
    let udp = bare.udp.iter_mut().flat_map(|udp| udp.services.values_mut());
    udp.filter_map(|service| service.load_balancer.as_mut()).for_each(|balancer| balancer.servers.clear());
    bare
}

/// What was found wrong with one workload so far.
struct Problems {
    owner: Arc<str>,
    /// Reasons to drop the workload.
    fatal: Vec<ConfigError>,
    /// Reasons to drop one router.
    router: Vec<ConfigError>,
}

impl Problems {
    /// The whole workload is dropped, because of the service at this path.
    fn service(&mut self, at: &Origin, path: String, problem: Problem) {
        let at = self.place(at, &path);
        self.fatal.push(ConfigError { at, path, problem });
    }

    fn drop_router(&mut self, at: &Origin, path: String, message: String) {
        let at = self.place(at, &path);
        self.router.push(ConfigError { at, path, problem: Problem::Other { message } });
    }

    /// Where the object was written; an automatic one was written nowhere, so the label that would make it is named.
    fn place(&self, at: &Origin, path: &str) -> Origin {
        match at {
            Origin::Unknown => {
                Origin::Label { owner: Arc::clone(&self.owner), label: format!("traefik.{path}").into() }
            }
            written => written.clone(),
        }
    }
}

/// The one service that routers without a service of their own lead to.
enum Link {
    To(String),
    /// There is none.
    Nothing,
    /// There are several: nobody can tell which is meant.
    Ambiguous(String),
}

impl Link {
    fn among<'a>(mut services: impl Iterator<Item = &'a String>) -> Self {
        let (first, second) = (services.next(), services.next());
        match (first, second) {
            (Some(first), Some(second)) => {
                let all = [first, second].into_iter().chain(services).map(|name| format!("{name:?}"));
                Self::Ambiguous(format!("[{}]", all.collect::<Vec<_>>().join(" ")))
            }
            (Some(only), None) => Self::To(only.clone()),
            (None, _) => Self::Nothing,
        }
    }

    /// The service of the router of this name that has none, or why it must go.
    fn resolve(&self, router: &str) -> Result<String, String> {
        match self {
            Self::To(service) => Ok(service.clone()),
            Self::Nothing => Ok(String::new()),
            Self::Ambiguous(names) => {
                Err(format!("Router {router} cannot be linked automatically with multiple Services: {names}"))
            }
        }
    }
}

/// `host:port`, with brackets around an IPv6 address.
fn joined(address: &Address) -> String {
    if address.host.contains(':') {
        format!("[{}]:{}", address.host, address.port)
    } else {
        format!("{}:{}", address.host, address.port)
    }
}

/// Text as an argument that an address resolver understands.
fn stated(port: &str) -> Option<&str> {
    Some(port).filter(|port| !port.is_empty())
}

/// Why there is no address, as a problem of the service.
fn unreachable(reason: NoAddress) -> Problem {
    match reason {
        NoAddress::Port => Problem::Missing { field: "port".into() },
        NoAddress::Other(message) => Problem::Other { message },
    }
}
