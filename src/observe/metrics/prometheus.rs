//! [`Prometheus`]: the service behind `prometheus@internal`, which writes the metrics down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use trafficcop_exchange::{
    Body, BodyError, BodyStream, Exchange, Frame, LocalBoxFuture, Reason, Request, Response, Service, StatusCode,
};

use super::Metrics;
use super::series::{Scopes, Series};
use super::text::Page;

/// The configuration in force, as far as metrics show it.
#[derive(Debug, Default)]
pub struct Present {
    /// `name@provider` of every router and of its service; the service is empty for routers that lead to others.
    pub routers: BTreeMap<String, String>,
    /// `name@provider`
    pub services: BTreeSet<String>,
    /// Of services with a health check.
    pub servers: Vec<Server>,
    /// Those that the default store serves.
    pub certificates: Vec<Certificate>,
    pub providers: Vec<ProviderState>,
    /// Lines of the access log that were not written since the start; None without an access log.
    pub lost_lines: Option<u64>,
    /// How many times metrics could not be sent; None when they are sent to nobody.
    pub failed_pushes: Option<u64>,
    /// Traces and lines of logs that no collector got; None when nothing is sent.
    pub lost_exports: Option<u64>,
}

/// A server and whether it is up.
#[derive(Debug)]
pub struct Server {
    pub service: String,
    pub url: String,
    pub is_up: bool,
}

/// A certificate's labels and its end.
#[derive(Debug)]
pub struct Certificate {
    pub cn: String,
    pub serial: String,
    /// Names, sorted, joined by commas.
    pub sans: String,
    /// Seconds since 1970.
    pub not_after: i64,
}

/// How a provider fares.
#[derive(Debug)]
pub struct ProviderState {
    pub name: Arc<str>,
    /// Its source is reached; None before the first attempt has ended.
    pub is_up: Option<bool>,
    /// When it last said something, in seconds since 1970.
    pub last_event: Option<u64>,
}

/// Writes one series down, under its labels.
type Write<'a> = dyn FnMut(&mut Page, &[(&str, &str)], &Series) + 'a;

/// Who knows the configuration in force.
pub trait World: Send + Sync + 'static {
    fn present(&self) -> Present;
}

/// See the module.
pub struct Prometheus {
    metrics: Arc<Metrics>,
    world: Box<dyn World>,
}

impl Prometheus {
    pub fn new(metrics: Arc<Metrics>, world: impl World) -> Self {
        Self { metrics, world: Box::new(world) }
    }

    #[cfg(test)]
    pub(super) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    pub(super) fn page(&self) -> String {
        let metrics = &*self.metrics;
        let present = self.world.present();
        let (all, workers) = metrics.read(&present);
        let mut page = Page::default();
        let open = metrics.connections.values().map(|count| count.load(Ordering::Relaxed).max(0)).sum();
        super::process::write(&mut page, open);
        page.family("traefik_config_last_reload_success", "gauge", "When a configuration last came into force.");
        page.sample("traefik_config_last_reload_success", &[], metrics.last_reload.load(Ordering::Relaxed));
        page.family("traefik_config_reloads_total", "counter", "Configurations that came into force.");
        page.sample("traefik_config_reloads_total", &[], metrics.reloads.load(Ordering::Relaxed));
        if metrics.by_entry_point {
            self.scopes(&mut page, "traefik_entrypoint", ("entrypoint", None), &all.entry_points);
        }
        page.family("traefik_open_connections", "gauge", "Connections that are open.");
        for (name, count) in &metrics.connections {
            let labels = [("entrypoint", &**name), ("protocol", "TCP")];
            page.sample("traefik_open_connections", &labels, count.load(Ordering::Relaxed).max(0));
        }
        if metrics.by_router {
            self.scopes(&mut page, "traefik_router", ("router", Some("service")), &all.routers);
        }
        if metrics.by_service {
            self.scopes(&mut page, "traefik_service", ("service", None), &all.services);
            if !present.servers.is_empty() {
                page.family("traefik_service_server_up", "gauge", "Whether a server is up.");
            }
            for server in &present.servers {
                let labels = [("service", &*server.service), ("url", &*server.url)];
                page.sample("traefik_service_server_up", &labels, u8::from(server.is_up));
            }
        }
        if !present.certificates.is_empty() {
            page.family("traefik_tls_certs_not_after", "gauge", "When a certificate ends.");
        }
        for certificate in &present.certificates {
            let labels = [("cn", &*certificate.cn), ("sans", &*certificate.sans), ("serial", &*certificate.serial)];
            page.sample("traefik_tls_certs_not_after", &labels, certificate.not_after);
        }
        if let Some(failures) = present.failed_pushes {
            let name = "trafficcop_metrics_push_failures_total";
            page.family(name, "counter", "How many times metrics could not be sent.");
            page.sample(name, &[], failures);
        }
        providers(&mut page, &present.providers);
        if let Some(lost) = present.lost_exports {
            let name = "trafficcop_otlp_lost_total";
            page.family(name, "counter", "Traces and lines of logs that no collector got.");
            page.sample(name, &[], lost);
        }
        self.own(&mut page, present.lost_lines, &workers, &all.reasons);
        page.into_text()
    }

