//! [`State`]: is a provider's source reached, when did it last say something, and what went wrong since.
//!
//! Written by the provider and its [`Publisher`](crate::Publisher), read by the API and the metrics. Nothing is decided
//! by it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Longer errors are cut when they are kept for showing.
const MAX_ERROR: usize = 1024;
/// Things that were not taken, of which the reason is kept.
const MAX_PASSED: usize = 200;

/// What is known of one provider.
#[derive(Debug, Default)]
pub struct State(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    shown: Shown,
    /// What went wrong is what was said, not that nothing was.
    is_refused: bool,
}

/// A copy of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Its source is reached; None before the first attempt has ended.
    pub is_up: Option<bool>,
    /// When it last said something, changed or not.
    pub last_event: Option<SystemTime>,
    /// What went wrong, unless it went well since.
    pub error: Option<String>,
    /// When that was.
    pub error_at: Option<SystemTime>,
    /// What is not taken although it might have been meant to be, and why: `container blog: health is starting`.
    pub passed_over: Vec<String>,
    /// Certificates that are being ordered, and those whose orders failed.
    pub orders: Vec<Order>,
}

/// A certificate that is not there yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    pub resolver: String,
    pub names: Vec<String>,
    /// Why the last attempt came to nothing; None: it is under way.
    pub failure: Option<String>,
    /// The authority said that too much was asked of it.
    pub is_limited: bool,
    pub failures: u32,
    /// When it is tried again.
    pub next: Option<SystemTime>,
}

impl State {
    /// The source answers, and says what it said before.
    pub fn reached(&self) {
        let mut known = self.lock();
        known.shown.is_up = Some(true);
        if !known.is_refused {
            (known.shown.error, known.shown.error_at) = (None, None);
        }
    }

    /// The source does not answer, or not as it should; what it said last stays in force.
    pub fn lost(&self, error: impl Display) {
        let mut known = self.lock();
        known.is_refused = false;
        known.shown.is_up = Some(false);
        known.shown.fail(&error);
    }

    /// The source said something that is in force now.
    pub(crate) fn spoke(&self) {
        let mut known = self.lock();
        known.is_refused = false;
        (known.shown.is_up, known.shown.last_event) = (Some(true), Some(SystemTime::now()));
        (known.shown.error, known.shown.error_at) = (None, None);
    }

    /// The source said something that cannot be used.
    pub(crate) fn refused(&self, error: impl Display) {
        let mut known = self.lock();
        known.is_refused = true;
        known.shown.last_event = Some(SystemTime::now());
        known.shown.fail(&error);
    }

    /// What is not taken, and why; the whole of it, each time.
    pub fn pass_over(&self, mut reasons: Vec<String>) {
        reasons.truncate(MAX_PASSED);
        self.lock().shown.passed_over = reasons;
    }

    /// The orders of certificates; the whole of them, each time.
    pub fn order(&self, mut orders: Vec<Order>) {
        orders.truncate(MAX_PASSED);
        self.lock().shown.orders = orders;
    }

    pub fn show(&self) -> Shown {
        self.lock().shown.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn fail(&mut self, error: &impl Display) {
        let mut text = error.to_string();
        if text.len() > MAX_ERROR {
            text.truncate(text.floor_char_boundary(MAX_ERROR));
            text.push('…');
        }
        self.error = Some(text);
        self.error_at = Some(SystemTime::now());
    }
}

/// The states of all providers, by name.
#[derive(Clone, Debug, Default)]
pub struct States(Arc<Mutex<BTreeMap<Arc<str>, Arc<State>>>>);

impl States {
    pub fn add(&self, provider: &str, state: &Arc<State>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(provider.into(), Arc::clone(state));
    }

    pub fn show(&self) -> Vec<(Arc<str>, Shown)> {
        let states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        states.iter().map(|(name, state)| (Arc::clone(name), state.show())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn an_error_is_told_until_all_is_well() {
        let state = State::default();
        assert_eq!(state.show().is_up, None);
        state.lost("connection refused");
        let shown = state.show();
        assert_eq!((shown.is_up, shown.error.as_deref()), (Some(false), Some("connection refused")));
        state.reached();
        assert_eq!((state.show().is_up, state.show().error), (Some(true), None));
        state.spoke();
        let shown = state.show();
        assert_eq!((shown.is_up, shown.error), (Some(true), None));
        state.refused("no rule");
        let shown = state.show();
        assert_eq!((shown.is_up, shown.error.as_deref()), (Some(true), Some("no rule")));
        state.reached();
        assert_eq!(state.show().error.as_deref(), Some("no rule"), "what is still said is still no good");
    }

    #[test]
    fn a_long_error_is_cut() {
        let state = State::default();
        state.lost("ä".repeat(5000));
        assert!(state.show().error.is_some_and(|error| error.len() < 1100));
    }
}
