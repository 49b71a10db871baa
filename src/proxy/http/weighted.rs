//! [`Weighted`]: a service that shares its requests among services by weight.

use std::sync::Arc;

use trafficcop_balancer::Status;
use trafficcop_config::dynamic::http as config;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Request, Response, Service};

use super::Child;
use crate::BuildError;

/// See the module.
#[derive(Debug)]
pub struct Weighted {}

impl Weighted {
    /// `children` are those of `settings.services`, in that order.
    pub fn new(_name: &str, _settings: &config::Weighted, _children: Vec<Child>) -> Result<Arc<Self>, BuildError> {
        Ok(Arc::new(Self {}))
    }

    /// For parents. None unless `healthCheck` is set.
    pub fn health(&self) -> Option<Arc<Status>> {
        None
    }
}

impl Service for Weighted {
    fn call<'a>(&'a self, _req: Request, _cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        todo!()
    }
}
