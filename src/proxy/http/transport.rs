//! [`Transport`]: how to reach servers: TLS, deadlines, pools of connections. One per servers transport.

use std::sync::Arc;

use trafficcop_config::dynamic::http::ServersTransport;

use crate::BuildError;

/// See the module.
#[derive(Debug)]
pub struct Transport {}

impl Transport {
    /// From the settings of a servers transport. The static one (`serversTransport` of the settings file, for services
    /// that name none) is given in the same form; its `maxIdleConnsPerHost` is 200 unless set.
    pub fn new(_settings: &ServersTransport) -> Result<Arc<Self>, BuildError> {
        Ok(Arc::new(Self {}))
    }
}
