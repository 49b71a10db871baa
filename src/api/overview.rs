//! `/api/overview`: how many objects there are, how many of them have problems, and what is switched on.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trafficcop_config::Name;
use trafficcop_config::settings::{Metrics, Providers, Settings};
use trafficcop_snapshot::{ObjectReport, Snapshot, Status};

pub(crate) fn overview(settings: &Settings, snapshot: &Snapshot) -> Value {
    let (merged, report) = (&snapshot.merged, &snapshot.report);
    let mut overview = json!({
        "http": {
            "routers": section(merged.http.routers.len(), &report.http.routers),
            "services": section(merged.http.services.len(), &report.http.services),
            "middlewares": section(merged.http.middlewares.len(), &report.http.middlewares),
        },
        "tcp": {
            "routers": section(merged.tcp.routers.len(), &report.tcp.routers),
            "services": section(merged.tcp.services.len(), &report.tcp.services),
            "middlewares": section(merged.tcp.middlewares.len(), &report.tcp.middlewares),
        },
        "udp": {
            "routers": section(merged.udp.routers.len(), &report.udp.routers),
            "services": section(merged.udp.services.len(), &report.udp.services),
        },
        "certificates": crate::certificates::counts(snapshot),
        "features": {
            "tracing": settings.tracing.as_ref().map_or("", |_| "OTLP"),
            "metrics": settings.metrics.as_ref().map_or("", metrics),
            "accessLog": settings.access_log.is_some(),
        },
    });
    let providers = providers(&settings.providers);
    if !providers.is_empty() {
        overview["providers"] = json!(providers);
    }
    overview
}

fn section(total: usize, reports: &BTreeMap<Name, ObjectReport>) -> Value {
    let count = |status| reports.values().filter(|report| report.status() == status).count();
    json!({ "total": total, "warnings": count(Status::Warning), "errors": count(Status::Disabled) })
}

/// The first that is configured, as Traefik names and orders them.
fn metrics(metrics: &Metrics) -> &'static str {
    let all = [
        ("Prometheus", metrics.prometheus.is_some()),
        ("Datadog", metrics.datadog.is_some()),
        ("StatsD", metrics.statsd.is_some()),
        ("InfluxDB2", metrics.influxdb2.is_some()),
        ("OTLP", metrics.otlp.is_some()),
    ];
    all.iter().find(|(_, is_set)| *is_set).map_or("", |(name, _)| name)
}

/// Those that are configured, as Traefik names and orders them.
fn providers(providers: &Providers) -> Vec<String> {
    let all = [
        ("Docker", providers.docker.is_some()),
        ("Swarm", providers.swarm.is_some()),
        ("File", providers.file.is_some()),
        ("KubernetesIngress", providers.kubernetes_ingress.is_some()),
        ("KubernetesIngressNGINX", providers.kubernetes_ingress_nginx.is_some()),
        ("KubernetesCRD", providers.kubernetes_crd.is_some()),
        ("KubernetesGateway", providers.kubernetes_gateway.is_some()),
        ("Knative", providers.knative.is_some()),
        ("Rest", providers.rest.is_some()),
        ("ConsulCatalog", providers.consul_catalog.is_some()),
        ("Nomad", providers.nomad.is_some()),
        ("Ecs", providers.ecs.is_some()),
        ("Consul", providers.consul.is_some()),
        ("Etcd", providers.etcd.is_some()),
        ("ZooKeeper", providers.zoo_keeper.is_some()),
        ("Redis", providers.redis.is_some()),
        ("HTTP", providers.http.is_some()),
    ];
    let plugins = providers.plugin.keys().map(|plugin| format!("plugin-{plugin}"));
    all.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| (*name).to_owned()).chain(plugins).collect()
}
