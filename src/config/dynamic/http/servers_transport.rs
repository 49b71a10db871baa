//! How connections to servers are made.

use serde::{Deserialize, Serialize};

use crate::Duration;
use crate::dynamic::{is_false, is_zero, no_time};

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServersTransport {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server_name: String,
    #[serde(skip_serializing_if = "is_false")]
    pub insecure_skip_verify: bool,
    #[serde(rename = "rootCAs", skip_serializing_if = "Vec::is_empty")]
    pub root_cas: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificatePair>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub min_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub max_version: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub max_idle_conns_per_host: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarding_timeouts: Option<ForwardingTimeouts>,
    #[serde(rename = "disableHTTP2", skip_serializing_if = "is_false")]
    pub disable_http2: bool,
    #[serde(rename = "peerCertURI", skip_serializing_if = "String::is_empty")]
    pub peer_cert_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spiffe: Option<Spiffe>,
}

/// Each of the two is a file name, or the PEM itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CertificatePair {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cert_file: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key_file: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spiffe {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub trust_domain: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ForwardingTimeouts {
    #[serde(skip_serializing_if = "no_time")]
    pub dial_timeout: Duration,
    /// 0 means no limit.
    #[serde(skip_serializing_if = "no_time")]
    pub response_header_timeout: Duration,
    #[serde(skip_serializing_if = "no_time")]
    pub idle_conn_timeout: Duration,
    #[serde(skip_serializing_if = "no_time")]
    pub read_idle_timeout: Duration,
    #[serde(skip_serializing_if = "no_time")]
    pub ping_timeout: Duration,
}

impl Default for ForwardingTimeouts {
    fn default() -> Self {
        Self {
            dial_timeout: Duration::from_secs(30),
            response_header_timeout: Duration::from_secs(0),
            idle_conn_timeout: Duration::from_secs(90),
            read_idle_timeout: Duration::from_secs(0),
            ping_timeout: Duration::from_secs(15),
        }
    }
}
