//! # passTLSClientCert
//!
//! Tells the back end which certificate the client showed.
//!
//! ```yaml
//! middlewares:
//!   who: {passTLSClientCert: {pem: true, info: {sans: true, subject: {commonName: true}}}}
//! ```
//!
//! `pem` sets `X-Forwarded-Tls-Client-Cert`: the certificates as base64 without armour, joined by commas. `info` sets
//! `X-Forwarded-Tls-Client-Cert-Info`: what was asked for of each, URL-escaped, as
//! `Subject="…";Issuer="…";SerialNumber="…";NB="…";NA="…";SAN="…"`, joined by commas. Without a client certificate the
//! headers are removed.

mod describe;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Filter, Flow, Request};

use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PassTlsClientCert {
    /// The certificates themselves.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pem: bool,
    /// Details of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<Info>,
}

/// Which details.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Info {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    not_after: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    not_before: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    sans: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    serial_number: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<DistinguishedName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<DistinguishedName>,
}

/// Which parts of a name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct DistinguishedName {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    country: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    province: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    locality: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    organization: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    organizational_unit: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    common_name: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    serial_number: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    domain_component: bool,
}

impl Middleware for PassTlsClientCert {
    const NAME: &'static str = "passTLSClientCert";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        chain.filter(Pass(self));
        Ok(())
    }
}

struct Pass(PassTlsClientCert);

const CERTIFICATE: &str = "X-Forwarded-Tls-Client-Cert";
const DETAILS: &str = "X-Forwarded-Tls-Client-Cert-Info";
/// What Go's `url.QueryEscape` leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Filter for Pass {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        let certificates = cx.connection.tls.as_ref().map_or(&[][..], |tls| &tls.client_certificates);
        let mut set = |name: &'static str, values: Vec<String>| {
            if values.is_empty() {
                req.headers.remove(name);
            } else {
                req.headers.insert(name, values.join(","));
            }
        };
        if self.0.pem {
            set(CERTIFICATE, certificates.iter().map(|der| STANDARD.encode(der)).collect());
        }
        if let Some(info) = &self.0.info {
            let describe = |der| describe::describe(info, der);
            let escape = |text: String| utf8_percent_encode(&text, UNRESERVED).to_string().replace("%20", "+");
            set(DETAILS, certificates.iter().filter_map(describe).map(escape).collect());
        }
        Flow::Continue(())
    }
}

#[cfg(test)]
mod tests;
