//! HTTP/2 with prior knowledge on a plain entry point.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use trafficcop_config::dynamic::tls::Tls;

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
