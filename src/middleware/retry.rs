//! # retry
//!
//! Sends a request again when it failed.
//!
//! ```yaml
//! middlewares:
//!   again: {retry: {attempts: 4, initialInterval: 100ms, status: ["502-504"]}}
//! ```
//!
//! `attempts` counts the first try. Without `status` only requests that no server can have seen are sent again: those for
//! which no connection could be opened. With it, answers of those codes are tried again too, for idempotent methods (not
//! POST, LOCK, PATCH) unless `retryNonIdempotentMethod` is set; bodies are kept for that up to `maxRequestBodyBytes`. The
//! pauses grow from `initialInterval` (none if 0); after `timeout` no further try is prepared. The client gets the last answer.

use std::time::Duration as Span;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use trafficcop_config::Duration;
use trafficcop_exchange::{Around, Body, Exchange, LocalBoxFuture, Method, Next, Reason, Request, Response, reply};

use crate::replay::{Copy, Kept, keep};
use crate::status::StatusRanges;
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[allow(clippy::struct_field_names)] // the names are the options'
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Retry {
    /// How often at most, the first try included.
    #[serde(skip_serializing_if = "is_zero")]
    attempts: i64,
    /// The first pause.
    #[serde(skip_serializing_if = "no_time")]
    initial_interval: Duration,
    /// How long tries that failed are followed by another; 0 means no limit.
    #[serde(skip_serializing_if = "no_time")]
    timeout: Duration,
    /// Bytes of a request's body that are kept for another try.
    max_request_body_bytes: i64,
    /// Codes and ranges of answers that are tried again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    status: Vec<String>,
    /// Do not try again when no connection could be opened.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disable_retry_on_network_error: bool,
    /// Try POST, LOCK and PATCH again as well.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    retry_non_idempotent_method: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 0,
            initial_interval: Duration::ZERO,
            timeout: Duration::ZERO,
            max_request_body_bytes: 2 << 20,
            status: Vec::new(),
            disable_retry_on_network_error: false,
            retry_non_idempotent_method: false,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
fn is_zero(value: &i64) -> bool {
    *value == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
fn no_time(value: &Duration) -> bool {
    value.is_zero()
}

impl Middleware for Retry {
    const NAME: &'static str = "retry";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        if self.attempts <= 0 {
            return Err(BuildError::invalid("incorrect (or empty) value for attempt (it must be 1 or more)"));
        }
        let status = StatusRanges::parse(&self.status)?;
        chain.around(Again {
            attempts: self.attempts as u32,
            pause: self.initial_interval.positive(),
            timeout: self.timeout.positive(),
            limit: u64::try_from(self.max_request_body_bytes).unwrap_or(u64::MAX),
            by_status: (!self.status.is_empty()).then_some(status),
            on_connect: !self.disable_retry_on_network_error,
            any_method: self.retry_non_idempotent_method,
        });
        Ok(())
    }
}

struct Again {
    attempts: u32,
    pause: Option<Span>,
    timeout: Option<Span>,
    limit: u64,
    by_status: Option<StatusRanges>,
    on_connect: bool,
    any_method: bool,
}

impl Again {
    /// Growing so that the last pause is twice the first, as Traefik's.
    fn pause_before(&self, retry: u32) -> Option<Span> {
        let growth = 2_f64.powf(1.0 / f64::from(self.attempts.saturating_sub(1).max(1)));
        self.pause.map(|pause| pause.mul_f64(growth.powf(f64::from(retry.saturating_sub(1).min(64)))))
    }

    fn wants_another(&self, response: &Response, cx: &Exchange, may_repeat: bool) -> bool {
        if cx.fault.as_ref().is_some_and(trafficcop_exchange::Fault::is_retryable) {
            return self.on_connect;
        }
        may_repeat && self.by_status.as_ref().is_some_and(|codes| codes.contains(response.status))
    }
}

