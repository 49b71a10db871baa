//! What this program is.

use serde_json::json;
use trafficcop_exchange::Response;

use crate::answer;

/// Tools that ask for the version expect that of Traefik whose behaviour they get; ours is beside it.
const TRAEFIK: &str = "3.7.15";

pub(crate) fn answer(started: jiff::Timestamp) -> Response {
    let mut response =
        answer::json(&json!({ "Version": TRAEFIK, "Codename": "TrafficCop", "startDate": started.to_string() }));
    response.headers.insert("Content-Type", "application/json; charset=UTF-8");
    response
}
