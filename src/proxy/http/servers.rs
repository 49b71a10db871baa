//! [`Servers`]: the load balancer service.

use std::sync::Arc;

use tokio::runtime::Handle;
use trafficcop_balancer::Status;
use trafficcop_config::dynamic::http::LoadBalancer;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Request, Response, Service};

use super::{Forwarding, Transport};
use crate::BuildError;

/// See the module.
#[derive(Debug)]
pub struct Servers {}

impl Servers {
    /// Builds the service `name` (`name@provider`: it is part of the sticky cookie's name). Health checks run on
    /// `control` until the service is dropped.
    pub fn new(
        _name: &str,
        _settings: &LoadBalancer,
        _transport: Arc<Transport>,
        _forwarding: &Forwarding,
        _control: &Handle,
    ) -> Result<Arc<Self>, BuildError> {
        Ok(Arc::new(Self {}))
    }

    /// Every server's URL as configured, and whether it is up; in the order of the configuration.
    pub fn status(&self) -> Vec<(String, bool)> {
        Vec::new()
    }

    /// The state of the whole, for parents: up while one server is. None without a health check, active or passive.
    pub fn health(&self) -> Option<Arc<Status>> {
        None
    }
}

impl Service for Servers {
    fn call<'a>(&'a self, _req: Request, _cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        todo!()
    }
}
