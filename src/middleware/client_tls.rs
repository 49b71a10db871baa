//! TLS towards a server that a middleware asks, as forwardAuth and jwt write it.

use serde::{Deserialize, Serialize};
use trafficcop_config::dynamic::http::CertificatePair;
use trafficcop_config::dynamic::tcp::TlsClient;

use crate::BuildError;

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
    pub(crate) fn is_insecure(&self) -> bool {
        self.insecure_skip_verify
    }

    /// The PEM of whom we believe; None: the authorities of this machine.
    pub(crate) fn authorities(&self) -> Result<Option<Vec<u8>>, BuildError> {
        if self.ca.is_empty() { Ok(None) } else { read(&self.ca).map(Some) }
    }

    /// As whom we come.
    pub(crate) fn identity(&self) -> Result<Option<redis::ClientTlsConfig>, BuildError> {
        if self.cert.is_empty() {
            return Ok(None);
        }
        Ok(Some(redis::ClientTlsConfig { client_cert: read(&self.cert)?, client_key: read(&self.key)? }))
    }

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

/// The content of that file, or the text itself.
fn read(text: &str) -> Result<Vec<u8>, BuildError> {
    if text.contains("-----BEGIN") {
        return Ok(text.as_bytes().to_vec());
    }
    std::fs::read(text).map_err(|error| BuildError::invalid(format!("cannot read {text}: {error}")))
}