    /// What Traefik has no name for.
    fn own(&self, page: &mut Page, lost_lines: Option<u64>, workers: &[u64], reasons: &BTreeMap<&str, u64>) {
        if let Some(lost) = lost_lines {
            let name = "trafficcop_access_log_lost_lines_total";
            page.family(name, "counter", "Lines of the access log that could not be written.");
            page.sample(name, &[], lost);
        }
        if !reasons.is_empty() {
            page.family("trafficcop_answers_total", "counter", "Answers that no server gave, by their reason.");
        }
        for (reason, count) in reasons {
            page.sample("trafficcop_answers_total", &[("reason", reason)], count);
        }
        let name = "trafficcop_config_apply_seconds";
        page.family(name, "summary", "From gathering a configuration to its being in force.");
        let micros = Duration::from_micros(self.metrics.applying.load(Ordering::Relaxed));
        page.sample(&format!("{name}_sum"), &[], micros.as_secs_f64());
        page.sample(&format!("{name}_count"), &[], self.metrics.reloads.load(Ordering::Relaxed));
        if !workers.is_empty() {
            page.family("trafficcop_worker_requests_total", "counter", "Requests that each worker had.");
        }
        for (number, requests) in workers.iter().enumerate() {
            page.sample("trafficcop_worker_requests_total", &[("worker", &number.to_string())], requests);
        }
    }

    /// The five families of one kind of scope.
    fn scopes(&self, page: &mut Page, prefix: &str, (label, beside): (&str, Option<&str>), scopes: &Scopes) {
        let scopes: BTreeMap<_, _> = scopes.0.iter().collect();
        if scopes.is_empty() {
            return;
        }
        let named = |name| format!("{prefix}_{name}");
        let each = |page: &mut Page, write: &mut Write<'_>| {
            for (name, scope) in &scopes {
                for (key, series) in &scope.series {
                    let code = key.code.to_string();
                    let mut labels =
                        vec![("code", &*code), ("method", key.method.0), ("protocol", key.protocol.name())];
                    labels.push((label, name));
                    labels.extend(beside.map(|beside| (beside, &*scope.beside)));
                    labels.sort_unstable();
                    write(page, &labels, series);
                }
            }
        };
        let name = named("request_duration_seconds");
        page.family(&name, "histogram", "How long requests took.");
        each(page, &mut |page, labels, series| self.histogram(page, &name, labels, series));
        for (name, help, value) in [
            (
                "requests_bytes_total",
                "Bytes of bodies of requests.",
                (|series| series.spread.bytes_in) as fn(&Series) -> u64,
            ),
            ("responses_bytes_total", "Bytes of bodies of responses.", |series| series.spread.bytes_out),
        ] {
            let name = named(name);
            page.family(&name, "counter", help);
            each(page, &mut |page, labels, series| page.sample(&name, labels, value(series)));
        }
        let name = named("requests_total");
        page.family(&name, "counter", "Requests.");
        each(page, &mut |page, labels, series| {
            for (values, count) in &series.requests {
                let mut labels = labels.to_vec();
                let names = self.metrics.header_labels.iter().map(|(label, _)| &**label);
                labels.extend(names.zip(values.iter().map(|value| &**value)));
                page.sample(&name, &labels, count);
            }
        });
        if scopes.values().all(|scope| scope.tls.is_empty()) {
            return;
        }
        let name = named("requests_tls_total");
        page.family(&name, "counter", "Requests over TLS.");
        for (own, scope) in &scopes {
            for ((version, cipher), count) in &scope.tls {
                let mut labels = vec![(label, &***own)];
                labels.extend(beside.map(|beside| (beside, &*scope.beside)));
                labels.extend([("tls_cipher", *cipher), ("tls_version", *version)]);
                page.sample(&name, &labels, count);
            }
        }
    }

    fn histogram(&self, page: &mut Page, name: &str, labels: &[(&str, &str)], series: &Series) {
        let bounds = self.metrics.buckets.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
        let mut so_far = 0;
        for (bound, count) in bounds.zip(&series.spread.buckets) {
            so_far += count;
            let labels = [labels, &[("le", &bound)]].concat();
            page.sample(&format!("{name}_bucket"), &labels, so_far);
        }
        page.sample(&format!("{name}_sum"), labels, series.spread.seconds);
        page.sample(&format!("{name}_count"), labels, so_far);
    }
}

impl Service for Prometheus {
    fn call<'a>(&'a self, _: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        let mut response = Response::new(StatusCode::OK);
        let kind = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";
        response.headers.append("Content-Type", kind);
        response.body = Body::stream(Whole(Some(self.page().into())));
        Box::pin(std::future::ready(response))
    }
}

/// A page whose length is not announced, as of old.
struct Whole(Option<Bytes>);

impl BodyStream for Whole {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(self.0.take().map(|page| Ok(Frame::Data(page))))
    }
}

/// How the providers fare.
fn providers(page: &mut Page, providers: &[ProviderState]) {
    let families = [
        ("trafficcop_provider_up", "Whether a provider's source is reached."),
        ("trafficcop_provider_last_event_timestamp_seconds", "When a provider last said something."),
    ];
    for (index, (name, help)) in families.into_iter().enumerate() {
        let value = |provider: &ProviderState| match index {
            0 => provider.is_up.map(u64::from),
            _ => provider.last_event,
        };
        let mut known = providers.iter().filter_map(|provider| Some((provider, value(provider)?))).peekable();
        if known.peek().is_some() {
            page.family(name, "gauge", help);
        }
        for (provider, value) in known {
            page.sample(name, &[("provider", &provider.name)], value);
        }
    }
}
