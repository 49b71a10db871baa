//! [`ChainBuilder`]: where a middleware adds its steps, and from where it gets what it may not know.

use std::sync::Arc;

use trafficcop_config::ConfigErrors;
use trafficcop_exchange::{Around, Filter, Service, Step};

/// Why a middleware could not be built. Its routers are disabled, never opened.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Settings(#[from] ConfigErrors),
    /// Meaning, not form: a bad regular expression, an empty list that must not be, an unreadable file.
    #[error("{0}")]
    Invalid(String),
    /// It names something that does not exist or is itself broken.
    #[error("{0}")]
    Reference(String),
}

impl BuildError {
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}

/// What the snapshot provides to middlewares that need more than themselves.
pub trait Parts {
    /// The steps of another middleware, for `chain`. The snapshot detects loops.
    fn middleware(&mut self, name: &str) -> Result<Vec<Step>, BuildError>;
    /// A service by name, for `errors`.
    fn service(&mut self, name: &str) -> Result<Arc<dyn Service>, BuildError>;
    /// A service that sends to one URL with these TLS settings, for `forwardAuth`. It connects to `url`'s authority,
    /// follows no redirects, and yields the answer as it is; a failure sets the exchange's fault.
    fn client(
        &mut self,
        url: &str,
        tls: Option<&trafficcop_config::dynamic::tcp::TlsClient>,
    ) -> Result<Arc<dyn Service>, BuildError>;
}

/// Collects the steps of a chain while it is built.
pub struct ChainBuilder<'a> {
    /// The qualified name of the middleware being built.
    pub name: &'a str,
    /// The provider of that middleware, which completes names without `@`.
    pub provider: &'a str,
    /// The qualified name of the router the chain belongs to: limiters and breakers keep their state per router.
    pub router: &'a str,
    parts: &'a mut dyn Parts,
    steps: Vec<Step>,
}

impl<'a> ChainBuilder<'a> {
    pub fn new(name: &'a str, provider: &'a str, router: &'a str, parts: &'a mut dyn Parts) -> Self {
        Self { name, provider, router, parts, steps: Vec::new() }
    }

    pub fn filter(&mut self, filter: impl Filter) {
        self.steps.push(Step::Filter(Arc::new(filter)));
    }

    pub fn around(&mut self, around: impl Around) {
        self.steps.push(Step::Around(Arc::new(around)));
    }

    /// Adds the steps of another middleware.
    pub fn middleware(&mut self, name: &str) -> Result<(), BuildError> {
        let steps = self.parts.middleware(&self.qualified(name))?;
        self.steps.extend(steps);
        Ok(())
    }

    pub fn service(&mut self, name: &str) -> Result<Arc<dyn Service>, BuildError> {
        let name = self.qualified(name);
        self.parts.service(&name)
    }

    pub fn client(
        &mut self,
        url: &str,
        tls: Option<&trafficcop_config::dynamic::tcp::TlsClient>,
    ) -> Result<Arc<dyn Service>, BuildError> {
        self.parts.client(url, tls)
    }

    pub fn finish(self) -> Vec<Step> {
        self.steps
    }

    fn qualified(&self, name: &str) -> String {
        trafficcop_config::Name::qualify(name, self.provider).to_string()
    }
}
