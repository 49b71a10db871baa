//! # headers
//!
//! Sets and removes headers of requests and answers, answers CORS preflights, and adds security headers.
//!
//! ```yaml
//! middlewares:
//!   secure:
//!     headers:
//!       customRequestHeaders: {X-Script-Name: test, X-Secret: ""}
//!       accessControlAllowOriginList: ["https://example.org"]
//!       accessControlAllowMethods: [GET, PUT]
//!       stsSeconds: 31536000
//!       frameDeny: true
//! ```
//!
//! `preset` is an extension: `basic` adds `Strict-Transport-Security` (a year), nosniff, `X-Frame-Options: SAMEORIGIN` and a
//! referrer policy; `strict` adds subdomains, `DENY`, a content security policy that trusts the site alone, and a
//! permissions policy. What is set beside it stays.
//!
//! An empty value removes the header; `Host` changes the host. A preflight (OPTIONS with `Origin` and
//! `Access-Control-Request-Method`) is answered 200 and goes no further. A host outside `allowedHosts` is answered 500
//! `Bad Host`. `Strict-Transport-Security` is sent over TLS only, unless `forceSTSHeader` is set or a header of
//! `sslProxyHeaders` says that the client came over TLS. The `ssl*` redirect options are without effect, as in Traefik v3.

mod cors;
mod custom;
mod preset;
mod secure;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[allow(clippy::struct_field_names)] // the names are the options'
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Headers {
    /// Set on the request; an empty value removes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    custom_request_headers: BTreeMap<String, String>,
    /// Set on the answer; an empty value removes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    custom_response_headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    access_control_allow_credentials: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    access_control_allow_headers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    access_control_allow_methods: Vec<String>,
    /// Origins as sent by browsers, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    access_control_allow_origin_list: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    access_control_allow_origin_list_regex: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    access_control_expose_headers: Vec<String>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_control_max_age: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    add_vary_header: bool,
    /// Compared with the Host header as sent, without regard to case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_hosts: Vec<String>,
    /// Headers that may hold the host instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hosts_proxy_headers: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    ssl_proxy_headers: BTreeMap<String, String>,
    /// Seconds; 0 sends no header.
    #[serde(rename = "stsSeconds", skip_serializing_if = "is_zero")]
    sts_seconds: i64,
    #[serde(rename = "stsIncludeSubdomains", skip_serializing_if = "std::ops::Not::not")]
    sts_include_subdomains: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    sts_preload: bool,
    #[serde(rename = "forceSTSHeader", skip_serializing_if = "std::ops::Not::not")]
    force_sts_header: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    frame_deny: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    custom_frame_options_value: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    content_type_nosniff: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    browser_xss_filter: bool,
    #[serde(rename = "customBrowserXSSValue", skip_serializing_if = "String::is_empty")]
    custom_browser_xss_value: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    content_security_policy: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    content_security_policy_report_only: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    public_key: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    referrer_policy: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    permissions_policy: String,
    /// Security headers in one switch: `basic` or `strict`.
    #[serde(skip_serializing_if = "String::is_empty")]
    preset: String,
    /// Relaxes hosts, STS and public key.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_development: bool,
    /// Deprecated: permissionsPolicy.
    #[serde(skip_serializing_if = "Option::is_none")]
    feature_policy: Option<String>,
    /// Deprecated and without effect: redirectScheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    ssl_redirect: Option<bool>,
    /// Deprecated and without effect: redirectScheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    ssl_temporary_redirect: Option<bool>,
    /// Deprecated and without effect: redirectRegex.
    #[serde(skip_serializing_if = "Option::is_none")]
    ssl_host: Option<String>,
    /// Deprecated and without effect: redirectRegex.
    #[serde(skip_serializing_if = "Option::is_none")]
    ssl_force_host: Option<bool>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// The answer of a server that switches protocols reaches the client as it is, as in Traefik.
fn is_handed_over(response: &trafficcop_exchange::Response) -> bool {
    response.status == trafficcop_exchange::StatusCode::SWITCHING_PROTOCOLS
}

impl Middleware for Headers {
    const NAME: &'static str = "headers";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        if self == Self::default() {
            return Err(BuildError::invalid("headers configuration not valid"));
        }
        let settings = preset::apply(self)?;
        if let Some(cors) = cors::Cors::of(&settings)? {
            chain.around(cors);
        }
        if let Some(custom) = custom::Custom::of(&settings) {
            chain.filter(custom);
        }
        secure::add(&settings, chain);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
