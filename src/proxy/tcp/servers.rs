//! [`Servers`]: a TCP load balancer.

use std::sync::Arc;

use tokio::runtime::Handle;
use trafficcop_balancer::{Asked, Balancer, Candidate, Status, WeightedRoundRobin};
use trafficcop_config::dynamic::tcp::LoadBalancer;
use trafficcop_exchange::{LocalBoxFuture, TcpConnection, TcpService};

use super::health::Checks;
use super::pipe::both_ways;
use super::transport::{Client, Transport};

/// A server as it is written.
struct Server {
    address: Box<str>,
    tls: bool,
}

/// See the module. A connection that cannot be opened is tried with the other servers before the client's is closed.
pub struct Servers {
    name: Box<str>,
    balancer: Balancer<Server>,
    transport: Arc<Transport>,
    health: Arc<Status>,
    _checks: Option<Checks>,
}

impl Servers {
    /// Servers whose address has no port are left out. Health checks run on `control`.
    pub fn new(name: &str, settings: &LoadBalancer, transport: Arc<Transport>, control: &Handle) -> Self {
        let usable = settings.servers.iter().filter(|server| {
            let is_usable = server.address.contains(':');
            if !is_usable {
                tracing::error!(service = name, address = %server.address, "A TCP server needs an address host:port.");
            }
            is_usable
        });
        let members = usable.map(|server| {
            let candidate = Candidate::new(server.address.as_str(), 1.0, false, Status::leaf());
            (candidate, Server { address: server.address.as_str().into(), tls: server.tls })
        });
        let balancer = Balancer::new(members, |all| Box::new(WeightedRoundRobin::new(all)));
        let candidates = balancer.candidates();
        let health = Status::any_of(candidates.iter().map(|candidate| &candidate.status));
        let checks = settings.health_check.as_ref().map(|check| {
            let checked = candidates.iter().map(|one| (one.name.to_string(), Arc::clone(&one.status))).collect();
            Checks::start(name, check, checked, &transport, control)
        });
        Self { name: name.into(), balancer, transport, health, _checks: checks }
    }

    /// Up while one server is.
    pub fn health(&self) -> Arc<Status> {
        Arc::clone(&self.health)
    }

    /// Address as configured, and whether it is up.
    pub fn status(&self) -> Vec<(String, bool)> {
        self.balancer.candidates().iter().map(|one| (one.name.to_string(), one.status.is_up())).collect()
    }

    async fn run(&self, mut connection: TcpConnection) {
        let client = Client { peer: connection.peer, local: connection.local, asks_postgres: connection.asks_postgres };
        let mut tried = Vec::new();
        let mut server = loop {
            let asked = Asked { key: b"", dice: 0, tried: &tried };
            let Some(index) = self.balancer.pick(&asked) else {
                tracing::debug!(service = %self.name, peer = %client.peer, "No server can be reached.");
                return;
            };
            let server = self.balancer.target(index);
            match self.transport.dial(&server.address, server.tls, &client).await {
                Ok(stream) => break stream,
                Err(error) => {
                    tracing::debug!(service = %self.name, server = %server.address, %error, "Cannot reach a server.");
                    tried.push(index);
                }
            }
        };
        let delay = self.transport.termination_delay;
        if let Err(error) = both_ways(&mut *connection.stream, &mut *server, delay).await {
            tracing::debug!(service = %self.name, peer = %client.peer, %error, "A TCP connection broke off.");
        }
    }
}

impl TcpService for Servers {
    fn serve(&self, connection: TcpConnection) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.run(connection))
    }
}
