//! UDP: routers and services.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Middleware, Objects, WeightedChild};
use crate::Duration;

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Udp {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub routers: Objects<Router>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: Objects<Service>,
    /// Traefik has none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub middlewares: Objects<Middleware>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Router {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entry_points: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// Traefik has none: `*`, or which clients.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub middlewares: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(priority: &i64) -> bool {
    *priority == 0
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
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
    /// Traefik has none: `wrr`, or `hrw`, by which a client address stays with its server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub strategy: String,
    /// Traefik has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
}

/// Whether a server answers a datagram.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthCheck {
    /// What is sent; characters up to `\xff` are bytes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub payload: String,
    /// How an answer must begin; empty: any answer will do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expect: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Server {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Exists in labels only.
    #[serde(skip_serializing)]
    pub port: String,
    /// Traefik has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Weighted {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<WeightedChild>,
}
