//! `ping@internal`: is the process alive, and is it staying?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use trafficcop_config::settings;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Reason, Request, Response, Service, StatusCode, reply};

/// See the module.
pub struct Ping {
    stopping: Arc<AtomicBool>,
    terminating: StatusCode,
}

impl Ping {
    /// From the moment `stopping` is set the answer is the terminating status.
    pub fn new(settings: &settings::Ping, stopping: Arc<AtomicBool>) -> Self {
        let code = u16::try_from(settings.terminating_status_code).ok();
        let terminating = code.and_then(|code| StatusCode::from_u16(code).ok());
        Self { stopping, terminating: terminating.unwrap_or(StatusCode::SERVICE_UNAVAILABLE) }
    }
}

impl Service for Ping {
    fn call<'a>(&'a self, _: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        let status = if self.stopping.load(Ordering::Relaxed) { self.terminating } else { StatusCode::OK };
        Box::pin(std::future::ready(reply::status_text(status)))
    }
}
