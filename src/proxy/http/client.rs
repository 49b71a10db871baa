//! A service that sends to one URL, for middlewares that ask somebody (`forwardAuth`).

use std::sync::Arc;

use trafficcop_config::dynamic::tcp::TlsClient;
use trafficcop_exchange::Service;

use super::Transport;
use crate::BuildError;

/// Connects to the authority of `url`, follows no redirects, and yields the answer as it is. The request's own target
/// and headers go out as they are; an empty `host` becomes that of `url`. A failure sets the exchange's fault.
pub fn client(_url: &str, _tls: Option<&TlsClient>) -> Result<Arc<dyn Service>, BuildError> {
    let _ = Transport::new;
    todo!()
}
