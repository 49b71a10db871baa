//! `/api/x/providers`: is each provider's source reached, and when did it last say something. Ours; Traefik has none.

use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::Serialize;
use trafficcop_provider::States;

/// One provider.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown {
    name: Arc<str>,
    /// Absent before the first attempt to reach it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    up: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error_at: Option<String>,
    /// What is not taken, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    passed_over: Vec<String>,
}

pub(crate) fn providers(states: &States) -> Vec<Shown> {
    let shown = |(name, state): (Arc<str>, trafficcop_provider::state::Shown)| Shown {
        name,
        up: state.is_up,
        last_event: state.last_event.and_then(time),
        age_seconds: state.last_event.and_then(|at| at.elapsed().ok()).map(|age| age.as_secs()),
        last_error: state.error,
        last_error_at: state.error_at.and_then(time),
        passed_over: state.passed_over,
    };
    states.show().into_iter().map(shown).collect()
}

pub(crate) fn time(at: SystemTime) -> Option<String> {
    Timestamp::try_from(at).ok().map(|time| time.to_string())
}
