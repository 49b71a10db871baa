//! [`Layer`]: the routers below a router, as the service at the end of its chain.

use std::sync::Arc;

use trafficcop_exchange::{Exchange, LocalBoxFuture, Reason, Request, Response, Service, StatusCode, reply};
use trafficcop_router::RouteTable;

use crate::{Route, find};

/// Matches the request as the middlewares above left it.
pub(super) struct Layer {
    routes: RouteTable<Arc<Route>>,
}

impl Layer {
    pub(super) fn new(routes: RouteTable<Arc<Route>>) -> Self {
        Self { routes }
    }
}

impl Service for Layer {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        match find(&self.routes, &req, cx, None) {
            Ok(Some(route)) => {
                cx.route = Some(Arc::clone(&route.info));
                route.service.call(req, cx)
            }
            Ok(None) => {
                cx.reason = Some(Reason::NoRoute);
                Box::pin(std::future::ready(reply::not_found()))
            }
            Err(_) => {
                cx.reason = Some(Reason::BadPath);
                Box::pin(std::future::ready(reply::empty(StatusCode::BAD_REQUEST)))
            }
        }
    }
}
