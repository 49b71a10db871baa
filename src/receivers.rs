//! To whom metrics are sent, as the settings name them, and which of them each wants.

use trafficcop_config::Duration;
use trafficcop_config::settings::observability as config;
use trafficcop_observe::metrics::{Destination, Dialect, Sink, Target};

/// Between two pushes of metrics, where the settings say none.
const PUSH: std::time::Duration = std::time::Duration::from_secs(10);

/// Whom metrics are sent to; None when that cannot be begun, which the log says.
pub(crate) type Where = fn(&config::Metrics) -> Option<Target>;

/// Everybody whom the settings name, with what is to be counted for them.
pub(crate) fn all(metrics: &config::Metrics) -> Vec<(Where, config::Prometheus)> {
    let wanted = |[add_entry_points_labels, add_routers_labels, add_services_labels]: [bool; 3]| config::Prometheus {
        add_entry_points_labels,
        add_routers_labels,
        add_services_labels,
        ..config::Prometheus::default()
    };
    let mut all: Vec<(Where, config::Prometheus)> = Vec::new();
    if let Some(it) = &metrics.statsd {
        all.push((statsd, wanted([it.add_entry_points_labels, it.add_routers_labels, it.add_services_labels])));
    }
    if let Some(it) = &metrics.datadog {
        all.push((datadog, wanted([it.add_entry_points_labels, it.add_routers_labels, it.add_services_labels])));
    }
    if let Some(it) = &metrics.influxdb2 {
        all.push((influxdb2, wanted([it.add_entry_points_labels, it.add_routers_labels, it.add_services_labels])));
    }
    if let Some(it) = &metrics.otlp {
        let labels = wanted([it.add_entry_points_labels, it.add_routers_labels, it.add_services_labels]);
        all.push((otlp, config::Prometheus { buckets: it.explicit_boundaries.clone(), ..labels }));
    }
    all
}

fn statsd(metrics: &config::Metrics) -> Option<Target> {
    let to = metrics.statsd.as_ref()?;
    Some(lines(Dialect::StatsD, &to.address, &to.prefix, to.push_interval))
}

fn datadog(metrics: &config::Metrics) -> Option<Target> {
    let to = metrics.datadog.as_ref()?;
    Some(lines(Dialect::Datadog, &to.address, &to.prefix, to.push_interval))
}

fn influxdb2(metrics: &config::Metrics) -> Option<Target> {
    let to = metrics.influxdb2.as_ref()?;
    sink("metrics.influxDB2", to.push_interval, trafficcop_export::influxdb2(to))
}

fn otlp(metrics: &config::Metrics) -> Option<Target> {
    let to = metrics.otlp.as_ref()?;
    sink("metrics.otlp", to.push_interval, trafficcop_export::metrics(to))
}

fn lines(dialect: Dialect, address: &str, prefix: &str, interval: Duration) -> Target {
    let interval = interval.positive().unwrap_or(PUSH);
    Target::Lines(Destination { dialect, address: address.to_owned(), prefix: prefix.to_owned(), interval })
}

fn sink(
    option: &str,
    interval: Duration,
    made: Result<Box<dyn Sink>, trafficcop_export::ExportError>,
) -> Option<Target> {
    match made {
        Ok(sink) => Some(Target::Sink { interval: interval.positive().unwrap_or(PUSH), sink }),
        Err(error) => {
            tracing::error!(%error, "Metrics cannot be sent as {option} says.");
            None
        }
    }
}
