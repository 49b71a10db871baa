//! TCP: routers, services, middlewares, servers transports.

mod tcp_tls;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::http::{CertificatePair, Spiffe};
use super::{Middleware, Objects, RouterTls, WeightedChild, is_false, is_zero, no_time};
use crate::{At, Duration};

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tcp {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub routers: Objects<Router>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: Objects<Service>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub middlewares: Objects<Middleware>,
    /// Entry-point defaults (only `tls` and `middlewares`); only the internal provider emits them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub models: Objects<super::http::Model>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub servers_transports: Objects<ServersTransport>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Router {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entry_points: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub middlewares: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service: String,
    #[serde(skip_serializing_if = "at_empty")]
    pub rule: At<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule_syntax: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i64,
    #[serde(with = "tcp_tls", skip_serializing_if = "Option::is_none")]
    pub tls: Option<RouterTls>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<LoadBalancer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighted: Option<Weighted>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancer {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<Server>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub servers_transport: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Nanoseconds, as Traefik reads this deprecated field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub termination_delay: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Server {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    #[serde(skip_serializing_if = "is_false")]
    pub tls: bool,
    /// Exists in labels only.
    #[serde(skip_serializing)]
    pub port: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyProtocol {
    #[serde(skip_serializing_if = "is_zero")]
    pub version: i64,
}

impl Default for ProxyProtocol {
    fn default() -> Self {
        Self { version: 2 }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthCheck {
    #[serde(skip_serializing_if = "is_zero")]
    pub port: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub send: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expect: String,
    #[serde(skip_serializing_if = "no_time")]
    pub interval: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unhealthy_interval: Option<Duration>,
    #[serde(skip_serializing_if = "no_time")]
    pub timeout: Duration,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            port: 0,
            send: String::new(),
            expect: String::new(),
            interval: Duration::from_secs(30),
            unhealthy_interval: None,
            timeout: Duration::from_secs(5),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Weighted {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<WeightedChild>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<super::http::HealthPropagation>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServersTransport {
    #[serde(skip_serializing_if = "no_time")]
    pub dial_keep_alive: Duration,
    #[serde(skip_serializing_if = "no_time")]
    pub dial_timeout: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_protocol: Option<ProxyProtocol>,
    #[serde(skip_serializing_if = "no_time")]
    pub termination_delay: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsClient>,
}

impl Default for ServersTransport {
    fn default() -> Self {
        Self {
            dial_keep_alive: Duration::from_secs(15),
            dial_timeout: Duration::from_secs(30),
            proxy_protocol: None,
            termination_delay: Duration::from_millis(100),
            tls: None,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsClient {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server_name: String,
    #[serde(skip_serializing_if = "is_false")]
    pub insecure_skip_verify: bool,
    #[serde(rename = "rootCAs", skip_serializing_if = "Vec::is_empty")]
    pub root_cas: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificatePair>,
    #[serde(rename = "peerCertURI", skip_serializing_if = "String::is_empty")]
    pub peer_cert_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spiffe: Option<Spiffe>,
}

fn at_empty(value: &At<String>) -> bool {
    value.value.is_empty()
}
