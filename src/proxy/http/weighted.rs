//! [`Weighted`]: a service that shares its requests among services by weight.

use std::fmt;
use std::sync::Arc;

use trafficcop_balancer::{Asked, Balancer, HighestRandomWeight, Status, Strategy, WeightedRoundRobin};
use trafficcop_config::dynamic::http as config;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Reason, Request, Response, Service, StatusCode, reply};

use super::children::{Child, balance};
use super::cookie::StickyCookie;
use crate::BuildError;

/// See the module.
pub struct Weighted {
    balancer: Balancer<Arc<dyn Service>>,
    cookie: Option<StickyCookie>,
    /// Requests of equal values in it go to the same service.
    sticky_header: Option<Box<str>>,
    health: Option<Arc<Status>>,
}

impl Weighted {
    /// `name` is qualified (it is part of the sticky cookie's name); `children` are those of `settings.services`, in that
    /// order.
    pub fn new(name: &str, settings: &config::Weighted, children: Vec<Child>) -> Result<Arc<Self>, BuildError> {
        let (balancer, health) = balance(name, settings.health_check.is_some(), children, |candidates| {
            Box::new(WeightedRoundRobin::new(candidates))
        })?;
        let cookie = settings.sticky.as_ref().and_then(|sticky| sticky.cookie.as_ref());
        let cookie = cookie.map(|settings| StickyCookie::new(settings, name, balancer.candidates()));
        let balancer = if cookie.is_some() { balancer.sticky() } else { balancer };
        let sticky_header = settings.sticky.as_ref().and_then(|sticky| sticky.header.as_ref());
        let sticky_header = sticky_header.map(|header| header.name.as_str()).filter(|name| !name.is_empty());
        Ok(Arc::new(Self { balancer, cookie, sticky_header: sticky_header.map(Into::into), health }))
    }

    /// For parents. None unless `healthCheck` is set.
    pub fn health(&self) -> Option<Arc<Status>> {
        self.health.clone()
    }

    async fn answer(&self, request: Request, cx: &mut Exchange) -> Response {
        let bound = self.cookie.as_ref().and_then(|cookie| cookie.value(&request.headers));
        let bound = bound.and_then(|value| self.balancer.belongs(value, &[]));
        let session = self.sticky_header.as_deref().and_then(|name| request.headers.get(name));
        let pick = || match session.filter(|session| !session.is_empty()) {
            Some(key) => HighestRandomWeight.pick(self.balancer.candidates(), &Asked { key, dice: 0, tried: &[] }),
            None => self.balancer.pick(&Asked { key: b"", dice: 0, tried: &[] }),
        };
        let Some(index) = bound.map(|bound| bound.index).or_else(pick) else {
            return nobody(cx, self.balancer.is_empty());
        };
        let mut response = self.balancer.target(index).call(request, cx).await;
        if let Some(cookie) = &self.cookie
            && bound.is_none_or(|bound| bound.outdated)
        {
            cookie.write(index, &mut response);
        }
        response
    }
}

/// No child can take the request.
pub(super) fn nobody(cx: &mut Exchange, has_none: bool) -> Response {
    cx.reason = Some(if has_none { Reason::NoServer } else { Reason::AllServersDown });
    reply::error(StatusCode::SERVICE_UNAVAILABLE, "no available server")
}

impl Service for Weighted {
    fn call<'a>(&'a self, request: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(self.answer(request, cx))
    }
}

impl fmt::Debug for Weighted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weighted").field("children", &self.balancer.candidates()).finish_non_exhaustive()
    }
}
