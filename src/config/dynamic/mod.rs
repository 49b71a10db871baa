//! What a provider emits: Traefik's dynamic configuration, typed.
//!
//! Middlewares keep their settings as a [`Node`](crate::Node): their owner decodes them (see `trafficcop-middleware`).

pub mod document;
pub mod http;
mod kinds;
mod middleware;
pub mod reread;
mod sharing;
pub mod tcp;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod udp;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use middleware::Middleware;

use crate::Shared;

/// Named objects of one kind, each with its place. Names keep the case they were first written in. What is made of a
/// configuration shares its objects, and so does the configuration that follows it, as far as they are the same.
pub type Objects<T> = BTreeMap<String, Shared<T>>;

/// A whole dynamic configuration, as one provider publishes it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Configuration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<http::Http>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<tcp::Tcp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<udp::Udp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<tls::Tls>,
}

/// TLS settings of an HTTP or TCP router.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RouterTls {
    /// TCP only: the router of HTTP neither reads nor shows it.
    #[serde(skip)]
    pub passthrough: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub options: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cert_resolver: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<Domain>,
}

/// A certificate's names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Domain {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub main: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sans: Vec<String>,
}

/// A service among others, with its share.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WeightedChild {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// 1 unless something else is written; `None` counts as 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i64>,
}

impl Default for WeightedChild {
    fn default() -> Self {
        Self { name: String::new(), weight: Some(1) }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}

#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn is_zero(value: &i64) -> bool {
    *value == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn no_time(value: &crate::Duration) -> bool {
    value.is_zero()
}
