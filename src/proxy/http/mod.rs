//! HTTP towards servers: the load balancer, services made of services, and what carries them.

mod attempt;
mod children;
mod client;
mod connect;
mod cookie;
mod environment_proxy;
mod failover;
mod failure;
mod files;
mod forward;
mod gunzip;
mod h2;
mod h2_body;
mod headers;
mod health;
mod hrw;
mod in_flight;
mod known;
mod mirror;
mod pinned;
mod pool;
mod reach;
mod replay;
mod retired;
mod server_url;
mod servers;
mod stream;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod transport;
mod weighted;

pub use children::Child;
pub use client::client;
pub use failover::Failover;
pub use files::Files;
pub use forward::Forwarding;
pub use hrw::HighestRandomWeight;
pub use mirror::{Mirrored, Mirroring};
pub use servers::Servers;
pub use transport::Transport;
pub use weighted::Weighted;
