//! Where the dashboard will be: its redirection is here already, its page comes later.

use trafficcop_exchange::{Exchange, LocalBoxFuture, Method, Reason, Request, Response, Service, StatusCode, reply};

/// `dashboard@internal`.
pub struct Dashboard;

impl Service for Dashboard {
    fn call<'a>(&'a self, _: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        Box::pin(std::future::ready(page()))
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
        return Some(page());
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

fn page() -> Response {
    let mut response = reply::not_found();
    response.headers.insert("Content-Security-Policy", "frame-src 'self' https://traefik.io https://*.traefik.io;");
    response
}
