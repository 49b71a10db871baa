use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use super::*;
use crate::http::testing::*;
use trafficcop_config::dynamic::http::{Cookie, ServersTransport, Sticky, StickyHeader};
use trafficcop_exchange::{Method, Stage};

#[tokio::test]
async fn a_connection_carries_many_requests() {
    worker(async {
        let backend = Backend::answering("hi").await;
        let service = servers(&[&backend.url]);
        for _ in 0..5 {
            assert_eq!(get(&*service).await, (200, "hi".into()));
        }
        assert_eq!(backend.connections(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_service_built_anew_keeps_the_connections_of_its_transport() {
    worker(async {
        let backend = Backend::answering("hi").await;
        let transport = Transport::new(&ServersTransport::default()).unwrap();
        let forwarding = Forwarding { not_append_x_forwarded_for: false };
        let build = || {
            let settings = settings(&[&backend.url]);
            Servers::new("s@file", &settings, Arc::clone(&transport), &forwarding, &Handle::current()).unwrap()
        };
        let old = build();
        get(&*old).await;
        let new = build();
        drop(old);
        get(&*new).await;
        assert_eq!(backend.connections(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_the_server_gets_and_what_the_exchange_learns() {
    worker(async {
        let backend = Backend::answering("hi").await;
        let service = servers(&[&backend.url]);
        let mut cx = exchange();
        let mut asked = request(Method::GET, "/a%2Fb?x=1;y=2");
        asked.headers = [("accept", "*/*"), ("Connection", "x-private"), ("X-Private", "1")].into_iter().collect();
        ask_in(&*service, asked, &mut cx).await;
        let expected = "GET /a%2Fb?x=1&y=2 HTTP/1.1\r\nHost: a.test\r\nAccept: */*\r\n\
                        X-Forwarded-For: 192.0.2.1\r\nAccept-Encoding: gzip\r\n\r\n";
        assert_eq!(backend.seen(), [expected]);
        let server = cx.server.unwrap();
        assert_eq!((&*server.service, &*server.url), ("s@file", &*backend.url));
        assert_eq!(&*server.address, backend.url.trim_start_matches("http://"));
        assert_eq!(cx.origin_status, Some(StatusCode::OK));
        assert!(cx.fault.is_none() && cx.reason.is_none());
    })
    .await;
}

#[tokio::test]
async fn host_and_path_of_the_server() {
    worker(async {
        let backend = Backend::answering("hi").await;
        let mut settings = settings(&[&format!("{}/base/?q", backend.url)]);
        get(&*build(&settings)).await;
        let mut without_host = request(Method::GET, "/");
        without_host.host = Bytes::new();
        ask(&*build(&settings), without_host).await;
        settings.pass_host_header = false;
        settings.servers[0].preserve_path = true;
        get(&*build(&settings)).await;
        let authority = backend.url.trim_start_matches("http://");
        let seen = backend.seen();
        assert!(seen[0].starts_with("GET / HTTP/1.1\r\nHost: a.test\r\n"), "{}", seen[0]);
        assert!(seen[1].starts_with(&format!("GET / HTTP/1.1\r\nHost: {authority}\r\n")), "{}", seen[1]);
        assert!(seen[2].starts_with(&format!("GET /base/ HTTP/1.1\r\nHost: {authority}\r\n")), "{}", seen[2]);
    })
    .await;
}

/// The second request on the first connection is not answered.
async fn forgetful() -> Backend {
    Backend::start(|connection, number, _| if (connection, number) == (1, 2) { Act::Close } else { ok("hi") }).await
}

#[tokio::test]
async fn a_stale_connection_is_replaced_where_that_is_safe() {
    worker(async {
        let backend = forgetful().await;
        let service = servers(&[&backend.url]);
        get(&*service).await;
        assert_eq!(get(&*service).await, (200, "hi".into()));
        assert_eq!(backend.connections(), 2);

        let backend = forgetful().await;
        let service = servers(&[&backend.url]);
        get(&*service).await;
        let mut cx = exchange();
        let post = with_body(request(Method::POST, "/"), "pay");
        assert_eq!(ask_in(&*service, post, &mut cx).await, (502, "Bad Gateway".into()));
        assert_eq!(cx.fault.unwrap().stage, Stage::Stale);
        assert_eq!(backend.seen().len(), 2);

        let backend = forgetful().await;
        let service = servers(&[&backend.url]);
        get(&*service).await;
        let mut post = with_body(request(Method::POST, "/"), "pay");
        post.headers.append("Idempotency-Key", "1");
        assert_eq!(ask(&*service, post).await.0, 200);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_nobodys_concern_while_there_is_another() {
    worker(async {
        let (dying, other) = (Backend::answering("a").await, Backend::answering("b").await);
        let (closed, bad) = (closed_url().await, closed_url().await);
        let service = servers(&[&closed, &dying.url, &bad, &other.url]);
        let post = || with_body(request(Method::POST, "/"), "pay");
        for _ in 0..8 {
            assert_eq!(ask(&*service, post()).await.0, 200);
        }
        assert!(dying.seen().len() > 1 && dying.seen().iter().all(|seen| seen.ends_with("pay")));
        // It dies with a kept connection open: stale, then refused, then the other server.
        dying.kill().await;
        for _ in 0..8 {
            assert_eq!(ask(&*service, post()).await, (200, "b".into()));
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_goes_down_under_a_request_is_replaced() {
    worker(async {
        let gone = Rc::new(Cell::new(false));
        let is_gone = Rc::clone(&gone);
        let dying = Backend::start(move |_, _, _| if is_gone.get() { Act::Close } else { ok("a") }).await;
        let other = Backend::answering("b").await;
        let mut settings = settings(&[&dying.url, &other.url]);
        settings.sticky =
            Some(Sticky { cookie: Some(Cookie { name: "lb".into(), ..Cookie::default() }), header: None });
        let service = build(&settings);
        let bound = || {
            let mut request = request(Method::GET, "/");
            request.headers.append("Cookie", format!("lb={}", trafficcop_balancer::sticky::value(&dying.url)));
            request
        };
        assert_eq!(ask(&*service, bound()).await, (200, "a".into()));
        gone.set(true);
        // Its kept connection ends, then a new one too, both with a request on them.
        assert_eq!(ask(&*service, bound()).await, (200, "b".into()));
        assert_eq!((dying.connections(), dying.seen().len()), (2, 3));
        assert_eq!(ask(&*service, bound()).await, (200, "b".into()));
        // What the server may have acted on is not sent to another.
        let mut post = bound();
        post.method = Method::POST;
        assert_eq!(ask(&*service, post).await, (502, "Bad Gateway".into()));
    })
    .await;
}

#[tokio::test]
async fn nobody_can_be_reached() {
    worker(async {
        let (one, two) = (closed_url().await, closed_url().await);
        let mut cx = exchange();
        let answer = ask_in(&*servers(&[&one, &two]), request(Method::GET, "/"), &mut cx).await;
        assert_eq!(answer, (502, "Bad Gateway".into()));
        assert_eq!(cx.reason, Some(Reason::ConnectRefused));
        assert!(cx.fault.unwrap().is_retryable());
        assert!(cx.server.is_some());
    })
    .await;
}

#[tokio::test]
async fn no_server_at_all() {
    worker(async {
        let mut cx = exchange();
        let answer = ask_in(&*servers(&[]), request(Method::GET, "/"), &mut cx).await;
        assert_eq!((answer, cx.reason), ((503, "no available server\n".into()), Some(Reason::NoServer)));
        let url = closed_url().await;
        let mut weightless = settings(&[&url]);
        weightless.servers[0].weight = Some(0);
        let answer = ask_in(&*build(&weightless), request(Method::GET, "/"), &mut cx).await;
        assert_eq!((answer.0, cx.reason), (503, Some(Reason::AllServersDown)));
    })
    .await;
}

#[tokio::test]
async fn shares_by_weight() {
    worker(async {
        let (a, b) = (Backend::answering("a").await, Backend::answering("b").await);
        let mut settings = settings(&[&a.url, &b.url]);
        settings.servers[0].weight = Some(3);
        let service = build(&settings);
        for _ in 0..16 {
            get(&*service).await;
        }
        assert_eq!((a.seen().len(), b.seen().len()), (12, 4));
        assert_eq!(service.status(), [(a.url.clone(), true), (b.url.clone(), true)]);
    })
    .await;
}

#[tokio::test]
async fn sticky_clients_stay_until_their_server_is_gone() {
    worker(async {
        let (a, b) = (Backend::answering("a").await, Backend::answering("b").await);
        let closed = closed_url().await;
        let cookie = Cookie { name: "lb".into(), ..Cookie::default() };
        let mut settings = settings(&[&a.url, &b.url, &closed]);
        settings.sticky = Some(Sticky { cookie: Some(cookie), header: None });
        let service = build(&settings);
        let carrying = |value: &str| {
            let mut request = request(Method::GET, "/");
            request.headers.append("Cookie", format!("lb={value}"));
            request
        };
        let of = trafficcop_balancer::sticky::value;
        for _ in 0..3 {
            let mut response = service.call(carrying(&of(&b.url)), &mut exchange()).await;
            assert_eq!(text(&mut response).await, "b");
            assert!(!response.headers.contains("set-cookie"));
        }
        let mut response = service.call(carrying(&a.url), &mut exchange()).await;
        assert_eq!(text(&mut response).await, "a", "the raw URL is a value of earlier versions");
        let expected = format!("lb={}; Path=/", of(&a.url));
        assert_eq!(response.headers.get_str("set-cookie"), Some(&*expected));
        // Whose server is gone is told where they went.
        let mut response = service.call(carrying(&of(&closed)), &mut exchange()).await;
        let server = if text(&mut response).await == "a" { &a } else { &b };
        let expected = format!("lb={}; Path=/", of(&server.url));
        assert_eq!(response.headers.get_str("set-cookie"), Some(&*expected));
    })
    .await;
}

#[tokio::test]
async fn answers_that_are_none() {
    worker(async {
        let check = async |act: fn() -> Act, expected: (u16, &str, Reason)| {
            let backend = Backend::start(move |_, _, _| act()).await;
            let mut cx = exchange();
            let (status, body) = ask_in(&*servers(&[&backend.url]), request(Method::POST, "/"), &mut cx).await;
            assert_eq!((status, &*body, cx.reason.unwrap()), expected);
            assert_eq!(backend.seen().len(), 1);
        };
        check(|| Act::Close, (502, "Bad Gateway", Reason::ServerClosed)).await;
        let noise = || Act::LastAnswer("nonsense\r\n\r\n".into());
        check(noise, (500, "Internal Server Error", Reason::BadResponse)).await;
        let switch = || Act::LastAnswer("HTTP/1.1 101 Go\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n".into());
        check(switch, (500, "Internal Server Error", Reason::BadResponse)).await;
    })
    .await;
}

#[tokio::test]
async fn requests_of_one_session_go_to_one_server_by_header() {
    worker(async {
        let (one, two) = (Backend::answering("a").await, Backend::answering("b").await);
        let mut settings = settings(&[&one.url, &two.url]);
        settings.sticky = Some(Sticky { cookie: None, header: Some(StickyHeader { name: "X-Session-ID".into() }) });
        let service = build(&settings);
        let of = |session: String| {
            let mut request = request(Method::GET, "/");
            request.headers.append("x-session-id", session);
            request
        };
        let mut seen = std::collections::BTreeSet::new();
        for session in 0..32 {
            let first = ask(&*service, of(session.to_string())).await;
            assert_eq!(ask(&*service, of(session.to_string())).await, first);
            seen.insert(first.1);
        }
        assert_eq!(seen.len(), 2, "sessions are spread");
        let turns = [get(&*service).await, get(&*service).await];
        assert_ne!(turns[0], turns[1], "without the header servers take turns");
    })
    .await;
}
