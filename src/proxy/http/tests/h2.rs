//! HTTP/2 towards servers, by prior knowledge.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame as HttpFrame;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use trafficcop_exchange::{Method, Service};

use super::streams::{pieces, whole};
use crate::http::testing::*;

type Answer = http::Response<http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>>;

struct H2c {
    url: String,
    connections: Rc<Cell<usize>>,
    tasks: JoinSet<()>,
}

/// A server that says what it saw, and `x-end` as a trailer.
async fn echo() -> H2c {
    echo_with(200).await
}

/// The same, with a limit to requests at a time.
async fn echo_with(most_streams: u32) -> H2c {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("h2c://{}", listener.local_addr().unwrap());
    let connections = Rc::new(Cell::new(0));
    let count = Rc::clone(&connections);
    let mut tasks = JoinSet::new();
    tasks.spawn_local(async move {
        let mut open = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            count.set(count.get() + 1);
            open.spawn(async move {
                let mut server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                server.max_concurrent_streams(most_streams);
                let _ended = server.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
            });
        }
    });
    H2c { url, connections, tasks }
}

async fn answer(request: http::Request<hyper::body::Incoming>) -> Result<Answer, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap();
    let trailer = body.trailers().and_then(|trailers| trailers.get("x-sum")).cloned();
    let mut names: Vec<_> = parts.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let text = format!(
        "{} {} {} {trailer:?} {}",
        parts.method,
        parts.uri,
        String::from_utf8_lossy(&body.to_bytes()),
        names.join(" ")
    );
    let trailers = std::iter::once(("x-end", "1"))
        .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
        .collect();
    let frames = [HttpFrame::data(Bytes::from(text)), HttpFrame::trailers(trailers)];
    let mut frames = frames.into_iter();
    let body = StreamBody::new(futures(move || frames.next().map(Ok)));
    Ok(http::Response::builder().header("x-from", "h2").body(body.boxed_unsync()).unwrap())
}

/// A stream from a function.
fn futures<T>(mut next: impl FnMut() -> Option<T>) -> impl futures_util::Stream<Item = T> {
    futures_util::stream::poll_fn(move |_| std::task::Poll::Ready(next()))
}

#[tokio::test]
async fn requests_and_answers_with_trailers() {
    worker(async {
        let server = echo().await;
        let service = servers(&[&server.url]);
        let mut asked = with_body(request(Method::POST, "/a?b=c"), pieces(&["one", "two"], Some(("X-Sum", "9"))));
        asked.headers = [("Connection", "keep-alive"), ("X-Up", "1"), ("TE", "trailers")].into_iter().collect();
        let mut response = service.call(asked, &mut exchange()).await;
        assert_eq!(response.headers.get("x-from"), Some(&b"h2"[..]));
        let (data, trailers) = whole(&mut response.body).await;
        assert_eq!(data, "POST http://a.test/a?b=c onetwo Some(\"9\") accept-encoding te x-forwarded-for x-up");
        assert_eq!(trailers.unwrap().get("x-end"), Some(&b"1"[..]));
    })
    .await;
}

#[tokio::test]
async fn one_connection_for_all_and_a_new_one_when_it_is_gone() {
    worker(async {
        let mut server = echo().await;
        let service = servers(&[&server.url]);
        for _ in 0..3 {
            let (status, text) = get(&*service).await;
            assert_eq!(status, 200);
            assert!(text.starts_with("GET http://a.test/  None"), "{text}");
        }
        assert_eq!(server.connections.get(), 1);
        server.tasks.shutdown().await;
        assert_eq!(get(&*service).await, (502, "Bad Gateway".into()));
    })
    .await;
}

#[tokio::test]
async fn a_burst_opens_one_connection() {
    worker(async {
        let server = echo().await;
        let service = servers(&[&server.url]);
        let mut burst = JoinSet::new();
        for _ in 0..50 {
            let service = std::sync::Arc::clone(&service);
            burst.spawn_local(async move { get(&*service).await.0 });
        }
        assert_eq!(burst.join_all().await, [200; 50]);
        assert_eq!(server.connections.get(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_allows_little_gets_more_connections() {
    worker(async {
        let server = echo_with(1).await;
        let service = servers(&[&server.url]);
        get(&*service).await;
        let mut held = service.call(request(Method::GET, "/"), &mut exchange()).await;
        assert_eq!(get(&*service).await.0, 200);
        assert_eq!(server.connections.get(), 2);
        whole(&mut held.body).await;
    })
    .await;
}

#[tokio::test]
async fn no_http1_answer_is_taken_for_one() {
    worker(async {
        let backend = Backend::answering("http1").await;
        let url = backend.url.replace("http", "h2c");
        let (status, _) = get(&*servers(&[&url])).await;
        assert_eq!(status, 502);
    })
    .await;
}
