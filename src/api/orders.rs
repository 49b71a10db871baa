//! `/api/x/orders`: certificates that are being ordered, and those whose orders failed: why, how often, and when they are tried
//! again. Ours; Traefik has none.

use serde_json::{Value, json};
use trafficcop_provider::{Order, States};

use crate::providers::time;

pub(crate) fn orders(states: &States) -> Value {
    let shown = |order: Order| {
        let state = match (&order.failure, order.is_limited) {
            (None, _) => "ordering",
            (Some(_), true) => "limited",
            (Some(_), false) => "failed",
        };
        json!({
            "resolver": order.resolver,
            "names": order.names,
            "state": state,
            "failures": order.failures,
            "error": order.failure,
            "next": order.next.and_then(time),
        })
    };
    states.show().into_iter().flat_map(|(_, state)| state.orders).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use trafficcop_provider::State;

    use super::*;

    #[test]
    fn what_is_ordered_and_what_failed_is_shown() {
        let (states, state) = (States::default(), Arc::new(State::default()));
        states.add("acme", &state);
        let order = |name: &str, failure: Option<&str>| Order {
            resolver: "le".into(),
            names: vec![name.into()],
            failure: failure.map(str::to_owned),
            is_limited: failure.is_some_and(|failure| failure.contains("rateLimited")),
            failures: u32::from(failure.is_some()),
            next: failure.map(|_| SystemTime::UNIX_EPOCH),
        };
        state.order(vec![order("a", None), order("b", Some("dns")), order("c", Some("urn:…:rateLimited: too many"))]);
        let shown = orders(&states);
        let states: Vec<_> = shown.as_array().expect("a list").iter().map(|order| &order["state"]).collect();
        assert_eq!(states, ["ordering", "failed", "limited"]);
        assert_eq!(shown[1]["next"], "1970-01-01T00:00:00Z");
        assert_eq!(shown[0]["next"], Value::Null);
    }
}
