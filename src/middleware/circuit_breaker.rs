//! # circuitBreaker
//!
//! Stops calling a service that fails, and lets it recover.
//!
//! ```yaml
//! middlewares:
//!   fuse: {circuitBreaker: {expression: "NetworkErrorRatio() > 0.30 || LatencyAtQuantileMS(50.0) > 100"}}
//! ```
//!
//! The expression compares `NetworkErrorRatio()`, `ResponseCodeRatio(from, to, dividedByFrom, dividedByTo)`,
//! `LatencyAtQuantileMS(quantile)` and `RequestThreshold()` with numbers (`>`, `>=`, `<`, `<=`, `==`, `!=`), joined by
//! `&&`, `||`, `!` and parentheses. It is looked at every `checkPeriod`; when it holds, requests are answered
//! `responseCode` for `fallbackDuration`, then a share that grows linearly over `recoveryDuration` passes. 502 and 504
//! count as network errors. Each router has its own breaker. `GET /api/x/circuit-breakers` says how they stand, and with
//! `api.writes` a call closes one (`POST /api/x/circuit-breakers/ID/reset`, also below `/admin`).

mod expression;
mod list;
mod metrics;

use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use trafficcop_config::Duration;
use trafficcop_exchange::{Around, Exchange, LocalBoxFuture, Next, Reason, Request, Response, StatusCode, reply};

use self::expression::Expression;
use self::list::Handle;
pub use self::list::{Standing, breakers, reset_breaker};
use self::metrics::Metrics;
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CircuitBreaker {
    /// When the circuit opens.
    #[serde(skip_serializing_if = "String::is_empty")]
    expression: String,
    /// How often the expression is looked at.
    check_period: Duration,
    /// How long the circuit stays open.
    fallback_duration: Duration,
    /// How long it takes to close again.
    recovery_duration: Duration,
    /// The status of the answer while it is open.
    response_code: u16,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self {
            expression: String::new(),
            check_period: Duration::from_millis(100),
            fallback_duration: Duration::from_secs(10),
            recovery_duration: Duration::from_secs(10),
            response_code: 503,
        }
    }
}

impl Middleware for CircuitBreaker {
    const NAME: &'static str = "circuitBreaker";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let status = StatusCode::from_u16(self.response_code)
            .map_err(|_| BuildError::invalid(format!("{} is not a status code", self.response_code)))?;
        let circuit = Circuit { state: State::Closed, metrics: Metrics::new(Instant::now()), checked: None };
        let (router, middleware) = (chain.router.into(), chain.name.into());
        let handle = Arc::new(Handle { router, middleware, circuit: Mutex::new(circuit) });
        list::register(&handle);
        chain.around(Breaker {
            expression: Expression::parse(&self.expression).map_err(BuildError::Invalid)?,
            check_period: self.check_period.positive().unwrap_or_default(),
            fallback: self.fallback_duration.positive().unwrap_or_default(),
            recovery: self.recovery_duration.positive().unwrap_or_default(),
            status,
            handle,
        });
        Ok(())
    }
}

struct Breaker {
    expression: Expression,
    check_period: std::time::Duration,
    fallback: std::time::Duration,
    recovery: std::time::Duration,
    status: StatusCode,
    handle: Arc<Handle>,
}

struct Circuit {
    state: State,
    metrics: Metrics,
    checked: Option<Instant>,
}

enum State {
    Closed,
    Open { until: Instant },
    Recovering { since: Instant, allowed: u64, denied: u64 },
}

impl Breaker {
    fn allows(&self, now: Instant) -> bool {
        let mut circuit = self.handle.circuit.lock();
        if let State::Open { until } = circuit.state {
            if now < until {
                return false;
            }
            tracing::info!("Circuit is recovering.");
            circuit.state = State::Recovering { since: now, allowed: 0, denied: 0 };
        }
        let State::Recovering { since, allowed, denied } = &mut circuit.state else { return true };
        let elapsed = now.saturating_duration_since(*since);
        if elapsed >= self.recovery {
            tracing::info!("Circuit is closed again.");
            circuit.state = State::Closed;
            return true;
        }
        // Half of the requests pass at the end of the recovery, and then all: the last step is as large as all others.
        let target = 0.5 * elapsed.as_secs_f64() / self.recovery.as_secs_f64();
        let share = (*allowed + 1) as f64 / (*allowed + 1 + *denied) as f64;
        let allow = share < target;
        *(if allow { allowed } else { denied }) += 1;
        allow
    }

