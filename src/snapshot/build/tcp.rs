//! TCP and UDP services and middlewares: from settings that were checked to what carries bytes. What has the settings and
//! parts of last time is kept, and with it turns, health and counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use trafficcop_balancer::Status;
use trafficcop_config::Name;
use trafficcop_config::dynamic::{Middleware, tcp, udp as udp_settings};
use trafficcop_exchange::{ConnFilter, TcpService, UdpFilter, UdpService};
use trafficcop_middleware as middleware;
use trafficcop_proxy::tcp::{Child, Servers, Transport, Weighted};
use trafficcop_proxy::udp;

use super::pass::{Failure, Pass};
use super::words;
use crate::Protocol;

/// What the last pass built, and what this one has built so far.
#[derive(Default)]
pub(super) struct TcpMemory {
    before: Kept,
    now: Kept,
}

#[derive(Default)]
struct Kept {
    services: BTreeMap<Name, KeptService>,
    filters: BTreeMap<(Name, Name), (Middleware, Arc<dyn ConnFilter>)>,
    udp: BTreeMap<Name, KeptUdp>,
    udp_filters: BTreeMap<(Name, Name), (Middleware, Arc<dyn UdpFilter>)>,
}

#[derive(Clone)]
struct KeptService {
    settings: tcp::Service,
    transport: Option<tcp::ServersTransport>,
    children: Vec<Arc<dyn TcpService>>,
    built: BuiltTcp,
}

#[derive(Clone)]
struct KeptUdp {
    settings: udp_settings::Service,
    children: Vec<Arc<dyn UdpService>>,
    built: Arc<dyn UdpService>,
}

#[derive(Clone)]
pub(super) struct BuiltTcp {
    pub(super) service: Arc<dyn TcpService>,
    health: Arc<Status>,
    servers: Option<Arc<Servers>>,
}

impl crate::Servers for Servers {
    fn status(&self) -> Vec<(String, bool)> {
        Servers::status(self)
    }
}

impl TcpMemory {
    /// What this pass did not need ends here.
    pub(super) fn forget_the_rest(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }
}