impl Around for Again {
    fn call<'a>(&'a self, mut req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let idempotent = ![Method::POST, Method::PATCH].contains(&req.method) && req.method.as_str() != "LOCK";
            let Ok(kept) = keep(&mut req.body, self.limit).await else {
                cx.reason = Some(Reason::BadBody);
                return reply::status_text(trafficcop_exchange::StatusCode::BAD_REQUEST);
            };
            let may_repeat = (idempotent || self.any_method) && matches!(kept, Kept::Whole(_));
            let copy = Copy::of(&req);
            let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
            let body: Bytes = if let Kept::Whole(bytes) = &kept { bytes.clone() } else { Bytes::new() };
            let mut first = Some(Request { body: kept.into_body(), ..req });
            let mut attempt = 1;
            loop {
                let request = first.take().unwrap_or_else(|| copy.request(Body::from(body.clone())));
                let response = next.run(request, &mut *cx).await;
                let pause = self.pause_before(attempt);
                let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
                if attempt >= self.attempts || late || !self.wants_another(&response, cx, may_repeat) {
                    return response;
                }
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
                tracing::debug!(attempt, status = response.status.as_u16(), "Sending the request again.");
                drop(response);
                cx.fault = None;
                cx.reason = None;
                cx.retries += 1;
                attempt += 1;
                if let Some(trace) = &mut cx.trace {
                    trace.again(cx.retries);
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::{Fault, Service, Side, Stage, StatusCode};

    use super::*;
    use crate::testing::{self, Origin};

    fn second_works(number: usize) -> Response {
        reply::empty(if number < 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK })
    }

    #[track_caller]
    fn check(settings: &str, method: Method, expected: (u16, usize)) {
        let origin = Origin::answering(second_works);
        let chain = testing::chain("retry", settings, origin.clone()).expect("good settings");
        let mut request = testing::request(method, "/");
        request.body = Body::from("hello");
        let response = testing::run(&chain, request, &mut testing::exchange());
        assert_eq!((response.status.as_u16(), origin.seen().len()), expected);
        assert!(origin.seen().iter().all(|seen| seen.body == "hello"));
    }

    #[test]
    fn answers_are_tried_again_only_if_asked_for() {
        check("{attempts: 3}", Method::GET, (503, 1));
        check("{attempts: 3, status: ['503']}", Method::GET, (200, 2));
        check("{attempts: 1, status: ['503']}", Method::GET, (503, 1));
        check("{attempts: 3, status: ['503']}", Method::POST, (503, 1));
        check("{attempts: 3, status: ['503'], retryNonIdempotentMethod: true}", Method::POST, (200, 2));
        check("{attempts: 3, status: ['503'], maxRequestBodyBytes: 2}", Method::GET, (503, 1));
        // As in Traefik, what has begun to wait in time is tried.
        check("{attempts: 3, status: ['503'], initialInterval: 1m, timeout: 1s}", Method::GET, (200, 2));
    }

    /// Fails to connect the first two times.
    struct Unreachable(std::sync::atomic::AtomicUsize);

    impl Service for Unreachable {
        fn call<'a>(&'a self, _: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
            let number = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let status = if number < 2 {
                cx.fault = Some(Fault::new(Side::Upstream, Stage::Connect, "refused"));
                StatusCode::BAD_GATEWAY
            } else {
                StatusCode::OK
            };
            Box::pin(std::future::ready(reply::empty(status)))
        }
    }

    #[test]
    fn what_no_server_has_seen_is_sent_again() {
        for (settings, expected) in
            [("{attempts: 3}", 200), ("{attempts: 2}", 502), ("{attempts: 3, disableRetryOnNetworkError: true}", 502)]
        {
            let chain =
                testing::chain("retry", settings, std::sync::Arc::new(Unreachable(0.into()))).expect("good settings");
            let response = testing::run(&chain, testing::request(Method::POST, "/"), &mut testing::exchange());
            assert_eq!(response.status.as_u16(), expected, "{settings}");
        }
    }

    #[test]
    fn no_attempts_is_an_error() {
        assert!(testing::chain("retry", "{}", Origin::ok()).is_err());
    }
}
