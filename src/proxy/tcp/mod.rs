//! TCP connections to their servers.

mod health;
mod pipe;
mod proxy_protocol;
mod servers;
mod transport;
mod weighted;

pub use servers::Servers;
pub use transport::Transport;
pub use weighted::{Child, Weighted};
