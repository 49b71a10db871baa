//! What was built, and of which parts: an object whose settings and parts are as before keeps its built form.
//!
//! Only what succeeded is remembered. A failure holds no state worth keeping, and its words may depend on the way it was
//! reached; it is found out anew each time.

use std::hash::Hash;
use std::sync::Arc;

use trafficcop_balancer::Status;
use trafficcop_config::Name;
use trafficcop_exchange::{Service, Step};
use trafficcop_proxy::http::Transport;

use super::routers::BuiltRoute;
use super::tcp::TcpMemory;
use crate::Servers;

type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

/// A service with whatever middlewares it has around itself.
#[derive(Clone)]
pub(super) struct BuiltService {
    pub(super) service: Arc<dyn Service>,
    /// For parents that want to know.
    pub(super) health: Option<Arc<Status>>,
    /// Of a load balancer.
    pub(super) servers: Option<Arc<dyn Servers>>,
}

/// Middlewares hold state for the one they belong to: a router, or a service that has middlewares of its own. The number
/// tells the same middleware apart when it is listed twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct StepsKey {
    pub(super) owner: Arc<str>,
    /// The chain middlewares around it, outermost first; empty for one that its owner lists itself.
    pub(super) within: Arc<str>,
    pub(super) middleware: Name,
    pub(super) number: u32,
}

/// Something that others are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Transport(Name),
    Service(Name),
    Steps(StepsKey),
    /// By the path of names from its root.
    Route(Arc<str>),
}

/// The parts of an object, each with the version that went into it.
pub(super) type Parts = Arc<[(Part, u64)]>;

pub(super) struct Memo<T> {
    /// No two things that were built have the same.
    pub(super) version: u64,
    /// The last pass that found it to be as before.
    pub(super) pass: u64,
    pub(super) parts: Parts,
    pub(super) built: T,
}

pub(super) struct Memos<K, T>(Map<K, Memo<T>>);

impl<K, T> Default for Memos<K, T> {
    fn default() -> Self {
        Self(Map::default())
    }
}

impl<K: Hash + Eq, T> Memos<K, T> {
    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&Memo<T>>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.0.get(key)
    }

    pub(super) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut Memo<T>>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.0.get_mut(key)
    }

    pub(super) fn insert(&mut self, key: K, memo: Memo<T>) {
        self.0.insert(key, memo);
    }

    fn keep_only(&mut self, pass: u64) {
        self.0.retain(|_, memo| memo.pass == pass);
    }
}

#[derive(Default)]
pub(super) struct Memory {
    pass: u64,
    version: u64,
    pub(super) transports: Memos<Name, Arc<Transport>>,
    pub(super) services: Memos<Name, BuiltService>,
    pub(super) steps: Memos<StepsKey, Arc<[Step]>>,
    pub(super) routes: Memos<Arc<str>, BuiltRoute>,
    pub(super) tcp: TcpMemory,
}

impl Memory {
    /// The number of a new pass.
    pub(super) fn begin(&mut self) -> u64 {
        self.pass += 1;
        self.pass
    }

    pub(super) fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// What the last pass did not need ends here, unless a snapshot that is still in use holds it.
    pub(super) fn forget_the_rest(&mut self) {
        self.transports.keep_only(self.pass);
        self.services.keep_only(self.pass);
        self.steps.keep_only(self.pass);
        self.routes.keep_only(self.pass);
        self.tcp.forget_the_rest();
    }
}
