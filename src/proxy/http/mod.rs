//! HTTP towards servers: the load balancer, services made of services, and what carries them.

mod client;
mod failover;
mod forward;
mod hrw;
mod mirror;
mod servers;
mod transport;
mod weighted;

use std::sync::Arc;

use trafficcop_balancer::Status;
use trafficcop_exchange::Service;

pub use client::client;
pub use failover::Failover;
pub use forward::Forwarding;
pub use hrw::HighestRandomWeight;
pub use mirror::{Mirrored, Mirroring};
pub use servers::Servers;
pub use transport::Transport;
pub use weighted::Weighted;

/// One of the services a service is made of.
#[derive(Clone)]
pub struct Child {
    /// `name@provider`.
    pub name: String,
    /// None means 1; zero and below leave the child out.
    pub weight: Option<i64>,
    /// With whatever middlewares the child has around itself.
    pub service: Arc<dyn Service>,
    /// What [`Servers::health`], [`Weighted::health`] and so on gave: None when the child has no health check.
    pub health: Option<Arc<Status>>,
}
