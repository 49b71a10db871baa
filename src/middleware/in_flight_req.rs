//! # inFlightReq
//!
//! Bounds how many requests of one source are under way at once.
//!
//! ```yaml
//! middlewares:
//!   few: {inFlightReq: {amount: 10, sourceCriterion: {ipStrategy: {depth: 1}}}}
//! ```
//!
//! A source is the request's host unless `sourceCriterion` says otherwise. One more is answered 429. As in Traefik, an
//! `amount` of 0 (or none) refuses everything.

use std::collections::HashMap;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Around, Exchange, LocalBoxFuture, Next, Reason, Request, Response, StatusCode, reply};

use crate::source::{Source, SourceCriterion};
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct InFlightReq {
    /// How many at once.
    #[serde(skip_serializing_if = "is_zero")]
    amount: i64,
    /// What counts as one source.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_criterion: Option<SourceCriterion>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
fn is_zero(value: &i64) -> bool {
    *value == 0
}

impl Middleware for InFlightReq {
    const NAME: &'static str = "inFlightReq";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let source =
            self.source_criterion.as_ref().map_or(Ok(Source::Host), |criterion| criterion.build(Source::Host))?;
        chain.around(Limit { amount: self.amount, source, counts: Mutex::default() });
        Ok(())
    }
}

struct Limit {
    amount: i64,
    source: Source,
    /// Only sources with a request under way are in here, so it is bounded by the requests under way.
    counts: Mutex<HashMap<Box<str>, i64>>,
}

impl Limit {
    fn enter(&self, source: &str) -> Option<Place<'_>> {
        let mut counts = self.counts.lock();
        let count = counts.get(source).copied().unwrap_or(0);
        if count >= self.amount {
            return None;
        }
        counts.insert(source.into(), count + 1);
        Some(Place { limit: self, source: source.into() })
    }
}

/// Given back when the request ends, whichever way it ends.
struct Place<'a> {
    limit: &'a Limit,
    source: Box<str>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut counts = self.limit.counts.lock();
        if let Some(count) = counts.get_mut(&self.source) {
            *count -= 1;
            if *count <= 0 {
                counts.remove(&self.source);
            }
        }
    }
}

impl Around for Limit {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let source = self.source.of(&req, cx).unwrap_or_default();
            let Some(_place) = self.enter(&source) else {
                cx.reason = Some(Reason::TooManyInFlight);
                let mut response = reply::empty(StatusCode::TOO_MANY_REQUESTS);
                response.body = format!("max connections reached: {}", self.amount).into();
                return response;
            };
            next.run(req, cx).await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use trafficcop_exchange::{Chain, Method, Service};

    use super::*;
    use crate::testing::{self, Origin};

    /// A service that sends the request through the same chain once more before it answers.
    struct Again(std::sync::OnceLock<Arc<Chain>>);

    impl Service for Again {
        fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
            let again = req.target.path() == "/again";
            Box::pin(async move {
                match self.0.get().filter(|_| again) {
                    Some(chain) => chain.run(testing::request(Method::GET, "/"), cx).await,
                    None => reply::empty(StatusCode::OK),
                }
            })
        }
    }

    #[track_caller]
    fn check(amount: u8, expected: [u16; 2]) {
        let service = Arc::new(Again(std::sync::OnceLock::new()));
        let chain =
            testing::chain("inFlightReq", &format!("{{amount: {amount}}}"), service.clone()).expect("good settings");
        let chain = Arc::new(chain);
        assert!(service.0.set(Arc::clone(&chain)).is_ok());
        let nested = testing::run(&chain, testing::request(Method::GET, "/again"), &mut testing::exchange());
        let after = testing::run(&chain, testing::request(Method::GET, "/"), &mut testing::exchange());
        assert_eq!([nested.status.as_u16(), after.status.as_u16()], expected);
    }

    #[test]
    fn one_more_is_refused_and_places_are_given_back() {
        check(0, [429, 429]);
        check(1, [429, 200]);
        check(2, [200, 200]);
    }

    #[test]
    fn sources_exclude_each_other() {
        let both = "{amount: 1, sourceCriterion: {requestHost: true, requestHeaderName: X}}";
        assert!(testing::chain("inFlightReq", both, Origin::ok()).is_err());
    }
}
