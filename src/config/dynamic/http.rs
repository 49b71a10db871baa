//! HTTP: routers, services, middlewares, servers transports, models.

mod composed;
mod load_balancer;
mod servers_transport;
mod static_files;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use composed::{
    Failover, FailoverErrors, FailoverHealth, HealthPropagation, HighestRandomWeight, Mirror, Mirroring, Weighted,
};
pub use load_balancer::{
    Cookie, HealthCheck, LoadBalancer, PassiveHealthCheck, ResponseForwarding, Server, Sticky, StickyHeader,
};
pub use servers_transport::{CertificatePair, ForwardingTimeouts, ServersTransport, Spiffe};
pub use static_files::StaticFiles;

use super::{Middleware, Objects, RouterTls, is_zero};
use crate::At;

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Http {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub routers: Objects<Router>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: Objects<Service>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub middlewares: Objects<Middleware>,
    /// Defaults that an entry point gives to its routers; only the internal provider emits them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub models: Objects<Model>,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parent_refs: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule_syntax: String,
    /// 0 means: the length of the rule.
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<RouterTls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observability: Option<RouterObservability>,
    /// The rule came from a provider's default rule: the router carries loop protection.
    #[serde(skip)]
    pub default_rule: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RouterObservability {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_logs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracing: Option<bool>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub trace_verbosity: String,
}

/// Defaults of one entry point for the routers bound to it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Model {
    pub middlewares: Vec<String>,
    pub tls: Option<RouterTls>,
    pub observability: RouterObservability,
}

/// Exactly one of the kinds must be set.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<LoadBalancer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highest_random_weight: Option<HighestRandomWeight>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighted: Option<Weighted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirroring: Option<Mirroring>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover: Option<Failover>,
    #[serde(rename = "static", skip_serializing_if = "Option::is_none")]
    pub static_files: Option<StaticFiles>,
    /// Middlewares that run around the service, whichever router leads to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub middlewares: Vec<String>,
}

fn at_empty(value: &At<String>) -> bool {
    value.value.is_empty()
}
