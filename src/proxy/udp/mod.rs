//! Which server a UDP session gets: load balancers, and services made of services.

mod health;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::runtime::Handle;
use trafficcop_balancer::{Asked, Balancer, Candidate, HighestRandomWeight, Status, WeightedRoundRobin};
use trafficcop_config::dynamic::udp::LoadBalancer;
use trafficcop_exchange::UdpService;

use health::Checks;

/// A UDP load balancer.
pub struct Servers {
    balancer: Balancer<Arc<str>>,
    _checks: Option<Checks>,
}

/// The way of choosing has no such name.
#[derive(Debug, thiserror::Error)]
#[error("{0} is no strategy of UDP, expected wrr or hrw")]
pub struct UnknownStrategy(String);

impl Servers {
    /// Servers whose address has no port are left out. Health checks run on `control`.
    pub fn new(name: &str, settings: &LoadBalancer, control: &Handle) -> Result<Self, UnknownStrategy> {
        let mut members = Vec::new();
        for server in settings.servers.iter().filter(|server| weight(server.weight) > 0.0) {
            if server.address.contains(':') {
                let candidate = Candidate::new(server.address.as_str(), weight(server.weight), false, Status::leaf());
                members.push((candidate, Arc::from(server.address.as_str())));
            } else {
                tracing::error!(service = name, address = %server.address, "A UDP server needs an address host:port.");
            }
        }
        let balancer = match settings.strategy.to_ascii_lowercase().as_str() {
            "" | "wrr" => Balancer::new(members, |all| Box::new(WeightedRoundRobin::new(all))),
            "hrw" => Balancer::new(members, |_| Box::new(HighestRandomWeight)),
            _ => return Err(UnknownStrategy(settings.strategy.clone())),
        };
        let checks = settings.health_check.as_ref().map(|check| {
            let candidates = balancer.candidates().iter();
            let checked = candidates.map(|one| (one.name.to_string(), Arc::clone(&one.status))).collect();
            Checks::start(name, check, checked, control)
        });
        Ok(Self { balancer, _checks: checks })
    }

    /// Address as configured, and whether it is up.
    pub fn status(&self) -> Vec<(String, bool)> {
        self.balancer.candidates().iter().map(|one| (one.name.to_string(), one.status.is_up())).collect()
    }
}

impl UdpService for Servers {
    /// All ports of a client address have the same key.
    fn pick(&self, client: SocketAddr) -> Option<Arc<str>> {
        let octets = match client.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
            IpAddr::V6(ip) => ip.octets(),
        };
        let index = self.balancer.pick(&Asked { key: &octets, dice: 0, tried: &[] })?;
        Some(Arc::clone(self.balancer.target(index)))
    }
}

const ASKED: Asked<'static> = Asked { key: b"", dice: 0, tried: &[] };

fn weight(written: Option<i64>) -> f64 {
    written.unwrap_or(1) as f64
}

/// Services that take turns by weight.
pub struct Weighted(Balancer<Arc<dyn UdpService>>);

impl Weighted {
    /// Children without a positive weight are never picked.
    pub fn new(children: Vec<(Box<str>, f64, Arc<dyn UdpService>)>) -> Self {
        let members = children.into_iter().filter(|(_, weight, _)| *weight > 0.0);
        let members = members.map(|(name, weight, child)| (Candidate::new(name, weight, false, Status::leaf()), child));
        Self(Balancer::new(members, |all| Box::new(WeightedRoundRobin::new(all))))
    }
}

impl UdpService for Weighted {
    fn pick(&self, client: SocketAddr) -> Option<Arc<str>> {
        let index = self.0.pick(&ASKED)?;
        self.0.target(index).pick(client)
    }
}
