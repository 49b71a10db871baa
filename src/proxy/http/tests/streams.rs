//! Bodies, trailers, interim answers, upgrades.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Headers, Method, Service, StatusCode};

use crate::http::testing::*;

fn answer(text: &'static str) -> impl Fn(usize, usize, &str) -> Act {
    move |_, _, _| Act::Answer(text.to_owned())
}

/// Pieces, one at a time, and trailers.
struct Pieces(std::vec::IntoIter<Frame>);

impl BodyStream for Pieces {
    fn poll_frame(&mut self, _: &mut std::task::Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}

pub(super) fn pieces(data: &[&'static str], trailers: Option<(&'static str, &'static str)>) -> Body {
    let mut frames: Vec<Frame> = data.iter().map(|data| Frame::Data(Bytes::from_static(data.as_bytes()))).collect();
    frames.extend(trailers.map(|line| Frame::Trailers([line].into_iter().collect())));
    Body::stream(Pieces(frames.into_iter()))
}

/// Data and trailers of a body.
pub(super) async fn whole(body: &mut Body) -> (String, Option<Headers>) {
    let (mut text, mut trailers) = (String::new(), None);
    while let Some(frame) = body.frame().await {
        match frame.unwrap() {
            Frame::Data(data) => text.push_str(std::str::from_utf8(&data).unwrap()),
            Frame::Trailers(lines) => trailers = Some(lines),
        }
    }
    (text, trailers)
}

#[tokio::test]
async fn trailers_come_through() {
    worker(async {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n3\r\nabc\r\n0\r\nX-End: 1\r\n\r\n";
        let backend = Backend::start(answer(text)).await;
        let service = servers(&[&backend.url]);
        for _ in 0..2 {
            let mut response = service.call(request(Method::GET, "/"), &mut exchange()).await;
            assert_eq!(response.headers.get("trailer"), Some(&b"X-End"[..]));
            let (data, trailers) = whole(&mut response.body).await;
            assert_eq!((data.as_str(), trailers.unwrap().get("x-end")), ("abc", Some(&b"1"[..])));
        }
        assert_eq!(backend.connections(), 1, "the connection is kept after the trailers");
    })
    .await;
}

#[tokio::test]
async fn interim_answers_come_first() {
    worker(async {
        let text = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        let backend = Backend::start(answer(text)).await;
        let mut cx = exchange();
        assert_eq!(ask_in(&*servers(&[&backend.url]), request(Method::GET, "/"), &mut cx).await.0, 204);
        let interim = cx.interim.take();
        assert_eq!(interim.len(), 1);
        assert_eq!((interim[0].0.as_u16(), interim[0].1.get("link")), (103, Some(&b"</a>"[..])));
    })
    .await;
}

#[tokio::test]
async fn a_streamed_request_body_is_chunked() {
    worker(async {
        let backend = Backend::answering("ok").await;
        let asked = with_body(request(Method::POST, "/"), pieces(&["abc", "de"], None));
        assert_eq!(ask(&*servers(&[&backend.url]), asked).await.0, 200);
        assert!(backend.seen()[0].ends_with("\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), "{:?}", backend.seen());
    })
    .await;
}

#[tokio::test]
async fn a_large_answer_waits_for_its_reader() {
    worker(async {
        const SIZE: usize = 32 << 20;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sent = Rc::new(std::cell::Cell::new(0));
        let counter = Rc::clone(&sent);
        tokio::task::spawn_local(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await.unwrap();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let piece = vec![b'x'; 1 << 16];
            for _ in 0..SIZE / piece.len() {
                stream.write_all(&piece).await.unwrap();
                counter.set(counter.get() + piece.len());
            }
        });
        let mut response = servers(&[&url]).call(request(Method::GET, "/"), &mut exchange()).await;
        let Some(Ok(Frame::Data(first))) = response.body.frame().await else { panic!("no data") };
        // The sender goes on until the buffers of the kernel are full, and no further.
        let mut before = usize::MAX;
        while before != sent.get() {
            before = sent.get();
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert!(sent.get() < SIZE, "all was sent to a reader that does not read");
        assert_eq!(first.len() + response.body.collect(SIZE as u64).await.unwrap().len(), SIZE);
    })
    .await;
}

#[tokio::test]
async fn events_are_passed_on_as_they_come() {
    worker(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let go_on = Rc::new(Notify::new());
        let going = Rc::clone(&go_on);
        tokio::task::spawn_local(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_request(&mut stream).await.unwrap();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            for event in ["data: 1\n\n", "data: 2\n\n"] {
                stream.write_all(event.as_bytes()).await.unwrap();
                going.notified().await;
            }
        });
        let mut response = servers(&[&url]).call(request(Method::GET, "/"), &mut exchange()).await;
        for expected in ["data: 1\n\n", "data: 2\n\n"] {
            let Some(Ok(Frame::Data(event))) = response.body.frame().await else { panic!("no event") };
            assert_eq!(event, expected);
            go_on.notify_one();
        }
        assert!(response.body.frame().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_client_that_leaves_takes_the_connection_along() {
    worker(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = servers(&[&url]);
        let mut cx = exchange();
        let mut call = service.call(request(Method::GET, "/"), &mut cx);
        assert!(poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await);
        let (mut stream, _) = tokio::select! {
            accepted = listener.accept() => accepted.unwrap(),
            _ = &mut call => panic!("nobody answered"),
        };
        tokio::select! {
            read = read_request(&mut stream) => assert!(read.is_some()),
            _ = &mut call => panic!("nobody answered"),
        }
        drop(call);
        assert_eq!(stream.read(&mut [0; 9]).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_websocket_is_joined() {
    worker(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = tokio::task::spawn_local(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let seen = read_request(&mut stream).await.unwrap();
            let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst";
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut echo = [0; 5];
            stream.read_exact(&mut echo).await.unwrap();
            stream.write_all(&echo).await.unwrap();
            seen
        });
        let mut asked = request(Method::GET, "/chat");
        asked.headers = [("sec-websocket-key", "k"), ("Sec-Websocket-Version", "13")].into_iter().collect();
        asked.upgrade = Some(Bytes::from_static(b"websocket"));
        let response = servers(&[&url]).call(asked, &mut exchange()).await;
        assert_eq!(response.status, StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(response.headers.get("upgrade"), Some(&b"websocket"[..]));
        let mut joined = response.upgrade.unwrap();
        let mut first = [0; 5];
        joined.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"first");
        joined.write_all(b"hello").await.unwrap();
        joined.flush().await.unwrap();
        let mut echo = String::new();
        joined.read_to_string(&mut echo).await.unwrap();
        assert_eq!(echo, "hello");
        let seen = seen.await.unwrap();
        for line in ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: k", "Sec-WebSocket-Version: 13"] {
            assert!(seen.contains(&format!("\r\n{line}\r\n")), "{line} in {seen}");
        }
    })
    .await;
}

#[tokio::test]
async fn gzip_that_the_client_did_not_ask_for_is_unpacked() {
    worker(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::task::spawn_local(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            while read_request(&mut stream).await.is_some() {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(b"plain").unwrap();
                let packed = encoder.finish().unwrap();
                let head =
                    format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len());
                stream.write_all(&[head.as_bytes(), &packed].concat()).await.unwrap();
            }
        });
        let service = servers(&[&url]);
        assert_eq!(get(&*service).await, (200, "plain".into()));
        let mut asked = request(Method::GET, "/");
        asked.headers.append("Accept-Encoding", "gzip");
        let response = service.call(asked, &mut exchange()).await;
        assert!(response.headers.contains("content-encoding") && response.headers.contains("content-length"));
    })
    .await;
}
