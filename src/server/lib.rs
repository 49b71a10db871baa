//! Sockets → [`Snapshot`](trafficcop_snapshot::Snapshot): accepts connections, finds out what they speak, and takes every
//! request through the entry point's own steps to the route that answers it.
//!
//! Knows no provider and no middleware. What must hold: a request sees one snapshot from start to end; every wait for a
//! client has a deadline and every buffer a bound; nothing a client sends ends more than its own connection.

mod accept;
mod clean;
mod connections;
mod drain;
mod entry;
mod forwarded;
mod http;
mod http2;
#[cfg(feature = "http3")]
mod http3;
mod inherited;
mod listen;
#[cfg(test)]
mod over_sockets;
mod overload;
mod own;
mod pages;
mod panics;
mod path;
mod prefixed;
mod proxy_protocol;
mod server;
mod tcp;
mod trust;
mod udp;
mod watch;
mod workers;

pub use drain::Stopping;
pub use entry::BadEntryPoint;
pub use inherited::{Inherited, Purpose, Relay, Socket};
pub use server::{Options, Server, StartError, worker_count};
pub use trust::BadNetwork;
