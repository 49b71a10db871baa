//! The internal provider: what the static configuration says about routing, as a dynamic configuration.
//!
//! Routers of our own (API, ping, redirections, the ACME challenge …), the services behind them, the defaults of entry
//! points and the default servers transports. Pure: the same settings give the same configuration. The services are
//! empty here; who answers is the business of whoever builds the snapshot.

mod redirections;

use trafficcop_config::At;
use trafficcop_config::dynamic::http::{
    ForwardingTimeouts, Http, Model, Router, RouterObservability, ServersTransport, Service, Spiffe,
};
use trafficcop_config::dynamic::tcp::{self, Tcp, TlsClient};
use trafficcop_config::dynamic::{Configuration, Middleware, RouterTls};
use trafficcop_config::settings::entry_points::{EncodedCharacters, EntryPoint, Observability};
use trafficcop_config::settings::{Core, Settings};
use trafficcop_config::{Node, Origin, Scalar, Value};
use trafficcop_provider::{Provider, ProviderError, Publisher};

/// The highest priority there is; nothing of a user goes before it.
const FIRST: i64 = i64::MAX;
/// The entry point that belongs to the program itself.
const OWN_ENTRY_POINT: &str = "traefik";
/// As Traefik marks rules that are written in the language of this version whatever the default is.
const OWN_SYNTAX: &str = "default";

/// Publishes [`configuration`] once.
pub struct Internal {
    configuration: Configuration,
}

impl Provider for Internal {
    const NAME: &'static str = "internal";
    type Settings = Configuration;

    fn new(configuration: Configuration) -> Result<Self, ProviderError> {
        Ok(Self { configuration })
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        out.publish(std::mem::take(&mut self.configuration)).await;
        std::future::pending().await
    }
}

/// What these settings say about routing.
pub fn configuration(settings: &Settings) -> Configuration {
    let mut http = Http::default();
    own_routers(settings, &mut http);
    acme_challenge(settings, &mut http);
    redirections::add(settings, &mut http);
    let has_rule_syntax = settings.core != Core::default();
    for (name, entry_point) in &settings.entry_points {
        if let Some(model) = model(entry_point, has_rule_syntax) {
            http.models.insert(name.clone(), model.into());
        }
    }
    http.servers_transports.insert("default".to_owned(), servers_transport(settings).into());
    let mut tcp = Tcp::default();
    tcp.servers_transports.insert("default".to_owned(), tcp_servers_transport(settings).into());
    service(&mut http, "noop");
    Configuration { http: Some(http), tcp: Some(tcp), ..Configuration::default() }
}

fn own_routers(settings: &Settings, http: &mut Http) {
    if let Some(api) = &settings.api {
        if api.insecure {
            router(http, "api", OWN_ENTRY_POINT, "PathPrefix(`/api`)", FIRST - 1);
            if api.writes.is_some() {
                router(http, "admin", OWN_ENTRY_POINT, "PathPrefix(`/admin/`)", FIRST - 1);
                leads_to(http, "admin", "api@internal");
            }
            if api.dashboard {
                router(http, "dashboard", OWN_ENTRY_POINT, "PathPrefix(`/`)", FIRST - 2);
                dashboard_middlewares(http);
            }
            if api.debug {
                router(http, "debug", OWN_ENTRY_POINT, "PathPrefix(`/debug`)", FIRST - 1);
                leads_to(http, "debug", "api@internal");
            }
        }
        service(http, "api");
        if api.dashboard {
            service(http, "dashboard");
        }
    }
    if let Some(ping) = &settings.ping {
        if !ping.manual_routing {
            router(http, "ping", &ping.entry_point, "PathPrefix(`/ping`)", FIRST);
        }
        service(http, "ping");
    }
    if let Some(rest) = &settings.providers.rest {
        if rest.insecure {
            router(http, "rest", OWN_ENTRY_POINT, "PathPrefix(`/api/providers`)", FIRST);
        }
        service(http, "rest");
    }
    if let Some(prometheus) = settings.metrics.as_ref().and_then(|metrics| metrics.prometheus.as_ref()) {
        if !prometheus.manual_routing {
            router(http, "prometheus", &prometheus.entry_point, "PathPrefix(`/metrics`)", FIRST);
        }
        service(http, "prometheus");
    }
}

/// A router of our own that leads to the service of its name.
fn router(http: &mut Http, name: &str, entry_point: &str, rule: &str, priority: i64) {
    let router = Router {
        entry_points: vec![entry_point.to_owned()],
        service: format!("{name}@internal"),
        rule: At::from(rule.to_owned()),
        rule_syntax: OWN_SYNTAX.to_owned(),
        priority,
        ..Router::default()
    };
    http.routers.insert(name.to_owned(), router.into());
}

fn leads_to(http: &mut Http, router: &str, service: &str) {
    if let Some(router) = http.routers.get_mut(router) {
        service.clone_into(&mut router.value.service);
    }
}

fn service(http: &mut Http, name: &str) {
    http.services.insert(name.to_owned(), Service::default().into());
}

fn middleware(http: &mut Http, name: &str, kind: &str, settings: Value) {
    let middleware = Middleware { kinds: vec![(kind.into(), Node::new(settings, Origin::Unknown))] };
    http.middlewares.insert(name.to_owned(), middleware.into());
}

