//! Traffic on its way to a server: services that pick, connect, send, and bring the answer back.
//!
//! Does not know where configuration came from, nor which routes lead here. Everything that is built here is shared by
//! all workers; connections are not: each worker has its own.

mod error;
pub mod http;
pub mod tcp;
pub mod udp;

pub use error::BuildError;
