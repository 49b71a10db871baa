//! `/api/x/circuit-breakers` and `/admin/circuit-breakers`: how the breakers of routers stand, and the call that closes one.
//! Ours; Traefik has none.

use serde_json::{Value, json};
use trafficcop_exchange::StatusCode;
use trafficcop_middleware::Standing;

use crate::answer::Answer;
use crate::certificates::fingerprint;

pub(crate) fn list() -> Answer {
    let shown = |breaker: &Standing| {
        json!({
            "id": id(breaker),
            "router": breaker.router,
            "middleware": breaker.middleware,
            "state": breaker.state,
            "opensForMs": breaker.opens_for.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
        })
    };
    Answer::json(&Value::from(trafficcop_middleware::breakers().iter().map(shown).collect::<Vec<_>>()))
}

/// Closes the breaker of that number.
pub(crate) fn reset(wanted: &str) -> Answer {
    let breaker = trafficcop_middleware::breakers().into_iter().find(|breaker| id(breaker) == wanted);
    let Some(breaker) =
        breaker.filter(|breaker| trafficcop_middleware::reset_breaker(&breaker.router, &breaker.middleware))
    else {
        return Answer::Message(StatusCode::NOT_FOUND, format!("circuit breaker not found: {wanted}"));
    };
    tracing::warn!(router = breaker.router, middleware = breaker.middleware, "A call of the API closes a circuit.");
    Answer::json(
        &json!({ "id": wanted, "router": breaker.router, "middleware": breaker.middleware, "state": "closed" }),
    )
}

/// The same as long as router and middleware keep their names.
fn id(breaker: &Standing) -> String {
    let mut id = fingerprint(format!("{} {}", breaker.router, breaker.middleware).as_bytes());
    id.truncate(16);
    id
}
