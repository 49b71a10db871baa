//! HTTP and TCP middlewares: ONE FILE PER KIND with its settings, behaviour, documentation and tests, and one line each
//! in the registry below.
//!
//! Does not know the proxy: services, clients and other middlewares come from [`ChainBuilder`].

pub mod builder;
pub mod registry;
pub mod tcp;
pub mod udp;

mod address_list;
mod client_tls;
mod go_path;
mod go_url;
mod ip_strategy;
#[cfg(test)]
mod testing;

mod add_prefix;
mod api_key;
mod basic_auth;
mod buffering;
mod cache;
mod chain;
mod circuit_breaker;
mod compress;
mod content_type;
mod digest_auth;
pub mod encoded_characters;
mod errors;
mod expression;
mod forward_auth;
mod grpc_web;
mod headers;
mod in_flight_req;
mod ip_allow_list;
mod ip_deny_list;
mod ip_white_list;
mod jwt;
mod maintenance;
mod pass_tls_client_cert;
mod password;
mod plugin;
mod rate_limit;
mod redirect_regex;
mod redirect_scheme;
mod replace_path;
mod replace_path_regex;
mod replay;
mod retry;
mod source;
mod status;
mod strip_prefix;
mod strip_prefix_regex;
mod users;
mod verified;

pub use builder::{BuildError, ChainBuilder, Parts};
pub use cache::{Cached, caches, purge};
pub use circuit_breaker::{Standing, breakers, reset_breaker};
pub use registry::{KINDS, Kind, find, nearest};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The settings of a kind, which know how to build themselves into a chain.
pub trait Middleware: DeserializeOwned + Serialize + 'static {
    /// As written in configuration: `addPrefix`.
    const NAME: &'static str;
    /// Adds the steps, or says why it cannot.
    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError>;
}
