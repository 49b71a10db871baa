//! [`Merged`]: the whole dynamic configuration under qualified names.

use std::collections::BTreeMap;
use std::sync::Arc;

use trafficcop_config::dynamic::{Middleware, http, tcp, tls, udp};
use trafficcop_config::{Name, Shared};

use crate::{Note, Severity};

/// Objects of one kind.
pub type Map<T> = BTreeMap<Name, Object<T>>;

/// One object: its settings and what merging found out about it. Two are equal whatever their places.
#[derive(Clone, Debug, PartialEq)]
pub struct Object<T> {
    /// Shared with the provider's configuration, unless merging had to change them.
    pub settings: Shared<T>,
    /// What is wrong with it.
    pub notes: Vec<Note>,
    /// Routers: the entry points it is served on. Others: the routers that use it. Sorted.
    pub used: Vec<Arc<str>>,
}

impl<T: Clone> Object<T> {
    pub fn new(settings: Shared<T>) -> Self {
        Self { settings, notes: Vec::new(), used: Vec::new() }
    }

    /// The settings, for whoever has to change them: from then on they are this object's own.
    pub(crate) fn own(&mut self) -> &mut T {
        &mut self.settings.value
    }

    /// Something is so wrong that it must not be used.
    pub fn is_disabled(&self) -> bool {
        self.notes.iter().any(|note| note.severity == Severity::Error)
    }
}

/// All configurations as one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    pub http: Http,
    pub tcp: Tcp,
    pub udp: Udp,
    /// Names of options and stores as routers refer to them: `name@provider`, or `default`.
    pub tls: tls::Tls,
    /// What is wrong and belongs to none of the objects.
    pub notes: Vec<Note>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Http {
    pub routers: BTreeMap<Name, HttpRouter>,
    pub services: Map<http::Service>,
    pub middlewares: Map<Middleware>,
    pub servers_transports: Map<http::ServersTransport>,
}

/// An HTTP router after entry-point models were applied.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRouter {
    pub object: Object<http::Router>,
    /// Routers that name this one as their parent.
    pub children: Vec<Name>,
    /// The entry point whose defaults were applied, when there are any; its encoded-character rules hold as well.
    pub model: Option<String>,
    /// The qualified name of the TLS options that hold for it: `default`, unless it names others and nobody disagrees.
    pub tls_options: Arc<str>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tcp {
    pub routers: Map<tcp::Router>,
    pub services: Map<tcp::Service>,
    pub middlewares: Map<Middleware>,
    pub servers_transports: Map<tcp::ServersTransport>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Udp {
    pub routers: Map<udp::Router>,
    pub services: Map<udp::Service>,
    pub middlewares: Map<Middleware>,
}
