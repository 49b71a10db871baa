//! The registry: one line per kind, sorted.

use trafficcop_config::{ConfigErrors, Node};

use crate::add_prefix::AddPrefix;
use crate::api_key::ApiKey;
use crate::basic_auth::BasicAuth;
use crate::buffering::Buffering;
use crate::cache::Cache;
use crate::chain::Chain;
use crate::circuit_breaker::CircuitBreaker;
use crate::compress::Compress;
use crate::content_type::ContentType;
use crate::digest_auth::DigestAuth;
use crate::encoded_characters::EncodedCharacters;
use crate::errors::Errors;
use crate::forward_auth::ForwardAuth;
use crate::grpc_web::GrpcWeb;
use crate::headers::Headers;
use crate::in_flight_req::InFlightReq;
use crate::ip_allow_list::IpAllowList;
use crate::ip_deny_list::IpDenyList;
use crate::ip_white_list::IpWhiteList;
use crate::jwt::Jwt;
use crate::maintenance::Maintenance;
use crate::pass_tls_client_cert::PassTlsClientCert;
use crate::plugin::Plugin;
use crate::rate_limit::RateLimit;
use crate::redirect_regex::RedirectRegex;
use crate::redirect_scheme::RedirectScheme;
use crate::replace_path::ReplacePath;
use crate::replace_path_regex::ReplacePathRegex;
use crate::retry::Retry;
use crate::strip_prefix::StripPrefix;
use crate::strip_prefix_regex::StripPrefixRegex;
use crate::{BuildError, ChainBuilder, Middleware};

/// A kind of middleware, with its settings erased.
pub struct Kind {
    pub name: &'static str,
    /// Decodes and builds.
    pub build: fn(&Node, &mut ChainBuilder<'_>) -> Result<(), BuildError>,
    /// Decodes only: is it acceptable?
    pub check: fn(&Node) -> Result<(), ConfigErrors>,
    /// Decodes and shows with defaults filled in, as the API does.
    pub show: fn(&Node) -> Result<serde_json::Value, ConfigErrors>,
}

impl Kind {
    pub const fn of<M: Middleware>() -> Self {
        Self {
            name: M::NAME,
            build: |settings, chain| settings.decode::<M>()?.build(chain),
            check: |settings| settings.decode::<M>().map(drop),
            show: |settings| Ok(serde_json::to_value(settings.decode::<M>()?).unwrap_or_default()),
        }
    }
}

/// Every kind, sorted by name.
pub static KINDS: &[Kind] = &[
    Kind::of::<AddPrefix>(),
    Kind::of::<ApiKey>(),
    Kind::of::<BasicAuth>(),
    Kind::of::<Buffering>(),
    Kind::of::<Cache>(),
    Kind::of::<Chain>(),
    Kind::of::<CircuitBreaker>(),
    Kind::of::<Compress>(),
    Kind::of::<ContentType>(),
    Kind::of::<DigestAuth>(),
    Kind::of::<EncodedCharacters>(),
    Kind::of::<Errors>(),
    Kind::of::<ForwardAuth>(),
    Kind::of::<GrpcWeb>(),
    Kind::of::<Headers>(),
    Kind::of::<InFlightReq>(),
    Kind::of::<IpAllowList>(),
    Kind::of::<IpDenyList>(),
    Kind::of::<IpWhiteList>(),
    Kind::of::<Jwt>(),
    Kind::of::<Maintenance>(),
    Kind::of::<PassTlsClientCert>(),
    Kind::of::<Plugin>(),
    Kind::of::<RateLimit>(),
    Kind::of::<RedirectRegex>(),
    Kind::of::<RedirectScheme>(),
    Kind::of::<ReplacePath>(),
    Kind::of::<ReplacePathRegex>(),
    Kind::of::<Retry>(),
    Kind::of::<StripPrefix>(),
    Kind::of::<StripPrefixRegex>(),
];

/// The kind of that name, whatever its case.
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(name))
}

/// The kind that was probably meant.
pub fn nearest(name: &str) -> Option<String> {
    trafficcop_config::suggest::nearest(name, KINDS.iter().map(|kind| kind.name)).map(ToOwned::to_owned)
}
