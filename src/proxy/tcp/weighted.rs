//! [`Weighted`]: a TCP service made of services that take turns by weight.

use std::sync::Arc;

use trafficcop_balancer::{Asked, Balancer, Candidate, Status, WeightedRoundRobin};
use trafficcop_exchange::{LocalBoxFuture, TcpConnection, TcpService};

/// See the module.
pub struct Weighted {
    name: Box<str>,
    balancer: Balancer<Arc<dyn TcpService>>,
    health: Arc<Status>,
}

/// A service below, with its share and, if it may be passed over while it is down, its state.
pub struct Child {
    pub name: Box<str>,
    pub weight: f64,
    pub status: Arc<Status>,
    pub service: Arc<dyn TcpService>,
}

impl Weighted {
    /// Children without a positive weight are never picked.
    pub fn new(name: &str, children: Vec<Child>) -> Self {
        let members = children.into_iter().filter(|child| child.weight > 0.0);
        let members =
            members.map(|child| (Candidate::new(child.name, child.weight, false, child.status), child.service));
        let balancer = Balancer::new(members, |all| Box::new(WeightedRoundRobin::new(all)));
        let health = Status::any_of(balancer.candidates().iter().map(|candidate| &candidate.status));
        Self { name: name.into(), balancer, health }
    }

    /// Up while one child is.
    pub fn health(&self) -> Arc<Status> {
        Arc::clone(&self.health)
    }
}

impl TcpService for Weighted {
    fn serve(&self, connection: TcpConnection) -> LocalBoxFuture<'_, ()> {
        let Some(index) = self.balancer.pick(&Asked { key: b"", dice: 0, tried: &[] }) else {
            tracing::debug!(service = %self.name, peer = %connection.peer, "No service is up.");
            return Box::pin(std::future::ready(()));
        };
        self.balancer.target(index).serve(connection)
    }
}
