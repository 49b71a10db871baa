//! The dashboard: a page and its parts, built from `webui/` and carried in the binary as they are sent.
//!
//! It is served at `dashboard@internal`, and by `api@internal` below `/dashboard/`, with the redirections of Traefik's.

use std::io::Read as _;
use std::sync::Arc;

use bytes::Bytes;
use trafficcop_config::settings::Settings;
use trafficcop_exchange::{
    Body, Exchange, LocalBoxFuture, Method, Reason, Request, Response, Service, StatusCode, reply,
};

use crate::certificates::fingerprint;

const PAGE: &str = include_str!("../../webui/dist/index.html");
const ICON: &[u8] = include_bytes!("../../webui/dist/icon.svg");
const SCRIPT: &[u8] = include_bytes!("../../webui/dist/app.js.gz");
const STYLE: &[u8] = include_bytes!("../../webui/dist/app.css.gz");

/// What Traefik says of its dashboard; the page says more of itself.
const POLICY: &str = "frame-src 'self' https://traefik.io https://*.traefik.io;";
/// A part's address changes with its content.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// `dashboard@internal`.
#[derive(Clone)]
pub struct Dashboard(Arc<Parts>);

struct Parts {
    page: Bytes,
    script: Part,
    style: Part,
    icon: Part,
}

/// One file, as it is and as it is sent to those who can unpack it.
struct Part {
    content_type: &'static str,
    plain: Bytes,
    packed: Option<Bytes>,
}

impl Part {
    fn packed(content_type: &'static str, packed: &'static [u8]) -> Self {
        let mut plain = Vec::new();
        let unpacked = flate2::read::GzDecoder::new(packed).read_to_end(&mut plain);
        debug_assert!(unpacked.is_ok(), "the build packs what it commits");
        Self { content_type, plain: plain.into(), packed: Some(Bytes::from_static(packed)) }
    }

    fn plain(content_type: &'static str, plain: &'static [u8]) -> Self {
        Self { content_type, plain: Bytes::from_static(plain), packed: None }
    }

    /// Part of its address, so that nobody keeps an old one.
    fn mark(&self) -> String {
        let mut digest = fingerprint(&self.plain);
        digest.truncate(12);
        digest
    }

    fn response(&self, req: &Request) -> Response {
        let accepts = |headers: &str| headers.split(',').any(|coding| coding.trim().starts_with("gzip"));
        let packed = self.packed.as_ref().filter(|_| req.headers.get_str("Accept-Encoding").is_some_and(accepts));
        let mut response = reply::empty(StatusCode::OK);
        response.headers.append("Content-Type", self.content_type);
        response.headers.append("X-Content-Type-Options", "nosniff");
        if self.packed.is_some() {
            response.headers.append("Cache-Control", FOREVER);
            response.headers.append("Vary", "Accept-Encoding");
        }
        if packed.is_some() {
            response.headers.append("Content-Encoding", "gzip");
        }
        response.body = Body::Full(packed.unwrap_or(&self.plain).clone());
        response
    }
}

impl Dashboard {
    /// The page knows where the API is.
    pub fn new(settings: &Settings) -> Self {
        let base = settings.api.as_ref().map_or("", |api| api.base_path.trim_end_matches('/'));
        let script = Part::packed("text/javascript; charset=utf-8", SCRIPT);
        let style = Part::packed("text/css; charset=utf-8", STYLE);
        let page = PAGE
            .replace("{{api}}", &markup(&format!("{base}/api/")))
            .replace("{{script}}", &script.mark())
            .replace("{{style}}", &style.mark());
        let icon = Part::plain("image/svg+xml", ICON);
        Self(Arc::new(Parts { page: page.into(), script, style, icon }))
    }

    /// The dashboard's part of the API's paths; `path` is what follows `base`.
    pub(crate) fn route(&self, req: &Request, base: &str, path: &str) -> Option<Response> {
        // Traefik redirects from exactly this, with or without a base path.
        let is_root = path == if base.is_empty() { "/" } else { "" };
        if !is_root && !path.starts_with("/dashboard/") {
            return None;
        }
        if req.method != Method::GET {
            return Some(reply::empty(StatusCode::METHOD_NOT_ALLOWED));
        }
        if !is_root {
            return Some(self.at(req, path.strip_prefix("/dashboard").unwrap_or("/")));
        }
        let mut response = reply::empty(StatusCode::FOUND);
        let prefix = req.headers.get_str("X-Forwarded-Prefix").map(local_part).unwrap_or_default();
        response.headers.append("Location", format!("{}{base}/dashboard/", prefix.trim_end_matches('/')));
        Some(response)
    }

    /// The page or one of its parts, by the path below the dashboard.
    fn at(&self, req: &Request, path: &str) -> Response {
        let parts = &*self.0;
        let mut response = match path {
            "/" => parts.page(),
            "/index.html" => {
                let mut response = reply::empty(StatusCode::MOVED_PERMANENTLY);
                response.headers.append("Location", "./");
                response
            }
            "/assets/app.js" => parts.script.response(req),
            "/assets/app.css" => parts.style.response(req),
            "/icon.svg" | "/favicon.ico" => parts.icon.response(req),
            _ => reply::not_found(),
        };
        response.headers.insert("Content-Security-Policy", POLICY);
        response
    }
}

impl Parts {
    fn page(&self) -> Response {
        let mut response = reply::empty(StatusCode::OK);
        response.headers.append("Content-Type", "text/html; charset=utf-8");
        response.body = Body::Full(self.page.clone());
        response
    }
}

impl Service for Dashboard {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        // The router in front of it has taken `/dashboard` away.
        Box::pin(std::future::ready(self.at(&req, req.target.path())))
    }
}

/// A prefix, unless it would lead to another host.
fn local_part(prefix: &str) -> &str {
    let has_scheme = prefix.split('/').next().is_some_and(|first| first.contains(':'));
    if has_scheme || prefix.starts_with("//") { "" } else { prefix }
}

/// A text as it stands in an attribute.
fn markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}
