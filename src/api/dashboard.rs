//! `dashboard@internal`: where the dashboard is, and (until it comes with its own release) a word instead of it.

use http::StatusCode;
use trafficcop_exchange::{Body, Exchange, LocalBoxFuture, Method, Reason, Request, Response, Service, reply};

pub(crate) struct Dashboard {
    base_path: String,
}

impl Dashboard {
    pub(crate) fn new(base_path: &str) -> Self {
        Self { base_path: base_path.to_owned() }
    }
}

impl Service for Dashboard {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        let path = req.target.path();
        // The internal router strips `/dashboard`, so the page lies at the root here.
        let response = if path.starts_with("/dashboard") { answer(&self.base_path, &req) } else { page(&req) };
        Box::pin(std::future::ready(response))
    }
}

/// The dashboard's paths below `base_path`, as `api@internal` serves them too.
pub(crate) fn answer(base_path: &str, req: &Request) -> Response {
    match req.target.path().strip_prefix(base_path) {
        Some("" | "/") => redirect(base_path, req),
        Some("/dashboard") => redirect(base_path, req),
        Some(path) if path.starts_with("/dashboard/") => page(req),
        _ => reply::not_found(),
    }
}

/// `X-Forwarded-Prefix` is honoured unless it leads to another host.
fn redirect(base_path: &str, req: &Request) -> Response {
    if req.method != Method::GET && req.method != Method::HEAD {
        return reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let prefix = req.headers.get_str("X-Forwarded-Prefix").unwrap_or("");
    let local = (prefix.is_empty() || prefix.starts_with('/'))
        && !prefix.starts_with("//")
        && !prefix.contains(['\\', '\r', '\n']);
    let prefix = if local { prefix.trim_end_matches('/') } else { "" };
    let mut response = reply::empty(StatusCode::FOUND);
    response.headers.append("Location", format!("{prefix}{base_path}/dashboard/"));
    response
}

fn page(req: &Request) -> Response {
    if req.method != Method::GET && req.method != Method::HEAD {
        return reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let mut response = Response::new(StatusCode::OK);
    response.headers.append("Content-Type", "text/html; charset=utf-8");
    let policy = "frame-src 'self' https://traefik.io https://*.traefik.io;";
    response.headers.append("Content-Security-Policy", policy);
    response.body = Body::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>TrafficCop</title>\
         <p>The dashboard is not part of this build yet. The API is at <a href=\"../api/rawdata\">api/rawdata</a>.</p></html>\n",
    );
    response
}
