//! [`Failover`]: a service and what answers in its place when it cannot.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use trafficcop_balancer::Status;
use trafficcop_config::dynamic::http as config;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Reason, Request, Response, Service, StatusCode, reply};

use super::children::Child;
use super::replay::{NotReplayable, Replay};
use crate::BuildError;

/// See the module.
pub struct Failover {
    main: Arc<dyn Service>,
    fallback: Arc<dyn Service>,
    /// None: taken for up.
    main_health: Option<Arc<Status>>,
    fallback_health: Option<Arc<Status>>,
    /// Answers of the main service that count as failures; empty: none do.
    failing: Box<[RangeInclusive<u16>]>,
    /// None: any size.
    most_body: Option<u64>,
    health: Option<Arc<Status>>,
}

impl Failover {
    /// The main service must have a health check, unless `errors.status` says which answers are failures.
    pub fn new(name: &str, settings: &config::Failover, main: Child, fallback: Child) -> Result<Arc<Self>, BuildError> {
        let errors = settings.errors.as_ref();
        let failing = ranges(errors.map_or(&[], |errors| errors.status.as_slice()))?;
        let main_health = if failing.is_empty() { Some(main.checked(name)?) } else { main.health.clone() };
        let (mut fallback_health, mut health) = (None, None);
        if settings.health_check.as_ref().is_some_and(|check| check.path.is_empty()) {
            let fallback = fallback.checked(name)?;
            let always_up = Status::leaf();
            health = Some(Status::any_of([main_health.as_ref().unwrap_or(&always_up), &fallback]));
            fallback_health = Some(fallback);
        }
        Ok(Arc::new(Self {
            main: main.service,
            fallback: fallback.service,
            main_health,
            fallback_health,
            failing,
            most_body: errors.and_then(|errors| u64::try_from(errors.max_request_body_bytes).ok()),
            health,
        }))
    }

    /// For parents. None unless `healthCheck` is set.
    pub fn health(&self) -> Option<Arc<Status>> {
        self.health.clone()
    }

    async fn answer(&self, mut request: Request, cx: &mut Exchange) -> Response {
        if is_up(self.main_health.as_ref()) {
            if self.failing.is_empty() || request.upgrade.is_some() {
                return self.main.call(request, cx).await;
            }
            let replay = match Replay::new(request, self.most_body).await {
                Ok(replay) => replay,
                Err(NotReplayable::TooLarge(_)) => {
                    cx.reason = Some(Reason::RequestTooLarge);
                    return reply::error(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large");
                }
                Err(NotReplayable::Broken(error)) => {
                    tracing::debug!(%error, "The body of a request broke off.");
                    cx.reason = Some(Reason::BadBody);
                    return reply::error(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
                }
            };
            let response = self.main.call(replay.request(), cx).await;
            if !self.failing.iter().any(|range| range.contains(&response.status.as_u16())) {
                return response;
            }
            request = replay.request();
        }
        if is_up(self.fallback_health.as_ref()) {
            (cx.fault, cx.reason) = (None, None);
            return self.fallback.call(request, cx).await;
        }
        cx.reason = Some(Reason::AllServersDown);
        reply::error(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
    }
}

fn is_up(health: Option<&Arc<Status>>) -> bool {
    health.is_none_or(|health| health.is_up())
}

/// `500-504`, `418`; an entry may hold several, separated by commas.
fn ranges(texts: &[String]) -> Result<Box<[RangeInclusive<u16>]>, BuildError> {
    let bad = |text: &str| BuildError::BadStatusRange(format!("{text:?} is no status or range of statuses"));
    let status = |text: &str| text.parse().ok().filter(|status| (100..600).contains(status));
    texts
        .iter()
        .flat_map(|text| text.split(','))
        .map(|text| {
            let (from, to) = text.split_once('-').unwrap_or((text, text));
            Ok(status(from).ok_or_else(|| bad(text))?..=status(to).ok_or_else(|| bad(text))?)
        })
        .collect()
}

impl Service for Failover {
    fn call<'a>(&'a self, request: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(self.answer(request, cx))
    }
}

impl fmt::Debug for Failover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failover").field("failing", &self.failing).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_ranges() {
        let read = |texts: &[&str]| ranges(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(*read(&["500-504", "418,404"]).unwrap(), [500..=504, 418..=418, 404..=404]);
        for bad in ["", "5xx", "500-", "99", "1000"] {
            assert!(read(&[bad]).is_err(), "{bad:?}");
        }
    }
}
