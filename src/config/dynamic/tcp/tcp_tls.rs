//! [`RouterTls`] as a TCP router writes it: with `passthrough`, which Traefik always shows.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::dynamic::{Domain, RouterTls};

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    passthrough: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    options: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    cert_resolver: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    domains: Vec<Domain>,
}

#[allow(clippy::ref_option)] // serde passes a reference to the field
pub(super) fn serialize<S: Serializer>(tls: &Option<RouterTls>, serializer: S) -> Result<S::Ok, S::Error> {
    let written = tls.clone().map(|RouterTls { passthrough, options, cert_resolver, domains }| Written {
        passthrough,
        options,
        cert_resolver,
        domains,
    });
    written.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RouterTls>, D::Error> {
    let written = Option::<Written>::deserialize(deserializer)?;
    Ok(written.map(|Written { passthrough, options, cert_resolver, domains }| RouterTls {
        passthrough,
        options,
        cert_resolver,
        domains,
    }))
}
