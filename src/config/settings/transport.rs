//! How servers are reached unless a service names a transport of its own.

use super::section::section;
use super::tls::Spiffe;
use crate::Duration;

section! {
    /// Default transport towards HTTP servers.
    pub struct ServersTransport {
        /// Accepts whatever certificate a server shows.
        pub insecure_skip_verify: bool = false,
        /// Certificate authorities trusted for servers: file names or PEM.
        pub root_cas as "rootCAs": Vec<String> = Vec::new(),
        /// Idle connections kept per server; 0 means two, negative means none.
        pub max_idle_conns_per_host: i64 = 200,
        pub forwarding_timeouts: ForwardingTimeouts = ForwardingTimeouts::default(),
        /// SPIFFE towards servers.
        pub spiffe: Option<Spiffe> = None,
    }

    /// Deadlines towards HTTP servers; zero means none.
    pub struct ForwardingTimeouts {
        /// Time to open a connection.
        pub dial_timeout: Duration = Duration::from_secs(30),
        /// Time from the sent request to the head of the answer.
        pub response_header_timeout: Duration = Duration::ZERO,
        /// Time an idle connection is kept.
        pub idle_conn_timeout: Duration = Duration::from_secs(90),
    }

    /// Default transport towards TCP servers.
    pub struct TcpServersTransport {
        /// Interval of TCP keep-alive probes.
        pub dial_keep_alive: Duration = Duration::from_secs(15),
        /// Time to open a connection.
        pub dial_timeout: Duration = Duration::from_secs(30),
        /// Time the second direction stays open after the first was closed.
        pub termination_delay: Duration = Duration::ZERO,
        /// TLS towards TCP servers.
        pub tls: Option<TcpClientTls> = None,
    }

    /// TLS towards TCP servers.
    pub struct TcpClientTls {
        /// Accepts whatever certificate a server shows.
        pub insecure_skip_verify: bool = false,
        /// Certificate authorities trusted for servers: file names or PEM.
        pub root_cas as "rootCAs": Vec<String> = Vec::new(),
        /// SPIFFE towards servers.
        pub spiffe: Option<Spiffe> = None,
    }
}
