//! [`HighestRandomWeight`]: a service in which the client's address decides which of its services answers.

use std::fmt;
use std::sync::Arc;

use trafficcop_balancer::{Asked, Balancer, Status};
use trafficcop_config::dynamic::http as config;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Request, Response, Service};

use super::children::{Child, balance};
use super::weighted::nobody;
use crate::BuildError;

/// See the module.
pub struct HighestRandomWeight {
    balancer: Balancer<Arc<dyn Service>>,
    health: Option<Arc<Status>>,
}

impl HighestRandomWeight {
    /// `children` are those of `settings.services`, in that order.
    pub fn new(
        name: &str,
        settings: &config::HighestRandomWeight,
        children: Vec<Child>,
    ) -> Result<Arc<Self>, BuildError> {
        let (balancer, health) = balance(name, settings.health_check.is_some(), children, |_| {
            Box::new(trafficcop_balancer::HighestRandomWeight)
        })?;
        Ok(Arc::new(Self { balancer, health }))
    }

    /// For parents. None unless `healthCheck` is set.
    pub fn health(&self) -> Option<Arc<Status>> {
        self.health.clone()
    }
}

impl Service for HighestRandomWeight {
    fn call<'a>(&'a self, request: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        let asked = Asked { key: cx.connection.peer_text().as_bytes(), dice: 0, tried: &[] };
        match self.balancer.pick(&asked) {
            Some(index) => self.balancer.target(index).call(request, cx),
            None => Box::pin(std::future::ready(nobody(cx, self.balancer.is_empty()))),
        }
    }
}

impl fmt::Debug for HighestRandomWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HighestRandomWeight").field("children", &self.balancer.candidates()).finish_non_exhaustive()
    }
}
