//! Where the dashboard will be: its redirection is here already, its page comes later.

use trafficcop_exchange::{
    Body, Exchange, LocalBoxFuture, Method, Reason, Request, Response, Service, StatusCode, reply,
};

/// `dashboard@internal`.
pub struct Dashboard;

impl Service for Dashboard {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        // The router in front of it has taken `/dashboard` away.
        Box::pin(std::future::ready(page(req.target.path())))
    }
}

/// The dashboard's part of the API's paths; `path` is what follows `base`.
pub(crate) fn route(req: &Request, base: &str, path: &str) -> Option<Response> {
    let is_root = path == "/" || (path.is_empty() && !base.is_empty());
    if !is_root && !path.starts_with("/dashboard/") {
        return None;
    }
    if req.method != Method::GET {
        return Some(reply::empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    if !is_root {
        return Some(page(path.strip_prefix("/dashboard").unwrap_or("/")));
    }
    let mut response = reply::empty(StatusCode::FOUND);
    let prefix = req.headers.get_str("X-Forwarded-Prefix").map(local_part).unwrap_or_default();
    response.headers.append("Location", format!("{}{base}/dashboard/", prefix.trim_end_matches('/')));
    Some(response)
}

/// A prefix, unless it would lead to another host.
fn local_part(prefix: &str) -> &str {
    let has_scheme = prefix.split('/').next().is_some_and(|first| first.contains(':'));
    if has_scheme || prefix.starts_with("//") { "" } else { prefix }
}

/// The page or one of its files, by the path below the dashboard.
fn page(path: &str) -> Response {
    let mut response = if path == "/" { notice() } else { reply::not_found() };
    response.headers.insert("Content-Security-Policy", "frame-src 'self' https://traefik.io https://*.traefik.io;");
    response
}

fn notice() -> Response {
    let mut response = reply::empty(StatusCode::OK);
    response.headers.append("Content-Type", "text/html; charset=utf-8");
    response.body = Body::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>TrafficCop</title><h1>TrafficCop</h1>\
         <p>This version has no dashboard yet. What it would show is in the API: <code>/api/overview</code>, \
         <code>/api/rawdata</code>, <code>/api/problems</code>.</p></html>\n",
    );
    response
}
