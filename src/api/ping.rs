//! `ping@internal`: is it alive, and is it about to stop?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use trafficcop_config::settings;
use trafficcop_exchange::{Body, Exchange, LocalBoxFuture, Reason, Request, Response, Service, reply};

pub(crate) struct Ping {
    terminating: StatusCode,
    stopping: Arc<AtomicBool>,
}

impl Ping {
    pub(crate) fn new(settings: &settings::Ping, stopping: Arc<AtomicBool>) -> Self {
        let status =
            u16::try_from(settings.terminating_status_code).ok().and_then(|code| StatusCode::from_u16(code).ok());
        Self { terminating: status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE), stopping }
    }
}

impl Service for Ping {
    fn call<'a>(&'a self, _: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        let mut response = Response::new(StatusCode::OK);
        response.body = Body::from("OK");
        if self.stopping.load(Ordering::Relaxed) {
            cx.reason = Some(Reason::Stopping);
            response = reply::status_text(self.terminating);
        }
        Box::pin(std::future::ready(response))
    }
}
