//! Clients and handlers for the driver's tests.

use std::collections::VecDeque;
use std::future::{Future, Ready, ready};
use std::task::{Context, Poll};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use trafficcop_exchange::{BodyError, BodyStream, Frame, Headers};

use super::*;

/// A handler made of a function.
pub(super) struct Answering<F>(pub(super) F);

impl<F, R> Handler for Answering<F>
where
    F: Fn(Request, Interim) -> R,
    R: Future<Output = Response>,
{
    fn call(&self, request: Request, interim: Interim) -> impl Future<Output = Response> {
        (self.0)(request, interim)
    }
}

/// Serves one end of a pipe while `client` has the other.
pub(super) async fn with<C, F, R, T>(options: &ServeOptions, handler: F, client: C) -> (T, Served)
where
    C: AsyncFnOnce(DuplexStream) -> T,
    F: Fn(Request, Interim) -> R,
    R: Future<Output = Response>,
{
    let (near, far) = duplex(64 * 1024);
    let (drain, handler) = (Drain::new(), Answering(handler));
    let (seen, served) = tokio::join!(client(near), serve(far, Bytes::new(), options, &drain, &handler));
    (seen, served.unwrap())
}

/// Writes the pieces one by one; yields all that came back, with `Date: D`, and how it ended.
pub(super) async fn run<F, R>(pieces: &[&str], options: &ServeOptions, handler: F) -> (String, Served)
where
    F: Fn(Request, Interim) -> R,
    R: Future<Output = Response>,
{
    with(options, handler, async |mut near| {
        for piece in pieces {
            near.write_all(piece.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut output = Vec::new();
        near.read_to_end(&mut output).await.unwrap();
        undated(&output)
    })
    .await
}

pub(super) async fn check<F, R>(input: &str, handler: F, expected: &str, end: End)
where
    F: Fn(Request, Interim) -> R,
    R: Future<Output = Response>,
{
    let (output, served) = run(&[input], &ServeOptions::default(), handler).await;
    assert_eq!(output, expected, "{input:?}");
    assert_eq!(served.end, end, "{input:?}");
}

/// With every date of now as `D`.
pub(super) fn undated(output: &[u8]) -> String {
    let mut output = String::from_utf8(output.to_vec()).unwrap();
    let mut from = 0;
    while let Some(at) = output[from..].find("Date: ").map(|at| from + at + 6) {
        let end = at + output[at..].find("\r\n").unwrap();
        if output[at..end].ends_with("GMT") {
            output.replace_range(at..end, "D");
        }
        from = at;
    }
    output
}

pub(super) fn text(body: &'static str) -> Ready<Response> {
    let mut response = Response::new(StatusCode::OK);
    response.body = Body::from(body);
    ready(response)
}

pub(super) fn status(status: StatusCode, headers: &[(&'static str, &'static str)]) -> Ready<Response> {
    let mut response = Response::new(status);
    response.headers = headers.iter().copied().collect();
    ready(response)
}

/// A body of unknown length.
pub(super) fn stream<const N: usize>(pieces: [&'static str; N]) -> Ready<Response> {
    let mut response = Response::new(StatusCode::OK);
    response.body = Body::stream(Pieces::new(pieces));
    ready(response)
}

pub(super) struct Pieces {
    pub(super) frames: VecDeque<Result<Frame, BodyError>>,
    pub(super) remaining: Option<u64>,
    /// Yields to others between frames.
    pub(super) shy: bool,
    pub(super) is_ready: bool,
}

impl Pieces {
    pub(super) fn new(pieces: impl IntoIterator<Item = &'static str>) -> Self {
        let frames = pieces.into_iter().map(|piece| Ok(Frame::Data(Bytes::from_static(piece.as_bytes())))).collect();
        Self { frames, remaining: None, shy: false, is_ready: false }
    }

    pub(super) fn trailers(mut self, lines: &[(&'static str, &'static str)]) -> Self {
        self.frames.push_back(Ok(Frame::Trailers(lines.iter().copied().collect::<Headers>())));
        self
    }
}

impl BodyStream for Pieces {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if self.shy && !std::mem::replace(&mut self.is_ready, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.is_ready = false;
        Poll::Ready(self.frames.pop_front())
    }

    fn remaining(&self) -> Option<u64> {
        self.remaining
    }
}