/// A section of settings.
fn map(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.into(), Node::new(value, Origin::Unknown))).collect())
}

fn text(text: &str) -> Value {
    Value::Scalar(Scalar::Text(text.into()))
}

fn flag(flag: bool) -> Value {
    Value::Scalar(Scalar::Bool(flag))
}

fn dashboard_middlewares(http: &mut Http) {
    if let Some(router) = http.routers.get_mut("dashboard") {
        let names = ["dashboard_redirect@internal", "dashboard_stripprefix@internal"];
        router.value.middlewares = names.map(str::to_owned).to_vec();
    }
    let redirect = map([
        ("regex", text(r"^(http:\/\/(\[[\w:.]+\]|[\w\._-]+)(:\d+)?)\/$")),
        ("replacement", text("${1}/dashboard/")),
        ("permanent", flag(true)),
    ]);
    middleware(http, "dashboard_redirect", "redirectRegex", redirect);
    let prefixes = ["/dashboard/", "/dashboard"].map(|prefix| Node::new(text(prefix), Origin::Unknown));
    middleware(http, "dashboard_stripprefix", "stripPrefix", map([("prefixes", Value::List(prefixes.to_vec()))]));
}

/// The path at which a certificate authority looks for the answer to its HTTP challenge. Where users may answer it
/// themselves, the router is an ordinary one.
fn acme_challenge(settings: &Settings, http: &mut Http) {
    let mut reserved = Vec::new();
    let mut by_pass = Vec::new();
    for resolver in settings.certificates_resolvers.values() {
        let challenge = resolver.acme.as_ref().and_then(|acme| acme.http_challenge.as_ref());
        let Some(name) = challenge.map(|challenge| &challenge.entry_point).filter(|name| !name.is_empty()) else {
            continue;
        };
        let may_pass = settings.entry_points.get(name).is_some_and(|entry_point| entry_point.allow_acme_by_pass);
        let list = if may_pass { &mut by_pass } else { &mut reserved };
        if !list.contains(name) {
            list.push(name.clone());
        }
    }
    for (name, entry_points, syntax, priority) in
        [("acme-http", reserved, OWN_SYNTAX, FIRST), ("acme-http-bypass", by_pass, "", 0)]
    {
        if entry_points.is_empty() {
            continue;
        }
        let router = Router {
            entry_points,
            service: "acme-http@internal".to_owned(),
            rule: At::from("PathPrefix(`/.well-known/acme-challenge/`)".to_owned()),
            rule_syntax: syntax.to_owned(),
            priority,
            ..Router::default()
        };
        http.routers.insert(name.to_owned(), router.into());
        service(http, "acme-http");
    }
}

/// What an entry point gives to its routers; None when it gives nothing.
fn model(entry_point: &EntryPoint, has_rule_syntax: bool) -> Option<Model> {
    let http = &entry_point.http;
    let observability = &entry_point.observability;
    let says_nothing = http.middlewares.is_empty()
        && http.tls.is_none()
        && *observability == Observability::default()
        && http.encoded_characters == EncodedCharacters::default();
    if says_nothing && !has_rule_syntax {
        return None;
    }
    let tls = http.tls.as_ref().map(|tls| RouterTls {
        options: tls.options.clone(),
        cert_resolver: tls.cert_resolver.clone(),
        domains: tls.domains.clone(),
        ..RouterTls::default()
    });
    let observability = RouterObservability {
        access_logs: Some(observability.access_logs),
        metrics: Some(observability.metrics),
        tracing: Some(observability.tracing),
        trace_verbosity: observability.trace_verbosity.clone(),
    };
    Some(Model { middlewares: http.middlewares.clone(), tls, observability })
}

fn servers_transport(settings: &Settings) -> ServersTransport {
    let given = &settings.servers_transport;
    let timeouts = &given.forwarding_timeouts;
    ServersTransport {
        insecure_skip_verify: given.insecure_skip_verify,
        root_cas: given.root_cas.clone(),
        max_idle_conns_per_host: given.max_idle_conns_per_host,
        forwarding_timeouts: Some(ForwardingTimeouts {
            dial_timeout: timeouts.dial_timeout,
            response_header_timeout: timeouts.response_header_timeout,
            idle_conn_timeout: timeouts.idle_conn_timeout,
            ..ForwardingTimeouts::default()
        }),
        spiffe: given.spiffe.as_ref().map(spiffe),
        ..ServersTransport::default()
    }
}

fn tcp_servers_transport(settings: &Settings) -> tcp::ServersTransport {
    let given = &settings.tcp_servers_transport;
    tcp::ServersTransport {
        dial_keep_alive: given.dial_keep_alive,
        dial_timeout: given.dial_timeout,
        termination_delay: given.termination_delay,
        tls: given.tls.as_ref().map(|tls| TlsClient {
            insecure_skip_verify: tls.insecure_skip_verify,
            root_cas: tls.root_cas.clone(),
            spiffe: tls.spiffe.as_ref().map(spiffe),
            ..TlsClient::default()
        }),
        ..tcp::ServersTransport::default()
    }
}

fn spiffe(given: &trafficcop_config::settings::Spiffe) -> Spiffe {
    Spiffe { ids: given.ids.clone(), trust_domain: given.trust_domain.clone() }
}

#[cfg(test)]
mod tests;
