//! The client side of one connection: send a request, read its answer, keep the connection.

mod answer;
mod open;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use trafficcop_exchange::fault::Fault;
use trafficcop_exchange::{Interim, Request, Response, Side, Stage};

use self::open::OpenCall;

/// Limits, deadlines and manners towards a server. One for all connections of a servers transport.
#[derive(Clone, Debug)]
pub struct CallOptions {
    /// Write header names in Go's canonical case (`x-lower` as `X-Lower`), as Traefik's servers see them.
    pub canonical_names: bool,
    /// Status line and headers of an answer together, in bytes.
    pub max_head_bytes: usize,
    /// Header lines of an answer.
    pub max_headers: usize,
    /// From the end of the request to the end of the answer's head.
    pub response_header_timeout: Option<Duration>,
    /// How long the body of a request with `Expect: 100-continue` waits for the server's word.
    pub expect_continue_timeout: Duration,
    /// Pass the trailers of requests on. Traefik does not (it announces them and then sends none), so neither do we
    /// unless told to.
    pub request_trailers: bool,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            canonical_names: true,
            max_head_bytes: 10 << 20,
            max_headers: 4096,
            response_header_timeout: None,
            expect_continue_timeout: Duration::from_secs(1),
            request_trailers: false,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallFailure {
    /// A kept connection was found closed, or was closed before any byte of an answer came. The server may or may not
    /// have seen the request.
    #[error("the server closed a kept connection: {0}")]
    Stale(io::Error),
    /// The request could not be written.
    #[error("the request could not be sent: {0}")]
    Send(io::Error),
    /// The connection closed or failed before the head of the answer was whole.
    #[error("the server closed the connection before its answer: {0}")]
    Wait(io::Error),
    /// What came was not an acceptable answer.
    #[error("malformed answer: {0}")]
    Malformed(&'static str),
    /// No head of an answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The body of the request broke off: the client's fault, not the server's.
    #[error("the body of the request broke off: {0}")]
    RequestBody(trafficcop_exchange::BodyError),
}

/// Why there is no answer, and the request if it can still be sent elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("{failure}")]
pub struct CallError {
    #[source]
    pub failure: CallFailure,
    /// The request as it was given, when nothing of its body was consumed.
    pub request: Option<Box<Request>>,
}

impl From<CallFailure> for Fault {
    fn from(failure: CallFailure) -> Self {
        let (side, stage) = match &failure {
            CallFailure::Stale(_) => (Side::Upstream, Stage::Stale),
            CallFailure::Send(_) => (Side::Upstream, Stage::Send),
            CallFailure::Wait(_) | CallFailure::Malformed(_) => (Side::Upstream, Stage::Wait),
            CallFailure::Timeout => (Side::Upstream, Stage::Timeout),
            CallFailure::RequestBody(_) => (Side::Client, Stage::Send),
        };
        Self::new(side, stage, failure)
    }
}

/// A connection to a server on which no request is open. It holds no buffer.
#[derive(Debug)]
pub struct Connection<Io> {
    io: Io,
    calls: u64,
}

impl<Io: AsyncRead + AsyncWrite + Unpin + 'static> Connection<Io> {
    pub fn new(io: Io) -> Self {
        Self { io, calls: 0 }
    }

    /// How many requests it has carried.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// The transport beneath.
    pub fn io(&self) -> &Io {
        &self.io
    }

    /// Whether it can carry a request as far as anybody knows: nothing was closed, nothing came unasked. Never waits.
    pub fn is_usable(&mut self) -> bool {
        self.poll_unusable(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    /// Ready when the server has closed the connection, or sent something unasked: for whoever watches idle ones.
    pub fn poll_unusable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut byte = [0];
        Pin::new(&mut self.io).poll_read(cx, &mut ReadBuf::new(&mut byte)).map(|_| ())
    }

    /// Sends the request and waits for the head of the answer. 1xx answers go to `interim`. `home` gets the connection
    /// back when the answer's body has been read to its end (perhaps before this returns) and it can be kept; else the
    /// connection is closed and `home` dropped uncalled.
    pub fn call<'a>(
        self,
        request: impl Into<Box<Request>>,
        options: &'a CallOptions,
        interim: &'a Interim,
        home: impl FnOnce(Self) + 'static,
    ) -> impl Future<Output = Result<Response, CallError>> + 'a {
        // In a box from the start: futures that wrap this one stay small, and the body of the answer takes it over.
        let mut open = Box::new(OpenCall::new(self, request.into(), options));
        async move {
            match open.head(options, interim).await {
                Ok(head) => open.response(head, home).map_err(|failure| CallError { failure, request: None }),
                Err(failure) => Err(CallError { failure, request: open.untouched() }),
            }
        }
    }
}
