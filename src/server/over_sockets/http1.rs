//! HTTP/1.1 on plain connections: the pipeline, the tables, reloads, the observer.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use trafficcop_config::dynamic::tls::Tls;
use trafficcop_config::settings::EntryPoint;
use trafficcop_config::settings::entry_points::ProxyProtocol;
use trafficcop_exchange::Service;

use super::support::*;

fn echo(names: &'static [&'static str]) -> Routes {
    vec![("PathPrefix(`/`)", false, Arc::new(Echo(names)))]
}

/// One request (without its final lines) to an echo; compares what begins the answer's body.
#[track_caller]
fn check(configure: impl FnOnce(&mut EntryPoint), names: &'static [&'static str], request: &str, expected: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let answer = runtime.block_on(async {
        let running = start(&snapshot(echo(names), &Tls::default(), &[]), configure).await;
        talk(running.address, &format!("{request}\r\nConnection: close\r\n\r\n")).await
    });
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).unwrap_or("");
    assert_eq!(format!("{status} {body}"), expected);
}

#[test]
fn paths_and_queries_are_cleaned() {
    check(|_| {}, &[], "GET /a/../b//c?x=1;y=2 HTTP/1.1\r\nHost: a.test", "200 GET /b/c?x=1&y=2 a.test 127.0.0.1\n");
    let raw = |entry: &mut EntryPoint| {
        entry.http.sanitize_path = false;
        entry.http.encode_query_semicolons = true;
    };
    check(raw, &[], "GET /a/../b?x;y HTTP/1.1\r\nHost: a.test", "200 GET /a/../b?x%3By a.test 127.0.0.1\n");
    check(|_| {}, &[], "GET /a#b HTTP/1.1\r\nHost: a.test", "400 ");
}

#[test]
fn special_targets_are_not_routed() {
    check(|_| {}, &[], "OPTIONS * HTTP/1.1\r\nHost: a.test", "200 ");
    check(|_| {}, &[], "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443", "501 ");
}

#[test]
fn headers_with_underscores() {
    let request = "GET / HTTP/1.1\r\nHost: x\r\nA_b: 1";
    check(|_| {}, &["A_b"], request, "200 GET / x 127.0.0.1\nA_b: 1\n");
    let delete = |entry: &mut EntryPoint| entry.http.underscore_headers_strategy = "delete".into();
    check(delete, &["A_b"], request, "200 GET / x 127.0.0.1\nA_b: -\n");
    let reject = |entry: &mut EntryPoint| entry.http.underscore_headers_strategy = "reject".into();
    check(reject, &["A_b"], request, "400 Bad Request\n");
    let every = |entry: &mut EntryPoint| entry.http.alias_headers_strategy = "reject".into();
    check(every, &["A_b"], "GET / HTTP/1.1\r\nHost: x\r\nA.b: 1", "400 Bad Request\n");
}

#[test]
fn a_believed_proxy_header_tells_the_client() {
    let believes = |trusted: &'static str| {
        move |entry: &mut EntryPoint| {
            entry.proxy_protocol = Some(ProxyProtocol { insecure: false, trusted_ips: vec![trusted.into()] });
        }
    };
    let request = "PROXY TCP4 198.51.100.7 127.0.0.1 4000 80\r\nGET / HTTP/1.1\r\nHost: x";
    check(believes("127.0.0.1"), &["X-Real-Ip"], request, "200 GET / x 198.51.100.7\nX-Real-Ip: 198.51.100.7\n");
    check(believes("10.0.0.1"), &["X-Real-Ip"], request, "200 GET / x 127.0.0.1\nX-Real-Ip: 127.0.0.1\n");
    check(believes("127.0.0.1"), &[], "GET / HTTP/1.1\r\nHost: x", "200 GET / x 127.0.0.1\n");
}

#[tokio::test]
async fn a_kept_connection_sees_the_new_snapshot_and_survives_a_panic() {
    let route = |service: Arc<dyn Service>| vec![("Path(`/x`)", false, service)];
    let running = start(&snapshot(route(Arc::new(Says("old"))), &Tls::default(), &[]), |_| {}).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let request = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
    assert!(ask(&mut stream, request).await.ends_with("old"));
    running.live.swap(&snapshot(route(Arc::new(Broken)), &Tls::default(), &[]));
    let answer = ask(&mut stream, request).await;
    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.ends_with("Internal Server Error\n"), "{answer}");
    running.live.swap(&snapshot(Vec::new(), &Tls::default(), &[]));
    let answer = ask(&mut stream, request).await;
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.ends_with("404 page not found\n"), "{answer}");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_in_time() {
    let hurry = |entry: &mut EntryPoint| {
        entry.transport.responding_timeouts.read_timeout = trafficcop_config::Duration::from_millis(50);
    };
    let running = start(&snapshot(echo(&[]), &Tls::default(), &[]), hurry).await;
    assert_eq!(talk(running.address, "").await, "");
    assert_eq!(talk(running.address, "\x16\x03\x01").await, "", "the handshake has a deadline too");
}

#[tokio::test]
async fn the_observer_hears_of_every_exchange_once() {
    let held = Arc::new(Held::default());
    let routes: Routes =
        vec![("Path(`/says`)", false, Arc::new(Says("four"))), ("Path(`/held`)", false, Arc::clone(&held) as _)];
    let running = start(&snapshot(routes, &Tls::default(), &[]), |_| {}).await;
    talk(running.address, "GET /says HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    talk(running.address, "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let mut leaving = TcpStream::connect(running.address).await.unwrap();
    leaving.write_all(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    held.asked.notified().await;
    drop(leaving);
    while running.told.outcomes.lock().len() < 3 {
        tokio::time::timeout(PATIENCE, running.told.ended.notified()).await.expect("told in time");
    }
    let outcomes = running.told.outcomes.lock().clone();
    let seen: Vec<_> = outcomes
        .iter()
        .map(|(router, outcome)| (router.as_deref(), outcome.status.as_u16(), outcome.bytes_out, outcome.complete))
        .collect();
    let expected =
        [(Some("Path(`/says`)"), 200, 4, true), (None, 404, 19, true), (Some("Path(`/held`)"), 499, 0, false)];
    assert_eq!(seen, expected);
}
