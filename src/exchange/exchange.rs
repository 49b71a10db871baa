//! [`Exchange`]: what is known about one request so far.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;

use crate::{ConnectionInfo, Fault, Headers, Reason, Trace};

/// What the route finder settled; built with the snapshot.
#[derive(Debug)]
pub struct RouteInfo {
    /// `name@provider`; `parent@x -> child@x` for nested routers.
    pub router: Arc<str>,
    /// `name@provider` of the service the router leads to.
    pub service: Arc<str>,
    pub access_logs: bool,
    pub metrics: bool,
    pub tracing: bool,
    /// Spans of every part of the way are wanted.
    pub detailed: bool,
}

/// The server that was picked; built with the snapshot.
#[derive(Debug)]
pub struct ServerInfo {
    /// `name@provider` of the load balancer that picked it.
    pub service: Arc<str>,
    /// As configured.
    pub url: Box<str>,
    /// host:port
    pub address: Box<str>,
}

/// What a server gave, before any middleware touched it. Kept only where a log or metrics ask for it.
#[derive(Debug)]
pub struct Origin {
    /// How long after the exchange began the request went to the load balancer.
    pub after: Duration,
    /// What the server answered, or what stands for its answer when it gave none.
    pub status: StatusCode,
    /// Empty unless a log keeps headers.
    pub headers: Headers,
    /// Bytes of the body that were read.
    pub bytes: Cell<u64>,
}

/// One request on its way, from the entry point to the end of its answer.
#[derive(Debug)]
pub struct Exchange {
    pub connection: Rc<ConnectionInfo>,
    pub started: Instant,
    /// Host without port, lower-cased: what routes and checks look at. A trailing dot stays, for regular expressions.
    pub canonical_host: Box<str>,
    pub route: Option<Arc<RouteInfo>>,
    pub server: Option<Arc<ServerInfo>>,
    /// Who an auth middleware found the client to be.
    pub user: Option<Box<str>>,
    /// What went wrong, when the answer was not a server's.
    pub fault: Option<Fault>,
    /// Why we answered ourselves.
    pub reason: Option<Reason>,
    /// The server's status, when there was one; the client may get another.
    pub origin_status: Option<StatusCode>,
    /// The server's answer, where somebody wants to know.
    pub origin: Option<Rc<Origin>>,
    /// How often the request was sent again.
    pub retries: u32,
    /// A middleware removed `X-Forwarded-For` on purpose: the proxy must not begin a new one.
    pub omit_forwarded_for: bool,
    /// The entry point asks that the peer is not added to `X-Forwarded-For`.
    pub keep_forwarded_for: bool,
    /// Where 1xx answers go.
    pub interim: Interim,
    /// The request's spans, where tracing is on.
    pub trace: Option<Box<Trace>>,
}

impl Exchange {
    pub fn new(connection: Rc<ConnectionInfo>) -> Self {
        Self::telling(connection, Interim::default())
    }

    /// One whose 1xx answers go to `interim`.
    pub fn telling(connection: Rc<ConnectionInfo>, interim: Interim) -> Self {
        Self {
            connection,
            started: Instant::now(),
            canonical_host: "".into(),
            route: None,
            server: None,
            user: None,
            fault: None,
            reason: None,
            origin_status: None,
            origin: None,
            retries: 0,
            omit_forwarded_for: false,
            keep_forwarded_for: false,
            interim,
            trace: None,
        }
    }
}

/// 1xx answers on their way to the client: put in by the side that calls the server, taken out by the serving engine
/// each time it has polled the exchange. At most 16 wait; more are dropped.
#[derive(Clone, Debug, Default)]
pub struct Interim(Rc<RefCell<Vec<(StatusCode, Headers)>>>);

impl Interim {
    pub fn send(&self, status: StatusCode, headers: Headers) {
        let mut waiting = self.0.borrow_mut();
        if waiting.len() < 16 {
            waiting.push((status, headers));
        }
    }

    pub fn take(&self) -> Vec<(StatusCode, Headers)> {
        std::mem::take(&mut *self.0.borrow_mut())
    }

    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}
