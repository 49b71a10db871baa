//! What dashboards ask for is there: each metric with all the labels that a query filters or groups by.

use super::*;
use crate::metrics::{Certificate, ProviderState, Server};

/// Of the two dashboards that Traefik publishes (17346 and 17347): metric, labels with the values asked for (none: any).
type Asked = (&'static str, &'static [(&'static str, &'static str)]);
const PUBLISHED: &[Asked] = &[
    ("traefik_config_reloads_total", &[]),
    ("traefik_open_connections", &[("entrypoint", "")]),
    ("traefik_entrypoint_requests_total", &[("entrypoint", "")]),
    ("traefik_entrypoint_request_duration_seconds_bucket", &[("le", "0.3"), ("code", "200"), ("entrypoint", "")]),
    ("traefik_entrypoint_request_duration_seconds_bucket", &[("le", "1.2"), ("method", ""), ("entrypoint", "")]),
    ("traefik_entrypoint_request_duration_seconds_count", &[("code", "200"), ("method", ""), ("entrypoint", "")]),
    ("traefik_service_requests_total", &[("service", ""), ("protocol", "http"), ("method", ""), ("code", "")]),
    ("traefik_service_request_duration_seconds_sum", &[("service", ""), ("protocol", "http")]),
    ("traefik_service_request_duration_seconds_count", &[("service", ""), ("protocol", "http")]),
    ("traefik_service_request_duration_seconds_bucket", &[("le", "0.3"), ("service", "")]),
    ("traefik_service_request_duration_seconds_bucket", &[("le", "1.2"), ("service", "")]),
    ("traefik_service_requests_bytes_total", &[("service", ""), ("protocol", "http"), ("method", "")]),
    ("traefik_service_responses_bytes_total", &[("service", ""), ("protocol", "http"), ("method", "")]),
];

pub(super) struct All;

impl World for All {
    fn present(&self) -> Present {
        let server = Server { service: "a@file".into(), url: "http://127.0.0.1:90".into(), is_up: true };
        let certificate =
            Certificate { cn: "a.test".into(), serial: "1".into(), sans: "a.test".into(), not_after: 1_900_000_000 };
        Present {
            routers: [("r@file".to_owned(), "a@file".to_owned())].into(),
            services: ["a@file".to_owned()].into(),
            servers: vec![server],
            certificates: vec![certificate],
            providers: vec![
                ProviderState { name: "redis".into(), is_up: Some(false), last_event: Some(1_700_000_000) },
                ProviderState { name: "rest".into(), is_up: None, last_event: None },
            ],
            lost_lines: Some(7),
            failed_pushes: Some(2),
            lost_exports: Some(5),
        }
    }
}

fn page() -> String {
    let settings = Settings { add_routers_labels: true, ..Settings::default() };
    let counted = counted(&settings, 3);
    Prometheus::new(Arc::clone(counted.metrics()), All).page()
}

fn answers(page: &str, (name, labels): &Asked) -> bool {
    page.lines().filter_map(|line| line.strip_prefix(name)).any(|rest| {
        let is_whole_name = rest.starts_with(['{', ' ']);
        is_whole_name
            && labels.iter().all(|(label, value)| {
                [format!("{{{label}=\"{value}"), format!(",{label}=\"{value}")].iter().any(|part| {
                    let end = if value.is_empty() { "" } else { "\"" };
                    rest.contains(&format!("{part}{end}"))
                })
            })
    })
}

#[test]
fn published_dashboards_find_what_they_ask_for() {
    let page = page();
    for asked in PUBLISHED {
        assert!(answers(&page, asked), "{asked:?} is not in\n{page}");
    }
    assert!(!answers(&page, &("traefik_service_requests", &[])));
    assert!(!answers(&page, &("traefik_service_requests_total", &[("code", "404")])));
}

#[test]
fn our_own_dashboard_asks_for_what_is_there() {
    let text = include_str!("../../../../docs/grafana/trafficcop.json");
    let dashboard: serde_json::Value = serde_json::from_str(text).unwrap();
    let page = page();
    let mut seen = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            for name in query.split(|c| !is_part(c)) {
                let is_metric = ["traefik_", "trafficcop_", "process_"].iter().any(|prefix| name.starts_with(prefix));
                if is_metric {
                    seen += 1;
                    let is_there = page
                        .lines()
                        .any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
                    assert!(is_there, "{name} of {query} is not in\n{page}");
                }
            }
        }
    }
    assert!(seen > 10);
}

#[test]
fn certificates_servers_and_lost_lines_are_shown() {
    let page = page();
    check(&page, "traefik_tls_certs_not_after{cn=\"a.test\",sans=\"a.test\",serial=\"1\"} 1900000000");
    check(&page, "traefik_service_server_up{service=\"a@file\",url=\"http://127.0.0.1:90\"} 1");
    check(&page, "trafficcop_access_log_lost_lines_total 7");
    check(&page, "trafficcop_otlp_lost_total 5");
    check(&page, "trafficcop_provider_up{provider=\"redis\"} 0");
    check(&page, "trafficcop_provider_last_event_timestamp_seconds{provider=\"redis\"} 1700000000");
    check(&page, "trafficcop_metrics_push_failures_total 2");
    check(&page, "trafficcop_answers_total{reason=\"rate_limited\"} 3");
    check(&page, "trafficcop_worker_requests_total{worker=\"0\"} 3");
}
