//! [`Builder`]: each merged configuration becomes a snapshot; what did not change is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::runtime::Handle;
use trafficcop_config::settings::Settings;
use trafficcop_exchange::Service;
use trafficcop_merger::Merged;

use crate::Snapshot;

/// What a builder needs to know besides the merged configuration.
#[derive(Clone)]
pub struct Environment {
    pub settings: Arc<Settings>,
    /// Services of our own by their local name: `api`, `dashboard`, `ping`, `noop`, `rest`, `prometheus`, `acme-http`.
    pub internal: BTreeMap<String, Arc<dyn Service>>,
    /// Where health checks run: the control plane's runtime, never a worker's.
    pub control: Handle,
}

/// Keeps what was built.
pub struct Builder {
    environment: Environment,
}

impl Builder {
    pub fn new(environment: Environment) -> Self {
        Self { environment }
    }

    /// Builds the whole. Never fails: what cannot be built is disabled, and the report says why.
    pub fn build(&mut self, merged: Arc<Merged>) -> Arc<Snapshot> {
        let _ = (&self.environment, merged);
        todo!()
    }
}
