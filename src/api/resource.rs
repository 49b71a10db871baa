//! What the paths below `/api/` name.

use trafficcop_snapshot::Snapshot;

use crate::page::Row;
use crate::{http, tcp, udp};

/// Names are as they stand in the path, escaped.
#[derive(Debug, PartialEq)]
pub(crate) enum Resource {
    Version,
    Overview,
    RawData,
    SupportDump,
    Problems,
    Explain,
    Servers,
    AdminHealth,
    Providers,
    Features,
    Traffic,
    Tail,
    Events,
    Orders,
    Caches,
    Breakers,
    Certificates,
    Certificate(String),
    EntryPoints,
    EntryPoint(String),
    Objects(Protocol, Section),
    Object(Protocol, Section, String),
}

impl Resource {
    pub(crate) fn at(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        Some(match parts.as_slice() {
            ["version"] => Self::Version,
            ["overview"] => Self::Overview,
            ["rawdata"] => Self::RawData,
            ["support-dump"] => Self::SupportDump,
            ["problems"] => Self::Problems,
            ["x", "explain"] => Self::Explain,
            ["x", "providers"] => Self::Providers,
            ["x", "features"] => Self::Features,
            ["x", "servers"] => Self::Servers,
            ["x", "traffic"] => Self::Traffic,
            ["x", "tail"] => Self::Tail,
            ["x", "events"] => Self::Events,
            ["x", "orders"] => Self::Orders,
            ["x", "cache"] => Self::Caches,
            ["x", "circuit-breakers"] => Self::Breakers,
            ["certificates"] => Self::Certificates,
            ["certificates", name] if !name.is_empty() => Self::Certificate((*name).to_owned()),
            ["entrypoints"] => Self::EntryPoints,
            ["entrypoints", name] if !name.is_empty() => Self::EntryPoint((*name).to_owned()),
            ["udp", "middlewares", ..] => return None,
            [protocol, section] => Self::Objects(Protocol::named(protocol)?, Section::named(section)?),
            [protocol, section, name] if !name.is_empty() => {
                Self::Object(Protocol::named(protocol)?, Section::named(section)?, (*name).to_owned())
            }
            _ => return None,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Protocol {
    Http,
    Tcp,
    Udp,
}

impl Protocol {
    fn named(name: &str) -> Option<Self> {
        match name {
            "http" => Some(Self::Http),
            "tcp" => Some(Self::Tcp),
            "udp" => Some(Self::Udp),
            _ => None,
        }
    }

    /// Every object of a section.
    pub(crate) fn rows(self, section: Section, snapshot: &Snapshot) -> Vec<Row> {
        match self {
            Self::Http => http::rows(section, snapshot),
            Self::Tcp => tcp::rows(section, snapshot),
            Self::Udp => udp::rows(section, snapshot),
        }
    }

    /// The object of that qualified name.
    pub(crate) fn one(self, section: Section, snapshot: &Snapshot, name: &str) -> Option<serde_json::Value> {
        match self {
            Self::Http => http::one(section, snapshot, name),
            Self::Tcp => tcp::one(section, snapshot, name),
            Self::Udp => udp::one(section, snapshot, name),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Section {
    Routers,
    Services,
    Middlewares,
}

impl Section {
    fn named(name: &str) -> Option<Self> {
        match name {
            "routers" => Some(Self::Routers),
            "services" => Some(Self::Services),
            "middlewares" => Some(Self::Middlewares),
            _ => None,
        }
    }

    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::Routers => "router",
            Self::Services => "service",
            Self::Middlewares => "middleware",
        }
    }
}
