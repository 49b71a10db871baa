//! [`Origins`]: notes what a load balancer's servers gave, for the access log and metrics. Built only when one is on.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use trafficcop_config::settings::Settings;
use trafficcop_exchange::{
    Body, BodyError, BodyStream, Exchange, Frame, Headers, LocalBoxFuture, Origin, Request, Response, Service,
};

/// A load balancer under observation.
pub(super) struct Origins {
    servers: Arc<dyn Service>,
    keeps_headers: bool,
}

/// Puts `servers` under observation if the settings ask for anything that shows it.
pub(super) fn observed(servers: Arc<dyn Service>, settings: &Settings) -> Arc<dyn Service> {
    let is_measured = settings
        .metrics
        .as_ref()
        .is_some_and(|metrics| metrics.prometheus.is_some() || metrics.statsd.is_some() || metrics.datadog.is_some());
    let Some(log) = &settings.access_log else {
        return if is_measured { Arc::new(Origins { servers, keeps_headers: false }) } else { servers };
    };
    let headers = &log.fields.headers;
    let keeps_headers = log.format == "json" && (headers.default_mode != "drop" || !headers.names.is_empty());
    Arc::new(Origins { servers, keeps_headers })
}

impl Service for Origins {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let after = cx.started.elapsed();
            cx.origin = None;
            let mut response = self.servers.call(req, cx).await;
            // Without a server there is no origin: the answer is our own.
            if cx.server.is_none() {
                return response;
            }
            let headers = if self.keeps_headers { response.headers.clone() } else { Headers::new() };
            let origin = Rc::new(Origin { after, status: response.status, headers, bytes: Cell::new(0) });
            match &response.body {
                Body::Stream(_) => {
                    let body = std::mem::take(&mut response.body);
                    response.body = Body::stream(Counted { body, origin: Rc::clone(&origin) });
                }
                whole => origin.bytes.set(whole.remaining().unwrap_or(0)),
            }
            cx.origin = Some(origin);
            response
        })
    }
}

struct Counted {
    body: Body,
    origin: Rc<Origin>,
}

impl BodyStream for Counted {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let polled = self.body.poll_frame(cx);
        if let Poll::Ready(Some(Ok(Frame::Data(data)))) = &polled {
            let bytes = &self.origin.bytes;
            bytes.set(bytes.get() + data.len() as u64);
        }
        polled
    }

    fn remaining(&self) -> Option<u64> {
        self.body.remaining()
    }
}
