//! Spans inside a router's chain, for those that ask for detailed traces. Each wraps what follows it, as in Traefik; where
//! nobody asks there is no step, hence no cost.

use std::sync::Arc;

use trafficcop_config::settings::Settings;
use trafficcop_exchange::trace::SpanKind;
use trafficcop_exchange::{Around, Exchange, LocalBoxFuture, Next, Reason, Request, Response, Step};

use super::routers::Above;

/// One span around the rest of the chain.
struct Spanned {
    name: Box<str>,
    attributes: Box<[(&'static str, Box<str>)]>,
}

fn span(name: &str, attributes: &[(&'static str, &str)]) -> Step {
    let attributes = attributes.iter().map(|(name, value)| (*name, (*value).into())).collect();
    Step::Around(Arc::new(Spanned { name: name.into(), attributes }))
}

impl Around for Spanned {
    fn is_span(&self) -> bool {
        true
    }

    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        let Some(trace) = cx.trace.as_mut().filter(|trace| trace.is_sampled) else { return next.run(req, cx) };
        let opened = trace.open(&self.name, SpanKind::Internal);
        if let Some(span) = trace.span(opened) {
            for (name, value) in &self.attributes {
                span.put(name, &**value);
            }
        }
        let before = trace.len();
        Box::pin(async move {
            let response = next.run(req, &mut *cx).await;
            let was_denied = cx.reason == Some(Reason::AuthDenied);
            if let Some(trace) = &mut cx.trace {
                // Nothing came behind it: it was this one that refused.
                let refused = was_denied && trace.len() == before;
                if refused && let Some(span) = trace.span(opened) {
                    span.error = Some("Authentication failed");
                }
                trace.close(opened);
            }
            response
        })
    }
}

/// The name that the spans of a kind of middleware have.
fn of_kind(kind: &str) -> String {
    let known = [
        ("buffering", "Buffer"),
        ("errors", "CustomError"),
        ("ipallowlist", "IPAllowLister"),
        ("ipwhitelist", "IPWhiteLister"),
        ("passtlsclientcert", "PassClientTLSCert"),
        ("ratelimit", "RateLimiter"),
        ("grpcweb", "GRPCWeb"),
    ];
    let found = known.iter().find(|(known, _)| kind.eq_ignore_ascii_case(known));
    found.map_or_else(
        || {
            let mut letters = kind.chars();
            letters
                .next()
                .map_or_else(String::new, |first| format!("{}{}", first.to_ascii_uppercase(), letters.as_str()))
        },
        |(_, name)| (*name).to_owned(),
    )
}

/// Around everything behind a middleware, itself included. A chain has none: its members have theirs.
pub(super) fn of_middleware(name: &str, kind: &str) -> Option<Step> {
    let is_chain = kind.eq_ignore_ascii_case("chain");
    (!is_chain).then(|| span(&of_kind(kind), &[("traefik.middleware.name", name)]))
}

pub(super) fn is_span(step: &Step) -> bool {
    matches!(step, Step::Around(around) if around.is_span())
}

/// What stands around a router.
pub(super) fn of_router(router: &str, service: &str, rule: &str, above: &Above, settings: &Settings) -> Vec<Step> {
    let mut steps = Vec::new();
    let metrics = settings.metrics.as_ref().filter(|_| above.metrics);
    if metrics.is_some() && !above.path.contains(" -> ") {
        steps.push(span("Metrics", &[("traefik.middleware.name", "metrics-entrypoint")]));
    }
    let attributes = [("traefik.service.name", service), ("traefik.router.name", router), ("http.route", rule)];
    steps.push(span("Router", &attributes));
    let has_routers = metrics.is_some_and(|metrics| {
        metrics.prometheus.as_ref().is_some_and(|it| it.add_routers_labels)
            || metrics.otlp.as_ref().is_some_and(|it| it.add_routers_labels)
            || metrics.statsd.as_ref().is_some_and(|it| it.add_routers_labels)
            || metrics.datadog.as_ref().is_some_and(|it| it.add_routers_labels)
            || metrics.influxdb2.as_ref().is_some_and(|it| it.add_routers_labels)
    });
    if has_routers {
        steps.push(span("Metrics", &[("traefik.middleware.name", "metrics-router")]));
    }
    steps
}

/// What stands around the service at the end of a chain.
pub(super) fn of_service(service: &str, above: &Above, settings: &Settings) -> Vec<Step> {
    let mut steps = vec![span("Service", &[("traefik.service.name", service)])];
    if settings.metrics.is_some() && above.metrics {
        steps.push(span("Metrics", &[("traefik.middleware.name", "metrics-service")]));
    }
    steps
}
