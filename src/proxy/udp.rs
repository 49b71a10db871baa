//! Which server a UDP session gets: load balancers, and services made of services.

use std::net::SocketAddr;
use std::sync::Arc;

use trafficcop_balancer::{Asked, Balancer, Candidate, Status, WeightedRoundRobin};
use trafficcop_config::dynamic::udp::LoadBalancer;
use trafficcop_exchange::UdpService;

/// A UDP load balancer.
pub struct Servers(Balancer<Arc<str>>);

impl Servers {
    /// Servers whose address has no port are left out.
    pub fn new(name: &str, settings: &LoadBalancer) -> Self {
        let mut members = Vec::new();
        for server in &settings.servers {
            if server.address.contains(':') {
                let candidate = Candidate::new(server.address.as_str(), 1.0, false, Status::leaf());
                members.push((candidate, Arc::from(server.address.as_str())));
            } else {
                tracing::error!(service = name, address = %server.address, "A UDP server needs an address host:port.");
            }
        }
        Self(Balancer::new(members, |all| Box::new(WeightedRoundRobin::new(all))))
    }

    /// Address as configured, and whether it is up.
    pub fn status(&self) -> Vec<(String, bool)> {
        self.0.candidates().iter().map(|one| (one.name.to_string(), one.status.is_up())).collect()
    }
}

impl UdpService for Servers {
    fn pick(&self, _client: SocketAddr) -> Option<Arc<str>> {
        let index = self.0.pick(&ASKED)?;
        Some(Arc::clone(self.0.target(index)))
    }
}

const ASKED: Asked<'static> = Asked { key: b"", dice: 0, tried: &[] };

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
