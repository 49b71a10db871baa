//! Health checks, active and passive, and what they do to balancers and their parents.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use trafficcop_config::Duration as ConfigDuration;
use trafficcop_config::dynamic::http::{HealthCheck, PassiveHealthCheck};
use trafficcop_exchange::Method;

use crate::http::Servers;
use crate::http::testing::*;

pub(super) fn health_check() -> HealthCheck {
    HealthCheck {
        path: "/health?deep=1".into(),
        interval: ConfigDuration::from_millis(20),
        timeout: ConfigDuration::from_millis(500),
        ..HealthCheck::default()
    }
}

/// Waits until the first server is as expected.
pub(super) async fn until(service: &Servers, up: bool) {
    let reached = async {
        while service.status()[0].1 != up {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), reached).await.expect("the state should have been reached");
}

/// A server that answers its health checks as told.
async fn told(status: &Rc<Cell<u16>>) -> Backend {
    let status = Rc::clone(status);
    Backend::start(move |_, _, _| Act::Answer(format!("HTTP/1.1 {} X\r\nContent-Length: 0\r\n\r\n", status.get())))
        .await
}

#[tokio::test]
async fn down_and_up_again() {
    worker(async {
        let status = Rc::new(Cell::new(200));
        let backend = told(&status).await;
        let mut settings = settings(&[&backend.url]);
        settings.health_check = Some(HealthCheck {
            hostname: "hc.test".into(),
            headers: [("X-Probe".to_owned(), "yes".to_owned())].into(),
            ..health_check()
        });
        let service = build(&settings);
        let health = service.health().unwrap();
        assert!(health.is_up(), "servers start as up");
        status.set(500);
        until(&service, false).await;
        assert!(!health.is_up());
        assert_eq!(get(&*service).await, (503, "no available server\n".into()));
        status.set(399);
        until(&service, true).await;
        let seen = backend.seen().remove(0);
        assert!(seen.starts_with("GET /health?deep=1 HTTP/1.1\r\n"), "{seen}");
        for line in ["Host: hc.test", "X-Probe: yes", "User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip"] {
            assert!(seen.contains(&format!("\r\n{line}\r\n")), "{line} in {seen}");
        }
        let (old, seen) = (service, backend.seen().len());
        drop(old);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(backend.seen().len() <= seen + 1, "the checks go on");
    })
    .await;
}

#[tokio::test]
async fn redirections_are_followed_or_not() {
    worker(async {
        let backend = Backend::start(|_, _, request| {
            if request.starts_with("GET /health") {
                Act::Answer("HTTP/1.1 302 Found\r\nLocation: /sick\r\nContent-Length: 0\r\n\r\n".into())
            } else {
                Act::Answer("HTTP/1.1 503 Sick\r\nContent-Length: 0\r\n\r\n".into())
            }
        })
        .await;
        let mut settings = settings(&[&backend.url]);
        settings.health_check = Some(health_check());
        until(&build(&settings), false).await;
        settings.health_check = Some(HealthCheck { follow_redirects: Some(false), status: 302, ..health_check() });
        let service = build(&settings);
        let before = backend.seen().len();
        while backend.seen().len() < before + 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(service.status()[0].1);
    })
    .await;
}

#[tokio::test]
async fn a_path_that_is_a_url_fails_every_check() {
    worker(async {
        let backend = Backend::answering("hi").await;
        let mut settings = settings(&[&backend.url]);
        settings.health_check = Some(HealthCheck { path: "http://other/".into(), ..health_check() });
        let service = build(&settings);
        assert!(service.status()[0].1);
        until(&service, false).await;
    })
    .await;
}

#[tokio::test]
async fn learnt_from_the_traffic() {
    worker(async {
        let status = Rc::new(Cell::new(500));
        let sick = told(&status).await;
        let well = Backend::answering("b").await;
        let mut settings = settings(&[&sick.url, &well.url]);
        settings.passive_health_check =
            Some(PassiveHealthCheck { failure_window: ConfigDuration::from_millis(300), max_failed_attempts: 1 });
        let service = build(&settings);
        assert!(service.health().is_none(), "only active checks are told to parents");
        let mut failures = 0;
        for _ in 0..6 {
            failures += usize::from(ask(&*service, request(Method::GET, "/")).await.0 == 500);
        }
        assert_eq!(failures, 1);
        assert_eq!(service.status()[0], (sick.url.clone(), false));
        status.set(200);
        until(&service, true).await;
    })
    .await;
}
