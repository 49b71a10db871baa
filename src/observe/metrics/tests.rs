use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use trafficcop_exchange::{ConnectionInfo, RouteInfo, StatusCode, Target};

use super::*;

struct Nothing;

impl World for Nothing {
    fn present(&self) -> Present {
        Present::default()
    }
}

fn counted(settings: &Settings, requests: usize) -> Prometheus {
    let metrics = Arc::new(Metrics::new(settings, ["web"]));
    for number in 0..requests {
        let mut request = Request::new(trafficcop_exchange::Method::GET, Target::parse("/".into()));
        request.headers.append("User-Agent", format!("agent {number}"));
        let mut exchange = Exchange::new(Rc::new(ConnectionInfo {
            entry_point: "web".into(),
            peer: "127.0.0.1:5000".parse().unwrap(),
            local: "127.0.0.1:80".parse().unwrap(),
            tls: None,
        }));
        let (router, service) = ("r@file".into(), "a@file".into());
        let info = RouteInfo { router, service, access_logs: true, metrics: true, tracing: true };
        exchange.route = Some(Arc::new(info));
        let outcome = Outcome {
            status: StatusCode::OK,
            bytes_in: 3,
            bytes_out: 5,
            duration: Duration::from_millis(250),
            complete: true,
        };
        metrics.count(&metrics.keep(&request), &exchange, &outcome);
    }
    Prometheus::new(metrics, Nothing)
}

#[track_caller]
fn check(page: &str, line: &str) {
    assert!(page.lines().any(|known| known == line), "{line} is not in\n{page}");
}

#[test]
fn requests_are_counted_per_entry_point() {
    let page = counted(&Settings::default(), 2).page();
    let labels = "code=\"200\",entrypoint=\"web\",method=\"GET\",protocol=\"http\"";
    check(&page, &format!("traefik_entrypoint_requests_total{{{labels}}} 2"));
    check(&page, &format!("traefik_entrypoint_requests_bytes_total{{{labels}}} 6"));
    check(&page, &format!("traefik_entrypoint_responses_bytes_total{{{labels}}} 10"));
    check(&page, &format!("traefik_entrypoint_request_duration_seconds_bucket{{{labels},le=\"0.1\"}} 0"));
    check(&page, &format!("traefik_entrypoint_request_duration_seconds_bucket{{{labels},le=\"0.3\"}} 2"));
    check(&page, &format!("traefik_entrypoint_request_duration_seconds_bucket{{{labels},le=\"5\"}} 2"));
    check(&page, &format!("traefik_entrypoint_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 2"));
    check(&page, &format!("traefik_entrypoint_request_duration_seconds_sum{{{labels}}} 0.5"));
    assert!(!page.contains("traefik_router") && !page.contains("traefik_service"), "{page}");
}

#[test]
fn series_of_routers_that_are_gone_are_read_once_more() {
    let prometheus = counted(&Settings { add_routers_labels: true, ..Settings::default() }, 1);
    let labels = "code=\"200\",method=\"GET\",protocol=\"http\",router=\"r@file\",service=\"a@file\"";
    check(&prometheus.page(), &format!("traefik_router_requests_total{{{labels}}} 1"));
    let second = prometheus.page();
    assert!(!second.contains("traefik_router"), "{second}");
    assert!(second.contains("traefik_entrypoint_requests_total"), "{second}");
}

#[test]
fn clients_cannot_make_series_without_end() {
    let mut settings = Settings::default();
    settings.header_labels.insert("agent".into(), "User-Agent".into());
    let page = counted(&settings, 1100).page();
    let lines = page.lines().filter(|line| line.starts_with("traefik_entrypoint_requests_total{")).count();
    assert_eq!(lines, 1001);
    let labels = "code=\"200\",entrypoint=\"web\",method=\"GET\",protocol=\"http\"";
    check(&page, &format!("traefik_entrypoint_requests_total{{{labels},agent=\"others\"}} 100"));
}

#[test]
fn connections_and_reloads_are_shown() {
    let prometheus = counted(&Settings::default(), 0);
    prometheus.metrics().connections("web", 1);
    prometheus.metrics().reloaded();
    let page = prometheus.page();
    check(&page, "traefik_open_connections{entrypoint=\"web\",protocol=\"TCP\"} 1");
    check(&page, "traefik_config_reloads_total 1");
}
