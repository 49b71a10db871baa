//! Static configuration: read once, at start.
//!
//! One struct per section, named as Traefik's documentation names it, with Traefik's defaults. A section that is `None`
//! was not asked for. Values are kept as they were written where their meaning needs other sections to be judged; see
//! [`validate`] for what must hold before anything is built from them.

mod implied;
mod listeners;
mod removed;
mod section;

pub mod api;
pub mod certificates;
pub mod discovery;
pub mod effect;
pub mod entry_points;
pub mod kubernetes;
pub mod load;
pub mod observability;
pub mod options;
pub mod providers;
pub mod stores;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod transport;
pub mod validate;

use std::collections::BTreeMap;

use crate::Secret;
use section::section;

pub use api::{Api, Core, Experimental, Global, HostResolver, Ping};
pub use certificates::{CertificateResolver, Ocsp, SpiffeClient};
pub use entry_points::EntryPoint;
pub use implied::INTERNAL;
pub use load::{Loaded, Source};
pub use observability::{AccessLog, Log, Metrics, Tracing};
pub use providers::Providers;
pub use removed::REMOVED_SECTIONS;
pub use tls::{ClientTls, Spiffe};
pub use transport::{ServersTransport, TcpServersTransport};

section! {
    /// The whole static configuration.
    pub struct Settings {
        pub global: Global = Global::default(),
        pub servers_transport: ServersTransport = ServersTransport::default(),
        pub tcp_servers_transport as "tcpServersTransport": TcpServersTransport = TcpServersTransport::default(),
        pub entry_points: BTreeMap<String, EntryPoint> = BTreeMap::new(),
        pub providers: Providers = Providers::default(),
        /// The API and its dashboard.
        pub api: Option<Api> = None,
        pub metrics: Option<Metrics> = None,
        /// The health endpoint.
        pub ping: Option<Ping> = None,
        pub log: Option<Log> = None,
        pub access_log: Option<AccessLog> = None,
        pub tracing: Option<Tracing> = None,
        /// Resolves the CNAMEs of requested hosts.
        pub host_resolver: Option<HostResolver> = None,
        pub certificates_resolvers: BTreeMap<String, CertificateResolver> = BTreeMap::new(),
        pub experimental: Experimental = Experimental::default(),
        pub core: Core = Core::default(),
        pub spiffe: Option<SpiffeClient> = None,
        /// Staples OCSP answers to certificates.
        pub ocsp: Option<Ocsp> = None,
    }
}

/// A file name, or the content itself.
pub type FileOrContent = String;
/// A file name, or the content itself, never shown.
pub type SecretFileOrContent = Secret;
