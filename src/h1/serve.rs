//! The server side of one connection: read a request, have it answered, write the answer, again.

mod answer;
mod line;
mod partial;
#[cfg(test)]
mod tests;
mod wire;

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use trafficcop_exchange::{Interim, Reason, Request, Response, StatusCode};

use self::line::Line;
use crate::Drain;

/// Limits and deadlines of a client's connection. One for all connections of an entry point.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Request line and headers together, in bytes; 431 above it.
    pub max_head_bytes: usize,
    /// Header lines; 431 above it.
    pub max_headers: usize,
    /// From the first byte waited for to the end of the request's body (Go's `ReadTimeout`).
    pub read_timeout: Option<Duration>,
    /// From the end of the request's head to the end of the answer (Go's `WriteTimeout`).
    pub write_timeout: Option<Duration>,
    /// How long a kept connection may wait for its next request. None: as long as `read_timeout` says, as in Go.
    pub idle_timeout: Option<Duration>,
    /// After so many requests the answer says `Connection: close`; 0: no limit.
    pub keep_alive_max_requests: u64,
    /// After this time the next answer says `Connection: close`; zero: no limit.
    pub keep_alive_max_time: Duration,
    /// Whether refusals say their reason in a header.
    pub shows_reasons: bool,
}

impl Default for ServeOptions {
    /// What an entry point has when nothing is configured.
    fn default() -> Self {
        Self {
            max_head_bytes: 1 << 20,
            max_headers: 4096,
            read_timeout: Some(Duration::from_mins(1)),
            write_timeout: None,
            idle_timeout: Some(Duration::from_mins(3)),
            keep_alive_max_requests: 0,
            keep_alive_max_time: Duration::ZERO,
            shows_reasons: false,
        }
    }
}

/// What answers requests. Its futures stay on the worker and are dropped when the client goes away.
pub trait Handler {
    /// `interim` is where 1xx answers go that shall reach the client: put it into the exchange.
    fn call(&self, request: Request, interim: Interim) -> impl Future<Output = Response>;

    /// The engine turned a request away by itself. `request` is what was understood of it.
    fn refused(&self, _reason: Reason, _status: StatusCode, _request: Option<&Request>) {}
}

/// How a connection ended when nothing was wrong with the connection itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client closed while no request was open.
    Closed,
    /// The answer said so: `Connection: close`, HTTP/1.0, a limit, a body left unread.
    LastAnswer,
    /// No request came in time.
    Idle,
    /// The request did not come whole in time.
    ReadTimeout,
    /// The answer could not be written in time.
    WriteTimeout,
    /// The client went away while its request was worked on; the handler's future was dropped.
    Gone,
    /// The request was not HTTP, or broke a limit; the client was told so.
    Refused,
    /// The body of the answer broke off; the client sees the connection close early.
    Broken,
    /// The connection left HTTP, and both directions have ended.
    Upgraded,
    /// The worker drains.
    Drained,
}

/// What a connection did.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// Requests that reached the handler.
    pub requests: u64,
    pub end: End,
}

/// The connection itself failed.
#[derive(Debug, thiserror::Error)]
#[error("the connection failed after {requests} requests: {source}")]
pub struct ServeError {
    pub requests: u64,
    pub source: io::Error,
}

/// Serves one connection to its end. `prefix` is what was already read from it while finding out what it speaks.
pub async fn serve<Io, H>(
    io: Io,
    prefix: Bytes,
    options: &ServeOptions,
    drain: &Drain,
    handler: &H,
) -> Result<Served, ServeError>
where
    Io: AsyncRead + AsyncWrite + Unpin + 'static,
    H: Handler,
{
    let mut line = Line::new(io, prefix, options, drain);
    let end = line.run(handler).await;
    let requests = line.requests();
    match end {
        Ok(end) => Ok(Served { requests, end }),
        Err(source) => Err(ServeError { requests, source }),
    }
}
