//! Deadlines, and servers that are silent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Handle;
use trafficcop_config::Duration as ConfigDuration;
use trafficcop_config::dynamic::http::{Cookie, ForwardingTimeouts, ServersTransport, Sticky};
use trafficcop_exchange::{Method, Reason, Stage};

use crate::http::testing::*;
use crate::http::{Forwarding, Servers, Transport};

#[tokio::test]
async fn no_answer_in_time() {
    worker(async {
        let backend = Backend::start(|_, _, _| Act::Silence).await;
        let timeouts = ForwardingTimeouts {
            response_header_timeout: ConfigDuration::from_millis(50),
            ..ForwardingTimeouts::default()
        };
        let transport = ServersTransport { forwarding_timeouts: Some(timeouts), ..ServersTransport::default() };
        let mut cx = exchange();
        let service = build_with(&settings(&[&backend.url]), &transport);
        let answer = ask_in(&*service, request(Method::GET, "/"), &mut cx).await;
        assert_eq!(answer, (504, "Gateway Timeout".into()));
        assert_eq!(cx.reason, Some(Reason::ResponseTimeout));
        assert_eq!(cx.fault.unwrap().stage, Stage::Timeout);
    })
    .await;
}

/// A server that takes connections and never says a word of TLS.
async fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test]
async fn a_silent_server_gets_a_rival() {
    worker(async {
        let (_listener, silent) = silent().await;
        let other = Backend::answering("b").await;
        let service = servers(&[&silent, &other.url]);
        let started = Instant::now();
        for _ in 0..2 {
            assert_eq!(get(&*service).await, (200, "b".into()));
        }
        let took = started.elapsed();
        assert!((Duration::from_millis(140)..Duration::from_secs(2)).contains(&took), "{took:?}");
    })
    .await;
}

#[tokio::test]
async fn whoever_is_bound_to_a_silent_server_waits_longer() {
    worker(async {
        let (_listener, silent) = silent().await;
        let other = Backend::answering("b").await;
        let mut settings = settings(&[&silent, &other.url]);
        settings.sticky =
            Some(Sticky { cookie: Some(Cookie { name: "lb".into(), ..Cookie::default() }), header: None });
        let service = build(&settings);
        let mut asked = request(Method::GET, "/");
        asked.headers.append("Cookie", format!("lb={}", trafficcop_balancer::sticky::value(&silent)));
        let asked = tokio::time::timeout(Duration::from_millis(600), ask(&*service, asked)).await;
        assert!(asked.is_err(), "it did not wait");
    })
    .await;
}

/// A server that takes one connection and then, as a host that is gone, leaves every other try without an answer.
fn vanishing() -> (TcpListener, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(0).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test]
async fn who_waits_for_a_host_that_is_gone_is_sent_elsewhere() {
    worker(async {
        let (_listener, gone) = vanishing();
        let other = Backend::answering("b").await;
        let transport = Transport::new(&ServersTransport::default()).unwrap();
        let forwarding = Forwarding { not_append_x_forwarded_for: false };
        let build = |urls: &[&str]| {
            let mut settings = settings(urls);
            settings.sticky =
                Some(Sticky { cookie: Some(Cookie { name: "lb".into(), ..Cookie::default() }), header: None });
            Servers::new("s@file", &settings, Arc::clone(&transport), &forwarding, &Handle::current()).unwrap()
        };
        let old = build(&[&gone, &other.url]);
        let mut asked = request(Method::GET, "/");
        asked.headers.append("Cookie", format!("lb={}", trafficcop_balancer::sticky::value(&gone)));
        let mut waiting = Box::pin(ask(&*old, asked));
        // While the server is part of the service, it may take its time.
        assert!(tokio::time::timeout(Duration::from_millis(300), &mut waiting).await.is_err());
        let _new = build(&[&other.url]);
        let answer = tokio::time::timeout(Duration::from_secs(2), waiting).await;
        assert_eq!(answer.expect("it should not wait for the dead"), (200, "b".into()));
    })
    .await;
}

#[tokio::test]
async fn who_waits_for_a_server_that_is_stopping_may_wait() {
    worker(async {
        let stopping = Backend::start(|_, _, _| Act::Silence).await;
        let other = Backend::answering("b").await;
        let transport = Transport::new(&ServersTransport::default()).unwrap();
        let forwarding = Forwarding { not_append_x_forwarded_for: false };
        let build = |urls: &[&str]| {
            let settings = settings(urls);
            Servers::new("s@file", &settings, Arc::clone(&transport), &forwarding, &Handle::current()).unwrap()
        };
        let old = build(&[&stopping.url]);
        let mut waiting = Box::pin(get(&*old));
        assert!(tokio::time::timeout(Duration::from_millis(100), &mut waiting).await.is_err());
        let _new = build(&[&other.url]);
        assert!(tokio::time::timeout(Duration::from_millis(600), &mut waiting).await.is_err());
        assert!(stopping.connections() > 1, "it was asked for a sign of life");
    })
    .await;
}