    fn record(&self, status: StatusCode, started: Instant, now: Instant) {
        let mut circuit = self.handle.circuit.lock();
        circuit.metrics.record(status, now.saturating_duration_since(started), now);
        let due = circuit.checked.is_none_or(|checked| now.saturating_duration_since(checked) >= self.check_period);
        if !due || matches!(circuit.state, State::Open { .. }) {
            return;
        }
        circuit.checked = Some(now);
        if self.expression.holds(&circuit.metrics) {
            tracing::warn!(until = ?self.fallback, "Circuit is open.");
            circuit.state = State::Open { until: now + self.fallback };
            circuit.metrics = Metrics::new(now);
        }
    }
}

impl Around for Breaker {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        let started = Instant::now();
        if !self.allows(started) {
            cx.reason = Some(Reason::CircuitOpen);
            return Box::pin(std::future::ready(reply::status_text(self.status)));
        }
        Box::pin(async move {
            let response = next.run(req, cx).await;
            self.record(response.status, started, Instant::now());
            response
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration as Span;

    use super::*;
    use crate::testing::{self, Origin};

    fn breaker(router: &str) -> Breaker {
        let circuit = Circuit { state: State::Closed, metrics: Metrics::new(Instant::now()), checked: None };
        let (router, middleware) = (router.into(), "m@test".into());
        let handle = Arc::new(Handle { router, middleware, circuit: Mutex::new(circuit) });
        list::register(&handle);
        Breaker {
            expression: Expression::parse("ResponseCodeRatio(500, 600, 0, 600) > 0.5").expect("a good expression"),
            check_period: Span::ZERO,
            fallback: Span::from_secs(1),
            recovery: Span::from_secs(1),
            status: StatusCode::SERVICE_UNAVAILABLE,
            handle,
        }
    }

    #[test]
    fn opens_recovers_and_closes() {
        let (breaker, start) = (breaker("r@test"), Instant::now());
        let at = |millis: u64| start + Span::from_millis(millis);
        assert!(breaker.allows(at(0)));
        breaker.record(StatusCode::INTERNAL_SERVER_ERROR, at(0), at(1));
        assert!(!breaker.allows(at(2)));
        assert!(!breaker.allows(at(900)));
        assert!(!breaker.allows(at(1002)), "the recovery begins with nothing");
        let passed = (0..100_u64).filter(|step| breaker.allows(at(1002 + step * 9))).count();
        assert!((10..45).contains(&passed), "{passed}");
        assert!(breaker.allows(at(2100)));
        assert!(matches!(breaker.handle.circuit.lock().state, State::Closed));
    }

    #[test]
    fn one_that_is_open_is_listed_and_can_be_closed_by_hand() {
        let breaker = breaker("by-hand@test");
        breaker.record(StatusCode::INTERNAL_SERVER_ERROR, Instant::now(), Instant::now());
        let state = || {
            breakers().into_iter().filter(|one| one.router == "by-hand@test").map(|one| one.state).collect::<Vec<_>>()
        };
        assert_eq!(state(), ["open"]);
        assert!(reset_breaker("by-hand@test", "m@test"));
        assert_eq!(state(), ["closed"]);
        assert!(breaker.allows(Instant::now()));
        assert!(!reset_breaker("by-hand@test", "none@test"));
    }

    #[test]
    fn bad_settings_are_an_error() {
        for settings in
            ["{}", "{expression: 'Nonsense() > 1'}", "{expression: 'NetworkErrorRatio() > 0.5', responseCode: 9}"]
        {
            assert!(testing::chain("circuitBreaker", settings, Origin::ok()).is_err(), "{settings}");
        }
    }
}
