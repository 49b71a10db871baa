//! Security headers, and the check of the host.

use std::collections::BTreeMap;

use trafficcop_exchange::{
    Around, Exchange, Filter, Flow, Line, LocalBoxFuture, Next, Reason, Request, Response, StatusCode, reply,
};

use super::Headers;
use crate::ChainBuilder;

/// Adds what these settings ask for: nothing, a filter, or (when the client's scheme is told by a header) a wrapping step.
pub(super) fn add(settings: &Headers, chain: &mut ChainBuilder<'_>) {
    let secure = Secure::of(settings);
    if secure.plain.is_empty() && secure.tls.is_empty() && secure.hosts.is_empty() {
        return;
    }
    if secure.ssl_proxy_headers.is_empty() { chain.filter(secure) } else { chain.around(secure) }
}

struct Secure {
    /// What is added to answers over plain connections, and over TLS.
    plain: Vec<Line>,
    tls: Vec<Line>,
    hosts: Vec<String>,
    hosts_proxy_headers: Vec<String>,
    ssl_proxy_headers: BTreeMap<String, String>,
}

impl Secure {
    fn of(settings: &Headers) -> Self {
        let hosts = if settings.is_development { Vec::new() } else { settings.allowed_hosts.clone() };
        Self {
            plain: lines(settings, false),
            tls: lines(settings, true),
            hosts,
            hosts_proxy_headers: settings.hosts_proxy_headers.clone(),
            ssl_proxy_headers: settings.ssl_proxy_headers.clone(),
        }
    }

    fn refuses(&self, req: &Request) -> bool {
        if self.hosts.is_empty() {
            return false;
        }
        let told =
            self.hosts_proxy_headers.iter().find_map(|name| req.headers.get_str(name).filter(|host| !host.is_empty()));
        let host = told.unwrap_or_else(|| req.host_str());
        !self.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
    }

    fn decorate(&self, tls: bool, response: &mut Response) {
        if super::is_handed_over(response) {
            return;
        }
        for line in if tls { &self.tls } else { &self.plain } {
            response.headers.set_line(line);
        }
    }
}

fn lines(settings: &Headers, tls: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |name, value: &str| {
        if !value.is_empty() {
            lines.push(Line::new(name, value));
        }
    };
    if settings.sts_seconds != 0 && (tls || settings.force_sts_header) && !settings.is_development {
        let subdomains = if settings.sts_include_subdomains { "; includeSubDomains" } else { "" };
        let preload = if settings.sts_preload { "; preload" } else { "" };
        add("Strict-Transport-Security", &format!("max-age={}{subdomains}{preload}", settings.sts_seconds));
    }
    let frame = if settings.frame_deny { "DENY" } else { "" };
    add("X-Frame-Options", first(&settings.custom_frame_options_value, frame));
    add("X-Content-Type-Options", if settings.content_type_nosniff { "nosniff" } else { "" });
    let xss = if settings.browser_xss_filter { "1; mode=block" } else { "" };
    add("X-XSS-Protection", first(&settings.custom_browser_xss_value, xss));
    if tls && !settings.is_development {
        add("Public-Key-Pins", &settings.public_key);
    }
    add("Content-Security-Policy", &settings.content_security_policy);
    add("Content-Security-Policy-Report-Only", &settings.content_security_policy_report_only);
    add("Referrer-Policy", &settings.referrer_policy);
    add("Permissions-Policy", &settings.permissions_policy);
    lines
}

fn first<'a>(custom: &'a str, standard: &'a str) -> &'a str {
    if custom.is_empty() { standard } else { custom }
}

fn bad_host(cx: &mut Exchange) -> Response {
    cx.reason = Some(Reason::HostNotAllowed);
    reply::error(StatusCode::INTERNAL_SERVER_ERROR, "Bad Host")
}

impl Filter for Secure {
    fn request(&self, req: &mut Request, cx: &mut Exchange) -> Flow {
        if self.refuses(req) { Flow::Break(bad_host(cx)) } else { Flow::Continue(()) }
    }

    fn has_response(&self) -> bool {
        true
    }

    fn response(&self, res: &mut Response, cx: &mut Exchange) {
        self.decorate(cx.connection.tls.is_some(), res);
    }
}

impl Around for Secure {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        let told = |(name, value): (&String, &String)| req.headers.get_str(name) == Some(value.as_str());
        let tls = cx.connection.tls.is_some() || self.ssl_proxy_headers.iter().any(told);
        Box::pin(async move {
            if self.refuses(&req) {
                return bad_host(cx);
            }
            let mut response = next.run(req, cx).await;
            self.decorate(tls, &mut response);
            response
        })
    }
}
