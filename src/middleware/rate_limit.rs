//! # rateLimit
//!
//! Bounds how many requests of one source pass in a time, by a token bucket.
//!
//! ```yaml
//! middlewares:
//!   slow: {rateLimit: {average: 100, period: 1m, burst: 20}}
//!   together: {rateLimit: {average: 100, redis: {endpoints: ["redis:6379"]}}}
//! ```
//!
//! `average` requests per `period` flow in, `burst` may come at once; an `average` of 0 limits nothing. A request that
//! would have to wait a little (500 ms at less than one per second, else half the time between two) is delayed, not
//! refused. The refusal is 429 with `Retry-After` (seconds) and `X-Retry-In`. A source is the client's address unless
//! `sourceCriterion` says otherwise. At most 65,536 sources are remembered. Each router has its own buckets.
//!
//! `algorithm` is an extension: `fixedWindow` lets `average` requests pass in each `period`, `slidingWindow` in a period that
//! moves along (of the last one counts as much as is still in view); both know no `burst` and delay nothing.
//!
//! With `redis` the counts are kept there, one for all instances and all routers with this middleware, under the keys that
//! Traefik uses (`rate:<middleware>:<source>`). Several endpoints are nodes of a cluster. A worker has one connection, so
//! `poolSize`, `minIdleConns` and `maxActiveConns` have no effect. When Redis gives no answer the client gets 500, or, with
//! the extension `denyOnError: false`, the request passes uncounted.

mod algorithm;
mod buckets;
mod settings;
mod shared;

use tokio::time::Instant;
use trafficcop_config::Duration;
use trafficcop_exchange::{Around, Exchange, LocalBoxFuture, Next, Reason, Request, Response, StatusCode, reply};

use self::algorithm::{Algorithm, Verdict};
use self::buckets::Buckets;
use self::settings::Counting;
pub(crate) use self::settings::RateLimit;
use self::shared::Shared;
use crate::ip_strategy::Strategy;
use crate::source::Source;
use crate::{BuildError, ChainBuilder, Middleware};

impl Middleware for RateLimit {
    const NAME: &'static str = "rateLimit";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let none = Source::Address(Strategy::peer());
        let source = self.source_criterion.as_ref().map_or(Ok(none.clone()), |criterion| criterion.build(none))?;
        if self.period.as_nanos() < 0 {
            return Err(BuildError::invalid(format!("negative value not valid for period: {}", self.period)));
        }
        if self.average <= 0 {
            return Ok(());
        }
        let period = self.period.positive().unwrap_or(std::time::Duration::from_secs(1)).as_secs_f64();
        let limit = self.average as f64;
        let algorithm = match self.algorithm {
            Counting::TokenBucket => Algorithm::token_bucket(limit / period, self.burst.max(1) as f64),
            Counting::FixedWindow => Algorithm::FixedWindow { limit, period },
            Counting::SlidingWindow => Algorithm::SlidingWindow { limit, period },
        };
        match &self.redis {
            None => chain.around(Limiter { source, buckets: Buckets::new(algorithm) }),
            Some(redis) => {
                let shared = Shared::new(algorithm, chain.name, redis)?;
                let middleware = chain.name.into();
                chain.around(Together { source, shared, deny_on_error: redis.deny_on_error, middleware });
            }
        }
        Ok(())
    }
}

/// Counts by itself.
struct Limiter {
    source: Source,
    buckets: Buckets,
}

impl Around for Limiter {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        match self.buckets.take(self.source.key(&req, cx), Instant::now()) {
            Verdict::Now => next.run(req, cx),
            Verdict::After(delay) => Box::pin(async move {
                tokio::time::sleep(delay).await;
                next.run(req, cx).await
            }),
            Verdict::Refused(delay) => Box::pin(std::future::ready(refusal(delay, cx))),
        }
    }
}

/// Counts together with other instances.
struct Together {
    source: Source,
    shared: Shared,
    deny_on_error: bool,
    middleware: Box<str>,
}

impl Around for Together {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        let source = self.source.of(&req, cx).unwrap_or_default();
        Box::pin(async move {
            match self.shared.take(&source).await {
                Ok(Verdict::Now) => {}
                Ok(Verdict::After(delay)) => tokio::time::sleep(delay).await,
                Ok(Verdict::Refused(delay)) => return refusal(delay, cx),
                Err(error) if self.deny_on_error => {
                    tracing::debug!(middleware = %self.middleware, %error, "Redis gives no answer: refused.");
                    cx.reason = Some(Reason::LimitUnreachable);
                    return reply::error(StatusCode::INTERNAL_SERVER_ERROR, "Could not insert/update bucket");
                }
                Err(error) => {
                    tracing::debug!(middleware = %self.middleware, %error, "Redis gives no answer: not counted.");
                }
            }
            next.run(req, cx).await
        })
    }
}

fn refusal(delay: std::time::Duration, cx: &mut Exchange) -> Response {
    cx.reason = Some(Reason::RateLimited);
    let mut response = reply::status_text(StatusCode::TOO_MANY_REQUESTS);
    response.headers.append("Retry-After", delay.as_secs_f64().ceil().to_string());
    let nanos = i64::try_from(delay.as_nanos()).unwrap_or(i64::MAX);
    response.headers.append("X-Retry-In", Duration::from_nanos(nanos).to_string());
    response
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
        check("{average: 2, period: 1000h, algorithm: fixedWindow}", &[200, 200, 429]);
        check("{average: 2, period: 1000h, burst: 9, algorithm: slidingWindow}", &[200, 200, 429]);
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
        assert!(testing::chain("rateLimit", "{average: 1, redis: {endpoints: [nowhere]}}", Origin::ok()).is_err());
    }
}
