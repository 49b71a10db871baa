//! Providers that read the keys of a store.

use super::section::{section, texts};
use super::tls::ClientTls;
use crate::Secret;

section! {
    /// Keys in Consul.
    pub struct Consul {
        /// First part of every key.
        pub root_key: String = "traefik".into(),
        /// Addresses of the store.
        pub endpoints: Vec<String> = texts!["127.0.0.1:8500"],
        /// Access token.
        pub token: Secret = Secret::default(),
        /// TLS towards the store.
        pub tls: Option<ClientTls> = None,
        /// Namespaces.
        pub namespaces: Vec<String> = Vec::new(),
    }

    /// Keys in etcd.
    pub struct Etcd {
        /// First part of every key.
        pub root_key: String = "traefik".into(),
        /// Addresses of the store.
        pub endpoints: Vec<String> = texts!["127.0.0.1:2379"],
        /// TLS towards the store.
        pub tls: Option<ClientTls> = None,
        /// User.
        pub username: String = String::new(),
        /// Password.
        pub password: Secret = Secret::default(),
    }

    /// Keys in ZooKeeper.
    pub struct ZooKeeper {
        /// First part of every key.
        pub root_key: String = "traefik".into(),
        /// Addresses of the store.
        pub endpoints: Vec<String> = texts!["127.0.0.1:2181"],
        /// User.
        pub username: String = String::new(),
        /// Password.
        pub password: Secret = Secret::default(),
    }

    /// Keys in Redis.
    pub struct Redis {
        /// First part of every key.
        pub root_key: String = "traefik".into(),
        /// Addresses of the store.
        pub endpoints: Vec<String> = texts!["127.0.0.1:6379"],
        /// TLS towards the store.
        pub tls: Option<ClientTls> = None,
        /// User.
        pub username: String = String::new(),
        /// Password.
        pub password: Secret = Secret::default(),
        /// Number of the database.
        pub db: i64 = 0,
        /// Reaches the store through Sentinel.
        pub sentinel: Option<Sentinel> = None,
    }

    /// Redis Sentinel.
    pub struct Sentinel {
        /// Name of the master.
        pub master_name: String = String::new(),
        /// User.
        pub username: String = String::new(),
        /// Password.
        pub password: Secret = Secret::default(),
        /// Reads from the nearest node.
        pub latency_strategy: bool = false,
        /// Reads from any node.
        pub random_strategy: bool = false,
        /// Reads from replicas.
        pub replica_strategy: bool = false,
        /// Uses replicas that lost their master as well.
        pub use_disconnected_replicas: bool = false,
    }
}
