//! What counts as one source of requests; shared by the limiters.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Exchange, Request};

use crate::BuildError;
use crate::ip_strategy::{IpStrategy, Strategy};

/// The setting: at most one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SourceCriterion {
    /// By client address.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_strategy: Option<IpStrategy>,
    /// By the value of a header.
    #[serde(skip_serializing_if = "String::is_empty")]
    request_header_name: String,
    /// By the host asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    request_host: bool,
}

/// What a request is counted under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Address(IpAddr),
    Text(Box<str>),
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Address(IpAddr::V4(address)) => state.write_u32(address.to_bits()),
            Self::Address(IpAddr::V6(address)) => state.write_u128(address.to_bits()),
            Self::Text(text) => state.write(text.as_bytes()),
        }
    }
}

/// The setting, built.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Address(Strategy),
    Header(String),
    Host,
}

impl SourceCriterion {
    /// `none` is what an empty criterion means to this middleware.
    pub(crate) fn build(&self, none: Source) -> Result<Source, BuildError> {
        let header = !self.request_header_name.is_empty();
        if [self.ip_strategy.is_some(), header, self.request_host].iter().filter(|set| **set).count() > 1 {
            return Err(BuildError::invalid("iPStrategy, requestHeaderName and requestHost are mutually exclusive"));
        }
        Ok(match &self.ip_strategy {
            Some(strategy) => Source::Address(strategy.build()?),
            None if header => Source::Header(self.request_header_name.clone()),
            None if self.request_host => Source::Host,
            None => none,
        })
    }
}

impl Source {
    /// The source as a key: an address needs no text.
    pub(crate) fn key(&self, req: &Request, cx: &Exchange) -> Key {
        let text = |text: &str| Key::Text(text.into());
        match self {
            Self::Address(strategy) => {
                strategy.address(&req.headers, &cx.connection).map_or_else(|| text(""), Key::Address)
            }
            Self::Header(name) => text(req.headers.get_str(name).unwrap_or("")),
            Self::Host => text(req.host_str()),
        }
    }

    /// The source of this request; None when it has none (a missing `X-Forwarded-For`, say).
    pub(crate) fn of(&self, req: &Request, cx: &Exchange) -> Option<String> {
        match self {
            Self::Address(strategy) => {
                strategy.address(&req.headers, &cx.connection).map(|address| address.to_string())
            }
            Self::Header(name) => Some(req.headers.get_str(name).unwrap_or("").to_owned()),
            Self::Host => Some(req.host_str().to_owned()),
        }
    }
}
