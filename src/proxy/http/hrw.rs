//! [`HighestRandomWeight`]: a service in which the client's address decides which of its services answers.

use std::sync::Arc;

use trafficcop_balancer::Status;
use trafficcop_config::dynamic::http as config;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Request, Response, Service};

use super::Child;
use crate::BuildError;

/// See the module.
#[derive(Debug)]
pub struct HighestRandomWeight {}

impl HighestRandomWeight {
    /// `children` are those of `settings.services`, in that order.
    pub fn new(
        _name: &str,
        _settings: &config::HighestRandomWeight,
        _children: Vec<Child>,
    ) -> Result<Arc<Self>, BuildError> {
        Ok(Arc::new(Self {}))
    }

    /// For parents. None unless `healthCheck` is set.
    pub fn health(&self) -> Option<Arc<Status>> {
        None
    }
}

impl Service for HighestRandomWeight {
    fn call<'a>(&'a self, _req: Request, _cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        todo!()
    }
}
