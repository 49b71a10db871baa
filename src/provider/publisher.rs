//! [`Publisher`]: the one way out of a provider.

use std::sync::Arc;

use tokio::sync::mpsc;
use trafficcop_config::dynamic::{Configuration, Middleware};
use trafficcop_config::{At, ConfigErrors};

/// What a provider says: its whole configuration, replacing what it said before; or that a document was refused,
/// which leaves what it said before in force.
#[derive(Debug)]
pub enum Event {
    Configuration { provider: Arc<str>, configuration: Arc<Configuration> },
    Refused { provider: Arc<str>, errors: ConfigErrors },
}

/// Decodes the settings of a middleware to find out whether they are acceptable; the root hands it in, so that a
/// document is refused where it was read.
pub type MiddlewareCheck = Arc<dyn Fn(&str, &At<Middleware>) -> Result<(), ConfigErrors> + Send + Sync>;

/// Drops what equals the last, sends the rest.
#[derive(Clone)]
pub struct Publisher {
    provider: Arc<str>,
    out: mpsc::Sender<Event>,
    check: MiddlewareCheck,
    last: Arc<std::sync::Mutex<Option<Arc<Configuration>>>>,
}

impl Publisher {
    pub fn new(provider: impl Into<Arc<str>>, out: mpsc::Sender<Event>, check: MiddlewareCheck) -> Self {
        Self { provider: provider.into(), out, check, last: Arc::default() }
    }

    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Are these middleware settings acceptable? `name` is the middleware's path, for the errors.
    pub fn check(&self, name: &str, middleware: &At<Middleware>) -> Result<(), ConfigErrors> {
        (self.check)(name, middleware)
    }

    /// Sends a whole configuration unless it equals the last one. Waits when the inbox is full.
    pub async fn publish(&self, configuration: Configuration) {
        let configuration = Arc::new(configuration);
        {
            let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if last.as_deref() == Some(&*configuration) {
                tracing::debug!(provider = %self.provider, "Configuration is unchanged.");
                return;
            }
            *last = Some(Arc::clone(&configuration));
        }
        let _closing = self.out.send(Event::Configuration { provider: Arc::clone(&self.provider), configuration }).await;
    }

    /// Reports a document that was refused; what was published before stays in force.
    pub async fn refuse(&self, errors: ConfigErrors) {
        let _closing = self.out.send(Event::Refused { provider: Arc::clone(&self.provider), errors }).await;
    }
}
