//! HTTP/2 with prior knowledge on a plain entry point.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use trafficcop_config::dynamic::tls::Tls;
use trafficcop_exchange::{
    Body, BodyError, BodyStream, Exchange, Frame, LocalBoxFuture, Request, Response, StatusCode,
};

use super::support::*;

/// A client, and a task that ends with its connection.
async fn connect<B>(running: &Running) -> (SendRequest<B>, JoinHandle<hyper::Result<()>>)
where
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + Unpin + 'static,
{
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (send, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    (send, tokio::spawn(connection))
}

#[tokio::test]
async fn requests_go_the_same_way_as_those_of_http_1() {
    let service = Arc::new(Echo(&["cookie", "x-forwarded-proto", "x-forwarded-host"]));
    let running = start(&snapshot(vec![("Host(`a.test`)", false, service)], &Tls::default(), &[]), |_| {}).await;
    let (mut send, _connection) = connect(&running).await;
    let request = hyper::Request::post("http://a.test/x/../y?z")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Full::new(Bytes::from_static(b"payload")))
        .unwrap();
    let response = send.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers().contains_key("date"));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let expected =
        "POST /y?z a.test 127.0.0.1\ncookie: a=1; b=2\nx-forwarded-proto: http\nx-forwarded-host: a.test\npayload";
    assert_eq!(std::str::from_utf8(&body).unwrap(), expected);
}

#[tokio::test]
async fn a_broken_stream_leaves_the_others_alone() {
    let held = Arc::new(Held::default());
    let routes: Routes =
        vec![("Path(`/held`)", false, Arc::clone(&held) as _), ("Path(`/broken`)", false, Arc::new(Broken))];
    let running = start(&snapshot(routes, &Tls::default(), &[]), |_| {}).await;
    let (mut send, _connection) = connect::<Empty<Bytes>>(&running).await;
    let get = |path: &str| hyper::Request::get(format!("http://a.test{path}")).body(Empty::new()).unwrap();
    let waiting = tokio::spawn(send.send_request(get("/held")));
    held.asked.notified().await;
    assert_eq!(send.send_request(get("/broken")).await.unwrap().status(), 500);
    assert_eq!(send.send_request(get("/none")).await.unwrap().status(), 404);
    held.go.notify_one();
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_limit_of_requests_ends_the_connection_politely() {
    let routes: Routes = vec![("PathPrefix(`/`)", false, Arc::new(Says("x")))];
    let limit = |entry: &mut trafficcop_config::settings::EntryPoint| entry.transport.keep_alive_max_requests = 2;
    let running = start(&snapshot(routes, &Tls::default(), &[]), limit).await;
    let (mut send, connection) = connect::<Empty<Bytes>>(&running).await;
    let get = || hyper::Request::get("http://a.test/").body(Empty::new()).unwrap();
    assert_eq!(send.send_request(get()).await.unwrap().status(), 200);
    assert_eq!(send.send_request(get()).await.unwrap().status(), 200);
    let ended = tokio::time::timeout(PATIENCE, connection).await.expect("GOAWAY");
    ended.unwrap().expect("a polite end");
}

/// Sends an early hint, asks for the body, answers with it and a trailer.
struct Hints;

impl trafficcop_exchange::Service for Hints {
    fn call<'a>(&'a self, mut req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            cx.interim.send(StatusCode::EARLY_HINTS, [("Link", "</a.css>")].into_iter().collect());
            assert!(!req.headers.contains("expect"), "the expectation is met at the edge");
            let body = req.body.collect(1 << 20).await.unwrap();
            let mut response = Response::new(StatusCode::OK);
            response.body =
                Body::stream(Pieces(vec![Frame::Trailers([("X-End", "1")].into_iter().collect()), Frame::Data(body)]));
            response
        })
    }
}

/// The last piece first.
struct Pieces(Vec<Frame>);

impl BodyStream for Pieces {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(self.0.pop().map(Ok))
    }
}

#[tokio::test]
async fn interim_answers_and_trailers_get_through() {
    let routes: Routes = vec![("PathPrefix(`/`)", false, Arc::new(Hints))];
    let running = start(&snapshot(routes, &Tls::default(), &[]), |_| {}).await;
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut send, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::post("http://a.test/").header("expect", "100-continue").body(()).unwrap();
    let (mut response, mut body) = send.send_request(request, false).unwrap();
    let mut interim = Vec::new();
    while interim.len() < 2 {
        let next = std::future::poll_fn(|cx| response.poll_informational(cx));
        interim.push(tokio::time::timeout(PATIENCE, next).await.expect("in time").unwrap().unwrap());
    }
    assert_eq!((interim[0].status().as_u16(), interim[1].status().as_u16()), (100, 103), "asked for, then hinted");
    assert_eq!(interim[1].headers()["link"], "</a.css>");
    body.send_data(Bytes::from(vec![b'x'; 300_000]), true).unwrap();
    let response = response.await.unwrap();
    let mut answer = response.into_body();
    let mut received = 0;
    while let Some(data) = answer.data().await {
        received += data.as_ref().unwrap().len();
        answer.flow_control().release_capacity(data.unwrap().len()).unwrap();
    }
    assert_eq!(received, 300_000);
    assert_eq!(answer.trailers().await.unwrap().unwrap()["x-end"], "1");
}

#[tokio::test]
async fn a_request_that_is_taken_back_is_dropped() {
    let held = Arc::new(Held::default());
    let routes: Routes = vec![("Path(`/held`)", false, Arc::clone(&held) as _)];
    let running = start(&snapshot(routes, &Tls::default(), &[]), |_| {}).await;
    let (mut send, _connection) = connect::<Empty<Bytes>>(&running).await;
    let request = hyper::Request::get("http://a.test/held").body(Empty::new()).unwrap();
    let waiting = tokio::spawn(send.send_request(request));
    held.asked.notified().await;
    waiting.abort();
    tokio::time::timeout(PATIENCE, running.told.ended.notified()).await.expect("told in time");
    assert_eq!(running.told.outcomes.lock()[0].1.status.as_u16(), 499);
}

#[tokio::test]
async fn who_only_takes_requests_back_is_sent_away() {
    let held = Arc::new(Held::default());
    let routes: Routes = vec![("Path(`/held`)", false, Arc::clone(&held) as _)];
    let running = start(&snapshot(routes, &Tls::default(), &[]), |_| {}).await;
    let (mut send, connection) = connect::<Empty<Bytes>>(&running).await;
    let flood = async {
        while send.ready().await.is_ok() {
            let request = hyper::Request::get("http://a.test/held").body(Empty::new()).unwrap();
            let waiting = tokio::spawn(send.send_request(request));
            held.asked.notified().await;
            waiting.abort();
        }
    };
    let ended = async {
        tokio::select! {
            () = flood => {}
            _ = connection => {}
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("an end");
    assert!((256..300).contains(&running.told.count.load(std::sync::atomic::Ordering::Relaxed)));
}
