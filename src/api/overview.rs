//! Counts, features and providers.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trafficcop_config::Name;
use trafficcop_config::settings::Settings;
use trafficcop_snapshot::{ObjectReport, Protocol, Snapshot, Status};

pub(crate) fn overview(snapshot: &Snapshot, settings: &Settings) -> Value {
    let (merged, report) = (&snapshot.merged, &snapshot.report);
    let protocol = |protocol: &Protocol, sizes: [usize; 3]| {
        json!({
            "routers": count(sizes[0], &protocol.routers),
            "services": count(sizes[1], &protocol.services),
            "middlewares": count(sizes[2], &protocol.middlewares),
        })
    };
    let mut udp = protocol(&report.udp, [merged.udp.routers.len(), merged.udp.services.len(), 0]);
    udp.as_object_mut().map(|udp| udp.remove("middlewares"));
    let http = [merged.http.routers.len(), merged.http.services.len(), merged.http.middlewares.len()];
    let tcp = [merged.tcp.routers.len(), merged.tcp.services.len(), merged.tcp.middlewares.len()];
    json!({
        "http": protocol(&report.http, http),
        "tcp": protocol(&report.tcp, tcp),
        "udp": udp,
        "certificates": { "total": merged.tls.certificates.len(), "warnings": 0, "errors": 0 },
        "features": features(settings),
        "providers": providers(settings),
    })
}

/// An object without a report is in order.
fn count(total: usize, reports: &BTreeMap<Name, ObjectReport>) -> Value {
    let of = |status| reports.values().filter(|report| report.status() == status).count();
    json!({ "total": total, "warnings": of(Status::Warning), "errors": of(Status::Disabled) })
}

fn features(settings: &Settings) -> Value {
    let metrics = settings.metrics.as_ref().map_or("", |metrics| match metrics {
        metrics if metrics.prometheus.is_some() => "Prometheus",
        metrics if metrics.datadog.is_some() => "Datadog",
        metrics if metrics.statsd.is_some() => "StatsD",
        metrics if metrics.influxdb2.is_some() => "InfluxDB2",
        metrics if metrics.otlp.is_some() => "OpenTelemetry",
        _ => "",
    });
    let tracing = if settings.tracing.is_some() { "OpenTelemetry" } else { "" };
    json!({ "tracing": tracing, "metrics": metrics, "accessLog": settings.access_log.is_some() })
}

/// Go's names of the fields, in the order they are declared in.
fn providers(settings: &Settings) -> Vec<String> {
    let providers = &settings.providers;
    let known = [
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
    let known = known.iter().filter(|(_, there)| *there).map(|(name, _)| (*name).to_owned());
    known.chain(providers.plugin.keys().map(|name| format!("plugin-{name}"))).collect()
}
