//! HTTP and TCP middlewares: ONE FILE PER KIND with its settings, behaviour, documentation and tests, and one line each
//! in the registry below.
//!
//! Does not know the proxy: services, clients and other middlewares come from [`ChainBuilder`].

pub mod builder;
pub mod registry;

pub use builder::{BuildError, ChainBuilder, Parts};
pub use registry::{KINDS, Kind, find};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The settings of a kind, which know how to build themselves into a chain.
pub trait Middleware: DeserializeOwned + Serialize + 'static {
    /// As written in configuration: `addPrefix`.
    const NAME: &'static str;
    /// The words Traefik uses for it in logs and in `type` of the API; lower-case of the name unless it differs.
    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError>;
}
