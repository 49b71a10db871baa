//! `/api/x/traffic` and `/api/x/tail`: how much traffic there is, and the last requests. Ours; Traefik has neither.

use serde_json::{Value, json};
use trafficcop_exchange::StatusCode;
use trafficcop_observe::{BOUNDS, Pulse, Tail};

use crate::answer::Answer;
use crate::page::Query;

/// Lines that one answer holds at most.
pub(crate) const MOST_LINES: usize = 500;

/// Counts since the start of the process: whoever asks twice knows the rate.
pub(crate) fn traffic(pulse: &Pulse) -> Value {
    let beat = pulse.read();
    json!({
        "requests": beat.started,
        "inFlight": beat.in_flight(),
        "ended": beat.ended(),
        "statuses": beat.classes,
        "durations": beat.durations,
        "bounds": BOUNDS,
        "bytesIn": beat.bytes_in,
        "bytesOut": beat.bytes_out,
        "reasons": beat.reasons,
    })
}

/// What came after the line `after`.
pub(crate) fn tail(tail: &Tail, query: &Query) -> Answer {
    let Ok(after) = Some(query.get("after")).filter(|text| !text.is_empty()).unwrap_or("0").parse() else {
        return Answer::Message(StatusCode::BAD_REQUEST, "after is the number of a line".to_owned());
    };
    Answer::json(&since(tail, after))
}

pub(crate) fn since(tail: &Tail, after: u64) -> Value {
    let (lines, passed_over) = tail.read(after, MOST_LINES);
    json!({ "lines": lines, "passedOver": passed_over })
}
