//! The configuration language: one [`Node`] tree read from every notation, one tolerant decoder, and the typed
//! models of the static ([`settings`]) and dynamic ([`dynamic`]) configuration.
//!
//! Knows no network, no clock, no tokio. What must hold: an error always carries the [`Origin`] of what it speaks of.

pub mod address;
pub mod decode;
pub mod duration;
pub mod dynamic;
pub mod effect;
pub mod encode;
pub mod error;
pub mod name;
pub mod node;
pub mod origin;
pub mod pattern;
pub mod read;
pub mod secret;
pub mod settings;
pub mod shape;
pub mod suggest;

pub use address::EntryAddress;
pub use duration::Duration;
pub use error::{ConfigError, ConfigErrors, Problem};
pub use name::Name;
pub use node::{Node, Scalar, Value};
pub use origin::{At, Origin, Shared};
pub use secret::Secret;
pub use shape::Shape;
