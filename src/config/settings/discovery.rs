//! Providers that read labels or tags of running workloads.

use super::section::{section, texts};
use super::tls::ClientTls;
use crate::{Duration, Secret};

/// The rule of a workload that has none of its own.
pub const DEFAULT_RULE: &str = "Host(`{{ normalize .Name }}`)";

section! {
    /// Labels of Docker containers.
    pub struct Docker {
        /// Takes workloads that do not say traefik.enable.
        pub exposed_by_default: bool = true,
        /// Expression that workloads must match.
        pub constraints: String = String::new(),
        /// Makes services that have no server.
        pub allow_empty_services: bool = false,
        /// Network whose addresses are used.
        pub network: String = String::new(),
        /// Uses the published address and port.
        pub use_bind_port_ip as "useBindPortIP": bool = false,
        /// Follows changes.
        pub watch: bool = true,
        /// Template of the rule of routers that have none.
        pub default_rule: String = DEFAULT_RULE.into(),
        /// User for the engine.
        pub username: String = String::new(),
        /// Password for the engine.
        pub password: Secret = Secret::default(),
        /// Address of the engine: unix, tcp, http, https or ssh.
        pub endpoint: String = "unix:///var/run/docker.sock".into(),
        /// TLS towards the engine.
        pub tls: Option<ClientTls> = None,
        /// Time for a call to the engine; zero means none.
        pub http_client_timeout: Duration = Duration::ZERO,
    }

    /// Labels of Swarm services.
    pub struct Swarm {
        /// Takes workloads that do not say traefik.enable.
        pub exposed_by_default: bool = true,
        /// Expression that workloads must match.
        pub constraints: String = String::new(),
        /// Makes services that have no server.
        pub allow_empty_services: bool = false,
        /// Network whose addresses are used.
        pub network: String = String::new(),
        /// Uses the published address and port.
        pub use_bind_port_ip as "useBindPortIP": bool = false,
        /// Follows changes.
        pub watch: bool = true,
        /// Template of the rule of routers that have none.
        pub default_rule: String = DEFAULT_RULE.into(),
        /// User for the engine.
        pub username: String = String::new(),
        /// Password for the engine.
        pub password: Secret = Secret::default(),
        /// Address of the engine: unix, tcp, http, https or ssh.
        pub endpoint: String = "unix:///var/run/docker.sock".into(),
        /// TLS towards the engine.
        pub tls: Option<ClientTls> = None,
        /// Time for a call to the engine; zero means none.
        pub http_client_timeout: Duration = Duration::ZERO,
        /// Time between two looks at the engine.
        pub refresh_seconds: Duration = Duration::from_secs(15),
    }

    /// Tags of services in the Consul catalogue.
    pub struct ConsulCatalog {
        /// Expression that workloads must match.
        pub constraints: String = String::new(),
        pub endpoint: ConsulEndpoint = ConsulEndpoint::default(),
        /// First word of the tags.
        pub prefix: String = "traefik".into(),
        /// Time between two looks at the catalogue.
        pub refresh_interval: Duration = Duration::from_secs(15),
        /// Reads from the leader only.
        pub require_consistent: bool = false,
        /// Reads from any server.
        pub stale: bool = false,
        /// Reads from the local agent's cache.
        pub cache: bool = false,
        /// Takes workloads that do not say traefik.enable.
        pub exposed_by_default: bool = true,
        /// Template of the rule of routers that have none.
        pub default_rule: String = DEFAULT_RULE.into(),
        /// Speaks Consul Connect.
        pub connect_aware: bool = false,
        /// Takes every service as one of Consul Connect.
        pub connect_by_default: bool = false,
        /// Name of this service in Consul Connect.
        pub service_name: String = "traefik".into(),
        /// Follows changes instead of polling.
        pub watch: bool = false,
        /// Health states of instances that are taken.
        pub strict_checks: Vec<String> = texts!["passing", "warning"],
        /// Namespaces.
        pub namespaces: Vec<String> = Vec::new(),
    }

    /// How Consul is reached.
    pub struct ConsulEndpoint {
        /// Address, host:port.
        pub address: String = String::new(),
        /// Scheme.
        pub scheme: String = String::new(),
        /// Data centre.
        pub datacenter: String = String::new(),
        /// Access token.
        pub token: Secret = Secret::default(),
        /// TLS towards Consul.
        pub tls: Option<ClientTls> = None,
        /// Basic authentication towards Consul.
        pub http_auth: Option<HttpAuth> = None,
        /// Most time a watch waits.
        pub endpoint_wait_time: Duration = Duration::ZERO,
    }

    /// Basic authentication.
    pub struct HttpAuth {
        /// User.
        pub username: String = String::new(),
        /// Password.
        pub password: Secret = Secret::default(),
    }

    /// Tags of services in Nomad.
    pub struct Nomad {
        /// Template of the rule of routers that have none.
        pub default_rule: String = DEFAULT_RULE.into(),
        /// Expression that workloads must match.
        pub constraints: String = String::new(),
        pub endpoint: NomadEndpoint = NomadEndpoint::default(),
        /// First word of the tags.
        pub prefix: String = "traefik".into(),
        /// Reads from any server.
        pub stale: bool = false,
        /// Takes workloads that do not say traefik.enable.
        pub exposed_by_default: bool = true,
        /// Time between two looks at Nomad.
        pub refresh_interval: Duration = Duration::from_secs(15),
        /// Makes services that have no server.
        pub allow_empty_services: bool = false,
        /// Follows changes instead of polling.
        pub watch: bool = false,
        /// Least time between two changes when following.
        pub throttle_duration: Duration = Duration::ZERO,
        /// Namespaces.
        pub namespaces: Vec<String> = Vec::new(),
    }

    /// How Nomad is reached.
    pub struct NomadEndpoint {
        /// Address.
        pub address: String = "http://127.0.0.1:4646".into(),
        /// Region.
        pub region: String = String::new(),
        /// Access token.
        pub token: Secret = Secret::default(),
        /// TLS towards Nomad.
        pub tls: Option<ClientTls> = None,
        /// Most time a watch waits.
        pub endpoint_wait_time: Duration = Duration::ZERO,
    }

    /// Labels of tasks in Amazon ECS.
    pub struct Ecs {
        /// Expression that workloads must match.
        pub constraints: String = String::new(),
        /// Takes workloads that do not say traefik.enable.
        pub exposed_by_default: bool = true,
        /// Seconds between two looks at ECS.
        pub refresh_seconds: i64 = 15,
        /// Template of the rule of routers that have none.
        pub default_rule: String = DEFAULT_RULE.into(),
        /// Clusters looked at.
        pub clusters: Vec<String> = texts!["default"],
        /// Looks at all clusters.
        pub auto_discover_clusters: bool = false,
        /// Takes healthy tasks only.
        pub healthy_tasks_only: bool = false,
        /// Looks at external instances.
        pub ecs_anywhere: bool = false,
        /// Region.
        pub region: String = String::new(),
        /// Access key.
        pub access_key_id as "accessKeyID": Secret = Secret::default(),
        /// Secret of the access key.
        pub secret_access_key: Secret = Secret::default(),
    }
}
