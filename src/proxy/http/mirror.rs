//! [`Mirroring`]: a service whose requests are also sent, in part, to others, whose answers nobody sees.

use std::sync::Arc;

use trafficcop_balancer::Status;
use trafficcop_config::dynamic::http as config;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Request, Response, Service};

use super::Child;
use crate::BuildError;

/// See the module.
#[derive(Debug)]
pub struct Mirroring {}

/// One mirror.
#[derive(Clone)]
pub struct Mirrored {
    pub service: Arc<dyn Service>,
    /// Of the requests, which share goes there too; 0 to 100.
    pub percent: i64,
}

impl Mirroring {
    pub fn new(
        _name: &str,
        _settings: &config::Mirroring,
        _main: Child,
        _mirrors: Vec<Mirrored>,
    ) -> Result<Arc<Self>, BuildError> {
        Ok(Arc::new(Self {}))
    }

    /// For parents. None unless `healthCheck` is set.
    pub fn health(&self) -> Option<Arc<Status>> {
        None
    }
}

impl Service for Mirroring {
    fn call<'a>(&'a self, _req: Request, _cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        todo!()
    }
}