impl Pass<'_> {
    /// A service that was checked: it exists, has one kind, and does not contain itself.
    pub(super) fn tcp_service(&mut self, name: &Name, report: &mut Protocol) -> Result<BuiltTcp, Failure> {
        if let Some(known) = self.memory.tcp.now.services.get(name) {
            return Ok(known.built.clone());
        }
        let merged = self.merged;
        let Some(object) = merged.tcp.services.get(name) else {
            return Err(Failure::new(format!("the service {:?} does not exist", name.as_str())));
        };
        let settings = object.settings.value.clone();
        let mut children = Vec::new();
        for child in settings.weighted.iter().flat_map(|weighted| &weighted.services) {
            let below = Name::qualify(&child.name, name.provider());
            children.push((child.clone(), below.clone(), self.tcp_service(&below, report)?));
        }
        let transport = settings.load_balancer.as_ref().map(|load_balancer| self.tcp_transport(name, load_balancer));
        let below: Vec<_> = children.iter().map(|(_, _, built)| Arc::clone(&built.service)).collect();
        let kept =
            self.memory.tcp.before.services.get(name).filter(|kept| {
                kept.settings == settings && kept.transport == transport && same(&kept.children, &below)
            });
        let kept = if let Some(kept) = kept {
            kept.clone()
        } else {
            let built = self.build_tcp_service(name, &settings, transport.as_ref(), children)?;
            KeptService { settings, transport, children: below, built }
        };
        let built = kept.built.clone();
        if let Some(servers) = &built.servers {
            let servers: Arc<dyn crate::Servers> = Arc::<Servers>::clone(servers);
            report.services.entry(name.clone()).or_default().servers = Some(servers);
        }
        self.memory.tcp.now.services.insert(name.clone(), kept);
        Ok(built)
    }

    /// The settings that hold for the servers of a load balancer, old places of the same options included.
    fn tcp_transport(&self, service: &Name, load_balancer: &tcp::LoadBalancer) -> tcp::ServersTransport {
        let transports = &self.merged.tcp.servers_transports;
        let named = !load_balancer.servers_transport.is_empty();
        let name = if named {
            Name::qualify(&load_balancer.servers_transport, service.provider())
        } else {
            Name::qualify("default", "internal")
        };
        let found = transports.get(&name).map(|transport| transport.settings.value.clone());
        let mut settings = found.unwrap_or_default();
        if !named {
            // As in Traefik, the default transport's own delay is not asked.
            settings.termination_delay =
                trafficcop_config::Duration::from_nanos(load_balancer.termination_delay.unwrap_or(0));
            settings.proxy_protocol = load_balancer.proxy_protocol.clone().or(settings.proxy_protocol);
        }
        settings
    }

    fn build_tcp_service(
        &self,
        name: &Name,
        settings: &tcp::Service,
        transport: Option<&tcp::ServersTransport>,
        children: Vec<(trafficcop_config::dynamic::WeightedChild, Name, BuiltTcp)>,
    ) -> Result<BuiltTcp, Failure> {
        if let (Some(load_balancer), Some(transport)) = (&settings.load_balancer, transport) {
            let transport = Transport::new(transport).map_err(|error| Failure::new(error.to_string()))?;
            let control = &self.environment.control;
            let servers = Arc::new(Servers::new(name.as_str(), load_balancer, Arc::new(transport), control));
            let service: Arc<dyn TcpService> = Arc::<Servers>::clone(&servers);
            return Ok(BuiltTcp { service, health: servers.health(), servers: Some(servers) });
        }
        let asks_health = settings.weighted.as_ref().is_some_and(|weighted| weighted.health_check.is_some());
        let children = children.into_iter().map(|(settings, name, built)| Child {
            name: name.as_str().into(),
            weight: settings.weight.unwrap_or(1) as f64,
            status: if asks_health { built.health } else { Status::leaf() },
            service: built.service,
        });
        let weighted = Arc::new(Weighted::new(name.as_str(), children.collect()));
        let health = weighted.health();
        Ok(BuiltTcp { service: weighted, health, servers: None })
    }

    /// A middleware for `router`, for which alone it counts.
    pub(super) fn tcp_filter(&mut self, router: &Name, name: &Name) -> Result<Arc<dyn ConnFilter>, Failure> {
        let Some(object) = self.merged.tcp.middlewares.get(name) else {
            return Err(Failure::new(format!("middleware {:?} does not exist", name.as_str())));
        };
        let settings = object.settings.value.clone();
        let key = (router.clone(), name.clone());
        let known = |kept: &Kept| {
            kept.filters.get(&key).filter(|(before, _)| *before == settings).map(|(_, filter)| Arc::clone(filter))
        };
        let filter = match known(&self.memory.tcp.now).or_else(|| known(&self.memory.tcp.before)) {
            Some(filter) => filter,
            None => build_filter(name, &settings)?,
        };
        self.memory.tcp.now.filters.insert(key, (settings, Arc::clone(&filter)));
        Ok(filter)
    }

    /// A service that was checked.
    pub(super) fn udp_service(&mut self, name: &Name) -> Result<Arc<dyn UdpService>, Failure> {
        if let Some(known) = self.memory.tcp.now.udp.get(name) {
            return Ok(Arc::clone(&known.built));
        }
        let Some(object) = self.merged.udp.services.get(name) else {
            return Err(Failure::new(format!("the UDP service {:?} does not exist", name.as_str())));
        };
        let settings = object.settings.value.clone();
        let mut children = Vec::new();
        for child in settings.weighted.iter().flat_map(|weighted| &weighted.services) {
            let below = Name::qualify(&child.name, name.provider());
            let weight = child.weight.unwrap_or(1) as f64;
            children.push((Box::from(below.as_str()), weight, self.udp_service(&below)?));
        }
        let below: Vec<_> = children.iter().map(|(_, _, child)| Arc::clone(child)).collect();
        let kept = self.memory.tcp.before.udp.get(name);
        let kept = kept.filter(|kept| kept.settings == settings && same(&kept.children, &below));
        let kept = if let Some(kept) = kept {
            kept.clone()
        } else {
            let built: Arc<dyn UdpService> = match &settings.load_balancer {
                Some(load_balancer) => {
                    let built = udp::Servers::new(name.as_str(), load_balancer, &self.environment.control);
                    Arc::new(built.map_err(|error| Failure::new(error.to_string()))?)
                }
                None => Arc::new(udp::Weighted::new(children)),
            };
            KeptUdp { settings, children: below, built }
        };
        let built = Arc::clone(&kept.built);
        self.memory.tcp.now.udp.insert(name.clone(), kept);
        Ok(built)
    }

    /// A middleware for the UDP router `router`, for which alone it counts.
    pub(super) fn udp_filter(&mut self, router: &Name, name: &Name) -> Result<Arc<dyn UdpFilter>, Failure> {
        let middlewares = &self.merged.udp.middlewares;
        let Some(object) = middlewares.get(name) else {
            let hint = trafficcop_merger::nearest(name, middlewares.keys());
            return Err(Failure::hinting(format!("middleware {:?} does not exist", name.as_str()), hint));
        };
        let settings = object.settings.value.clone();
        let key = (router.clone(), name.clone());
        let known = |kept: &Kept| {
            kept.udp_filters.get(&key).filter(|(before, _)| *before == settings).map(|(_, filter)| Arc::clone(filter))
        };
        let filter = match known(&self.memory.tcp.before) {
            Some(filter) => filter,
            None => build_udp_filter(name, &settings)?,
        };
        self.memory.tcp.now.udp_filters.insert(key, (settings, Arc::clone(&filter)));
        Ok(filter)
    }
}

fn build_filter(name: &Name, settings: &Middleware) -> Result<Arc<dyn ConnFilter>, Failure> {
    let [(kind, settings)] = settings.kinds.as_slice() else {
        let what = "invalid middleware type or middleware does not exist";
        return Err(Failure::new(format!("invalid middleware {:?} configuration: {what}", name.as_str())));
    };
    let Some(kind) = middleware::tcp::find(kind) else {
        let hint = trafficcop_merger::hint(kind, middleware::tcp::TCP_KINDS.iter().map(|kind| kind.name));
        let message =
            format!("invalid middleware {:?} configuration: {kind} is not a kind of TCP middleware", name.as_str());
        return Err(Failure::hinting(message, hint));
    };
    (kind.build)(settings).map_err(|error| Failure::new(words::middleware(&error.to_string())))
}

fn build_udp_filter(name: &Name, settings: &Middleware) -> Result<Arc<dyn UdpFilter>, Failure> {
    let [(kind, settings)] = settings.kinds.as_slice() else {
        return Err(Failure::new(format!("middleware {:?} must have one kind", name.as_str())));
    };
    let Some(found) = middleware::udp::find(kind) else {
        let hint = trafficcop_merger::hint(kind, middleware::udp::UDP_KINDS.iter().map(|kind| kind.name));
        return Err(Failure::hinting(format!("{kind} is not a kind of UDP middleware"), hint));
    };
    (found.build)(settings).map_err(|error| Failure::new(words::middleware(&error.to_string())))
}

fn same<T: ?Sized>(before: &[Arc<T>], now: &[Arc<T>]) -> bool {
    before.len() == now.len() && before.iter().zip(now).all(|(before, now)| Arc::ptr_eq(before, now))
}
