//! `noop@internal`: the service of routers whose middlewares answer.

use trafficcop_exchange::{Exchange, LocalBoxFuture, Reason, Request, Response, Service, StatusCode, reply};

/// See the module.
pub struct Noop;

impl Service for Noop {
    fn call<'a>(&'a self, _: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        Box::pin(std::future::ready(reply::empty(StatusCode::IM_A_TEAPOT)))
    }
}
