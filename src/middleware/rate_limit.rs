//! # rateLimit
//!
//! Bounds how many requests of one source pass in a time, by a token bucket.
//!
//! ```yaml
//! middlewares:
//!   slow: {rateLimit: {average: 100, period: 1m, burst: 20}}
//! ```
//!
//! `average` requests per `period` flow in, `burst` may come at once; an `average` of 0 limits nothing. A request that
//! would have to wait a little (500 ms at less than one per second, else half the time between two) is delayed, not
//! refused. The refusal is 429 with `Retry-After` (seconds) and `X-Retry-In`. A source is the client's address unless
//! `sourceCriterion` says otherwise. At most 65,536 sources are remembered. Each router has its own buckets.

mod buckets;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use trafficcop_config::{Duration, Node};
use trafficcop_exchange::{Around, Exchange, LocalBoxFuture, Next, Reason, Request, Response, StatusCode, reply};

use self::buckets::{Buckets, Verdict};
use crate::ip_strategy::Strategy;
use crate::source::{Source, SourceCriterion};
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RateLimit {
    /// Requests per period; 0 limits nothing.
    #[serde(skip_serializing_if = "is_zero")]
    average: i64,
    /// The time in which `average` requests may pass.
    period: Duration,
    /// Requests that may come at once; at least 1.
    burst: i64,
    /// What counts as one source.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_criterion: Option<SourceCriterion>,
    /// Buckets shared through Redis.
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<Node>,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { average: 0, period: Duration::from_secs(1), burst: 1, source_criterion: None, redis: None }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
fn is_zero(value: &i64) -> bool {
    *value == 0
}

impl Middleware for RateLimit {
    const NAME: &'static str = "rateLimit";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let none = Source::Address(Strategy::peer());
        let source = self.source_criterion.as_ref().map_or(Ok(none.clone()), |criterion| criterion.build(none))?;
        if self.period.as_nanos() < 0 {
            return Err(BuildError::invalid(format!("negative value not valid for period: {}", self.period)));
        }
        if self.redis.is_some() {
            tracing::warn!(
                middleware = chain.name,
                "rateLimit.redis has no effect in this build: each instance limits for itself."
            );
        }
        if self.average <= 0 {
            return Ok(());
        }
        let period = self.period.positive().unwrap_or(std::time::Duration::from_secs(1));
        let rate = self.average as f64 / period.as_secs_f64();
        chain.around(Limiter { source, buckets: Buckets::new(rate, self.burst.max(1) as f64) });
        Ok(())
    }
}

struct Limiter {
    source: Source,
    buckets: Buckets,
}

impl Around for Limiter {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        let source = self.source.of(&req, cx).unwrap_or_default();
        match self.buckets.take(&source, Instant::now()) {
            Verdict::Now => next.run(req, cx),
            Verdict::After(delay) => Box::pin(async move {
                tokio::time::sleep(delay).await;
                next.run(req, cx).await
            }),
            Verdict::Refused(delay) => {
                cx.reason = Some(Reason::RateLimited);
                let mut response = reply::status_text(StatusCode::TOO_MANY_REQUESTS);
                response.headers.append("Retry-After", delay.as_secs_f64().ceil().to_string());
                let nanos = i64::try_from(delay.as_nanos()).unwrap_or(i64::MAX);
                response.headers.append("X-Retry-In", Duration::from_nanos(nanos).to_string());
                Box::pin(std::future::ready(response))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::Method;

    use crate::testing::{self, Origin};

    #[track_caller]
    fn check(settings: &str, expected: &[u16]) {
        let chain = testing::chain("rateLimit", settings, Origin::ok()).expect("good settings");
        let answers: Vec<_> = expected
            .iter()
            .map(|_| testing::run(&chain, testing::request(Method::GET, "/"), &mut testing::exchange()).status.as_u16())
            .collect();
        assert_eq!(answers, expected);
    }

    #[test]
    fn the_burst_passes_and_the_rest_is_refused() {
        check("{average: 1, period: 1m, burst: 3}", &[200, 200, 200, 429, 429]);
        check("{average: 0}", &[200, 200, 200]);
        check("{average: 1, period: 1h}", &[200, 429]);
    }

    #[test]
    fn the_refusal_says_when_to_come_back() {
        let chain = testing::chain("rateLimit", "{average: 1, period: 1m}", Origin::ok()).expect("good settings");
        let ask = || testing::run(&chain, testing::request(Method::GET, "/"), &mut testing::exchange());
        ask();
        assert_eq!(ask().headers.get_str("Retry-After"), Some("60"));
    }

    #[test]
    fn negative_periods_are_an_error() {
        assert!(testing::chain("rateLimit", "{average: 1, period: -1s}", Origin::ok()).is_err());
    }
}
