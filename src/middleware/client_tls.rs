//! TLS towards a server that a middleware asks, as forwardAuth and jwt write it.

use serde::{Deserialize, Serialize};
use trafficcop_config::dynamic::http::CertificatePair;
use trafficcop_config::dynamic::tcp::TlsClient;

/// TLS towards the server that is asked. Each part is a file name, or the PEM itself.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ClientTls {
    #[serde(skip_serializing_if = "String::is_empty")]
    ca: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    cert: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    key: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    insecure_skip_verify: bool,
    /// Deprecated; without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_optional: Option<bool>,
}

impl ClientTls {
    pub(crate) fn client(&self) -> TlsClient {
        let list = |text: &String| if text.is_empty() { Vec::new() } else { vec![text.clone()] };
        let pair = CertificatePair { cert_file: self.cert.clone(), key_file: self.key.clone() };
        TlsClient {
            insecure_skip_verify: self.insecure_skip_verify,
            root_cas: list(&self.ca),
            certificates: if self.cert.is_empty() { Vec::new() } else { vec![pair] },
            ..TlsClient::default()
        }
    }
}
