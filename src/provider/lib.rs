//! What all providers share: the trait, the publisher, and the way from labels to a configuration.
//!
//! A provider never sees another provider, the merger or the snapshot.

pub mod backoff;
pub mod catalog;
pub mod constraints;
pub mod default_rule;
pub mod normalize;
pub mod publisher;
pub mod state;
pub mod template;
pub mod workload;
pub mod workshop;

use std::future::Future;

pub use publisher::{Event, Publisher};
pub use state::{Order, State, States};

/// A source of dynamic configuration.
pub trait Provider: Send + Sized + 'static {
    /// The name after the `@`.
    const NAME: &'static str;
    type Settings: Send;

    fn new(settings: Self::Settings) -> Result<Self, ProviderError>;

    /// Publishes until told to stop. An error is logged and the provider is started again, later and later.
    fn run(&mut self, out: &Publisher) -> impl Future<Output = Result<(), ProviderError>> + Send;
}

/// Why a provider stopped.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ProviderError(pub String);
