use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use trafficcop_exchange::{ConnectionInfo, Origin, RouteInfo, ServerInfo, StatusCode, Target};

use super::*;

mod dashboards;
mod pushes;

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
        let mut exchange = Exchange::new(Rc::new(ConnectionInfo::new(
            "web".into(),
            "127.0.0.1:5000".parse().unwrap(),
            "127.0.0.1:80".parse().unwrap(),
            None,
        )));
        exchange.reason = Some(trafficcop_exchange::Reason::RateLimited);
        let (router, service) = ("r@file".into(), "a@file".into());
        let info = RouteInfo { router, service, access_logs: true, metrics: true, tracing: true, detailed: false };
        exchange.route = Some(Arc::new(info));
        let (url, address) = ("http://127.0.0.1:90".into(), "127.0.0.1:90".into());
        exchange.server = Some(Arc::new(ServerInfo { service: "a@file".into(), url, address }));
        exchange.origin = Some(Rc::new(Origin {
            after: Duration::ZERO,
            status: StatusCode::OK,
            headers: Headers::new(),
            bytes: Cell::default(),
        }));
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
    assert!(!page.contains("traefik_router"), "{page}");
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
fn more_ways_than_are_remembered_lose_nothing() {
    let metrics = Metrics::new(&Settings { add_routers_labels: true, ..Settings::default() }, ["web"]);
    let (peer, local) = ("127.0.0.1:5000".parse().unwrap(), "127.0.0.1:80".parse().unwrap());
    let connection = Rc::new(ConnectionInfo::new("web".into(), peer, local, None));
    let route = |number: usize| {
        let (router, service) = (format!("r{number}@file").into(), "a@file".into());
        Arc::new(RouteInfo { router, service, access_logs: true, metrics: true, tracing: true, detailed: false })
    };
    let routes: Vec<_> = (0..3000).map(route).collect();
    let request = Request::new(trafficcop_exchange::Method::GET, Target::parse("/".into()));
    let outcome =
        Outcome { status: StatusCode::OK, bytes_in: 1, bytes_out: 2, duration: Duration::ZERO, complete: true };
    for route in routes.iter().chain(&routes) {
        let mut exchange = Exchange::new(Rc::clone(&connection));
        exchange.route = Some(Arc::clone(route));
        metrics.count(&metrics.keep(&request), &exchange, &outcome);
    }
    let page = Prometheus::new(Arc::new(metrics), Nothing).page();
    let lines: Vec<_> = page.lines().filter(|line| line.starts_with("traefik_router_requests_total{")).collect();
    assert_eq!(lines.len(), routes.len());
    assert!(lines.iter().all(|line| line.ends_with("} 2")));
    check(&page, "trafficcop_worker_requests_total{worker=\"0\"} 6000");
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
    prometheus.metrics().reloaded(Duration::from_millis(1500));
    let page = prometheus.page();
    check(&page, "traefik_open_connections{entrypoint=\"web\",protocol=\"TCP\"} 1");
    check(&page, "traefik_config_reloads_total 1");
    check(&page, "trafficcop_config_apply_seconds_sum 1.5");
}

#[test]
fn a_hundred_thousand_methods_hosts_and_paths_are_one_series() {
    let settings = Settings { add_routers_labels: true, ..Settings::default() };
    let metrics = Metrics::new(&settings, ["web"]);
    let connection = Rc::new(ConnectionInfo::new(
        "web".into(),
        "127.0.0.1:5000".parse().unwrap(),
        "127.0.0.1:80".parse().unwrap(),
        None,
    ));
    let outcome =
        Outcome { status: StatusCode::NOT_FOUND, bytes_in: 0, bytes_out: 0, duration: Duration::ZERO, complete: true };
    for number in 0..100_000 {
        let method = trafficcop_exchange::Method::from_bytes(format!("M{number}").as_bytes()).unwrap();
        let mut request = Request::new(method, Target::parse(format!("/{number}").into()));
        request.host = format!("h{number}.test").into();
        metrics.count(&metrics.keep(&request), &Exchange::new(Rc::clone(&connection)), &outcome);
    }
    let page = Prometheus::new(Arc::new(metrics), Nothing).page();
    let labels = "code=\"404\",entrypoint=\"web\",method=\"EXTENSION_METHOD\",protocol=\"http\"";
    check(&page, &format!("traefik_entrypoint_requests_total{{{labels}}} 100000"));
    assert_eq!(page.lines().filter(|line| line.starts_with("traefik_entrypoint_requests_total{")).count(), 1);
    assert!(page.len() < 10_000, "{}", page.len());
}
