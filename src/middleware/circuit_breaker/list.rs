//! The circuit breakers of this process, for the API: how they stand, and how to close them by hand.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Circuit, State};
use crate::circuit_breaker::metrics::Metrics;

/// Breakers that live. Old ones go when their snapshot does.
static ALL: Mutex<Vec<Weak<Handle>>> = Mutex::new(Vec::new());

/// A breaker and whose it is.
pub(super) struct Handle {
    pub(super) router: Box<str>,
    pub(super) middleware: Box<str>,
    pub(super) circuit: Mutex<Circuit>,
}

/// How one breaker stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub router: String,
    pub middleware: String,
    /// `closed`, `open` or `recovering`.
    pub state: &'static str,
    /// Until the recovery begins, while it is open.
    pub opens_for: Option<std::time::Duration>,
}

pub(super) fn register(handle: &Arc<Handle>) {
    let mut all = ALL.lock();
    all.retain(|one| one.strong_count() > 0);
    all.push(Arc::downgrade(handle));
}

fn living() -> Vec<Arc<Handle>> {
    ALL.lock().iter().filter_map(Weak::upgrade).collect()
}

/// Every breaker, by router and middleware.
pub fn breakers() -> Vec<Standing> {
    let now = Instant::now();
    let shown = |handle: &Arc<Handle>| {
        let (state, opens_for) = match handle.circuit.lock().state {
            State::Closed => ("closed", None),
            // What nobody asked since is as good as recovering, and says so at its next request.
            State::Open { until } => ("open", Some(until.saturating_duration_since(now))),
            State::Recovering { .. } => ("recovering", None),
        };
        Standing { router: handle.router.to_string(), middleware: handle.middleware.to_string(), state, opens_for }
    };
    let mut all: Vec<_> = living().iter().map(shown).collect();
    all.sort_by(|one, other| (&one.router, &one.middleware).cmp(&(&other.router, &other.middleware)));
    all
}

/// Closes the breaker of a router's middleware and forgets what it counted; says whether there is one.
pub fn reset_breaker(router: &str, middleware: &str) -> bool {
    let meant = living().into_iter().filter(|one| *one.router == *router && *one.middleware == *middleware);
    let mut is_any = false;
    for handle in meant {
        let mut circuit = handle.circuit.lock();
        circuit.state = State::Closed;
        circuit.metrics = Metrics::new(Instant::now());
        is_any = true;
    }
    is_any
}
