//! Both drivers in a row: a client, a forwarder made of `serve` and `Connection`, a server that echoes. Whatever the pipes
//! hold at a time and however bodies are framed and cut, every body comes back whole and in order.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::{LocalSet, spawn_local};
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Interim, Request, Response, StatusCode};
use trafficcop_h1::chunked::{Chunked, Step};
use trafficcop_h1::{CallOptions, Connection, Drain, Handler, ServeOptions, serve};

/// Sends the body back while it comes, or after it has come; framed by length or by chunks.
struct Echo;

impl Handler for Echo {
    async fn call(&self, mut request: Request, _: Interim) -> Response {
        let mut response = Response::new(StatusCode::OK);
        let body = std::mem::take(&mut request.body);
        response.body = match request.target.path() {
            "/stream" => body,
            "/unknown" => Body::stream(Unknown(body)),
            _ => {
                let mut body = body;
                body.collect(1 << 24).await.map(Body::from).unwrap_or_default()
            }
        };
        response
    }
}

/// A body that forgot its length.
struct Unknown(Body);

impl BodyStream for Unknown {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        self.0.poll_frame(cx)
    }
}

type Idle = Rc<RefCell<Vec<Connection<DuplexStream>>>>;

struct Forward {
    pipe: usize,
    idle: Idle,
    dialled: RefCell<usize>,
}

impl Handler for Forward {
    async fn call(&self, request: Request, interim: Interim) -> Response {
        let kept = self.idle.borrow_mut().pop();
        let connection = kept.unwrap_or_else(|| {
            *self.dialled.borrow_mut() += 1;
            let (near, far) = duplex(self.pipe);
            spawn_local(async move { serve(far, Bytes::new(), &ServeOptions::default(), &Drain::new(), &Echo).await });
            Connection::new(near)
        });
        let idle = self.idle.clone();
        let home = move |connection| idle.borrow_mut().push(connection);
        match connection.call(request, &CallOptions::default(), &interim, home).await {
            Ok(response) => response,
            Err(error) => panic!("{error}"),
        }
    }
}

#[derive(Clone, Debug)]
struct Ask {
    path: &'static str,
    body: Vec<u8>,
    /// Lengths of chunks; without any the body has a length.
    chunks: Vec<usize>,
}

impl Ask {
    fn text(&self) -> Vec<u8> {
        let head = format!("POST {} HTTP/1.1\r\nHost: x\r\n", self.path);
        if self.chunks.is_empty() {
            return [format!("{head}Content-Length: {}\r\n\r\n", self.body.len()).as_bytes(), &self.body].concat();
        }
        let mut text = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
        let mut rest = &self.body[..];
        for length in self.chunks.iter().cycle() {
            let (chunk, after) = rest.split_at(rest.len().min(*length));
            if chunk.is_empty() {
                break;
            }
            text.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            text.extend_from_slice(chunk);
            text.extend_from_slice(b"\r\n");
            rest = after;
        }
        text.extend_from_slice(b"0\r\n\r\n");
        text
    }
}

fn ask() -> impl Strategy<Value = Ask> {
    let length = prop_oneof![3 => 0_usize..200, 2 => 3000_usize..9000, 1 => 60_000_usize..400_000];
    let chunks = prop_oneof![Just(vec![]), prop::collection::vec(1_usize..70_000, 1..4)];
    (prop::sample::select(vec!["/whole", "/stream", "/unknown"]), length, chunks, any::<u8>()).prop_map(
        |(path, length, chunks, seed)| Ask {
            path,
            body: (0..length).map(|index| (index % 251) as u8 ^ seed).collect(),
            chunks: chunks.into_iter().map(|chunk| chunk.max(length / 500 + 1)).collect(),
        },
    )
}

/// The bodies of a sequence of answers, all of them 200.
fn bodies(mut text: Bytes) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    while !text.is_empty() {
        let end = text.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head") + 4;
        let head = String::from_utf8(text.split_to(end).to_vec()).expect("heads are text");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map(str::parse);
        let mut body = Vec::new();
        if let Some(length) = length {
            body.extend_from_slice(&text.split_to(length.expect("a number")));
        } else {
            let mut chunked = Chunked::default();
            while let Step::Data(data) = chunked.decode(&mut text).expect("whole chunks") {
                body.extend_from_slice(&data);
            }
            assert!(chunked.is_over());
        }
        bodies.push(body);
    }
    bodies
}

async fn through(asks: &[Ask], front: usize, back: usize) -> (Vec<Vec<u8>>, usize) {
    let (near, far) = duplex(front);
    let forward = Rc::new(Forward { pipe: back, idle: Idle::default(), dialled: RefCell::new(0) });
    let handler = forward.clone();
    let served = spawn_local(async move {
        let options = ServeOptions { keep_alive_max_requests: 1000, ..ServeOptions::default() };
        serve(far, Bytes::new(), &options, &Drain::new(), &*handler).await.expect("no error of the pipe")
    });
    let (mut read, mut write) = tokio::io::split(near);
    let text: Vec<u8> = asks.iter().flat_map(Ask::text).collect();
    let last = b"GET /whole HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let mut answers = Vec::new();
    let (written, _) = tokio::join!(
        async {
            write.write_all(&text).await?;
            write.write_all(last).await
        },
        read.read_to_end(&mut answers)
    );
    written.expect("all was taken");
    let served = served.await.expect("no panic");
    assert_eq!(served.requests as usize, asks.len() + 1, "{served:?} {}", String::from_utf8_lossy(&answers));
    let dialled = *forward.dialled.borrow();
    (bodies(answers.into()), dialled)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 25, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bodies_come_back(asks in prop::collection::vec(ask(), 1..6), front in 40_usize..70_000, back in 40_usize..70_000) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (mut echoed, dialled) = LocalSet::new().block_on(&runtime, through(&asks, front, back));
        prop_assert_eq!(echoed.pop(), Some(vec![]));
        let expected: Vec<_> = asks.iter().map(|ask| &ask.body).collect();
        prop_assert!(echoed.iter().collect::<Vec<_>>() == expected, "other bodies came back");
        // One connection carries them all.
        prop_assert_eq!(dialled, 1);
    }
}
