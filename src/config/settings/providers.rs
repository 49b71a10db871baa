//! Providers: where dynamic configuration comes from.

use std::collections::BTreeMap;

use super::discovery::{ConsulCatalog, Docker, Ecs, Nomad, Swarm};
use super::kubernetes::{Knative, KubernetesCrd, KubernetesGateway, KubernetesIngress, KubernetesIngressNginx};
use super::section::section;
use super::stores::{Consul, Etcd, Redis, ZooKeeper};
use super::tls::ClientTls;
use crate::{Duration, Node, Secret};

/// Providers in their default order: on equal rank the router of the earlier one wins.
pub const PRECEDENCE: [&str; 17] = [
    "kubernetesgateway",
    "kubernetescrd",
    "kubernetes",
    "kubernetesingressnginx",
    "swarm",
    "docker",
    "file",
    "redis",
    "knative",
    "consul",
    "consulcatalog",
    "nomad",
    "etcd",
    "ecs",
    "http",
    "zookeeper",
    "rest",
];

section! {
    /// All providers.
    pub struct Providers {
        /// Least time between two changes of one provider; unset: a lone change acts at once and a storm is gathered.
        pub providers_throttle_duration: Option<Duration> = None,
        /// Order of providers for routers of equal rank.
        pub precedence: Vec<String> = PRECEDENCE.map(String::from).to_vec(),
        /// File in which the last good configuration of every provider is kept, for a start without them.
        pub last_good: String = String::new(),
        /// Labels of Docker containers.
        pub docker: Option<Docker> = None,
        /// Labels of containers of further engines, each a provider named docker-<name>.
        pub docker_hosts: BTreeMap<String, Docker> = BTreeMap::new(),
        /// Labels of Swarm services.
        pub swarm: Option<Swarm> = None,
        /// Files.
        pub file: Option<File> = None,
        /// Kubernetes Ingress objects.
        pub kubernetes_ingress: Option<KubernetesIngress> = None,
        /// Kubernetes Ingress objects with the annotations of ingress-nginx.
        pub kubernetes_ingress_nginx as "kubernetesIngressNGINX": Option<KubernetesIngressNginx> = None,
        /// Kubernetes objects of Traefik's own kinds.
        pub kubernetes_crd as "kubernetesCRD": Option<KubernetesCrd> = None,
        /// Kubernetes Gateway API objects.
        pub kubernetes_gateway: Option<KubernetesGateway> = None,
        /// Knative Ingress objects.
        pub knative: Option<Knative> = None,
        /// Configuration put by HTTP.
        pub rest: Option<Rest> = None,
        /// Tags of services in the Consul catalogue.
        pub consul_catalog: Option<ConsulCatalog> = None,
        /// Tags of services in Nomad.
        pub nomad: Option<Nomad> = None,
        /// Labels of tasks in Amazon ECS.
        pub ecs: Option<Ecs> = None,
        /// Keys in Consul.
        pub consul: Option<Consul> = None,
        /// Keys in etcd.
        pub etcd: Option<Etcd> = None,
        /// Keys in ZooKeeper.
        pub zoo_keeper: Option<ZooKeeper> = None,
        /// Keys in Redis.
        pub redis: Option<Redis> = None,
        /// Configuration fetched by HTTP.
        pub http: Option<Http> = None,
        /// Providers that are plugins.
        pub plugin: BTreeMap<String, Node> = BTreeMap::new(),
    }

    /// Files.
    pub struct File {
        /// Folder whose files are read.
        pub directory: String = String::new(),
        /// One file.
        pub filename: String = String::new(),
        /// Reads again what changes.
        pub watch: bool = true,
        /// Logs what the templates make.
        pub debug_log_generated_template: bool = false,
    }

    /// Configuration put by HTTP.
    pub struct Rest {
        /// Accepts it without any protection on the entry point traefik.
        pub insecure: bool = false,
    }

    /// Configuration fetched by HTTP.
    pub struct Http {
        /// Address it is fetched from.
        pub endpoint: String = String::new(),
        /// Addresses to try in this order when that one does not answer.
        pub endpoints: Vec<String> = Vec::new(),
        /// Time between two fetches.
        pub poll_interval: Duration = Duration::from_secs(5),
        /// Time for a fetch.
        pub poll_timeout: Duration = Duration::from_secs(5),
        /// Headers sent along.
        pub headers: BTreeMap<String, String> = BTreeMap::new(),
        /// TLS towards the address.
        pub tls: Option<ClientTls> = None,
        /// Most bytes of an answer; -1 means no limit.
        pub max_response_body_size: i64 = -1,
        /// How objects of S3 are reached, for addresses such as s3://bucket/key.yml.
        pub s3: Option<S3> = None,
    }

    /// How objects of S3 are reached.
    pub struct S3 {
        /// Region.
        pub region: String = "us-east-1".into(),
        /// Address of a server that is not Amazon's.
        pub endpoint: String = String::new(),
        /// Writes the bucket into the path instead of the host.
        pub path_style: bool = false,
        /// Access key; empty: AWS_ACCESS_KEY_ID.
        pub access_key_id as "accessKeyID": Secret = Secret::default(),
        /// Secret of the access key; empty: AWS_SECRET_ACCESS_KEY.
        pub secret_access_key: Secret = Secret::default(),
        /// Token of credentials that end; empty: AWS_SESSION_TOKEN.
        pub session_token: Secret = Secret::default(),
    }
}
