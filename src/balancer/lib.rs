//! Which server? Strategies, affinity and health over anything that can be picked.
//!
//! Knows neither HTTP nor sockets, neither clock nor dice: time and randomness come in as arguments. Everything here is
//! shared by all workers.

pub mod status;

pub use status::Status;
