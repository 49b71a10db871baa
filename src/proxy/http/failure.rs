//! [`Failure`]: why a server gave no answer, and which answer the client gets instead.
//!
//! The statuses are those of Go's error classes, since that is what Traefik's users know: what the network did is 502,
//! what a deadline did is 504, what we could not make sense of (a certificate, a status line) is 500.

use std::io;

use trafficcop_exchange::{
    BodyError, BoxError, Exchange, Fault, Reason, Request, Response, Side, Stage, StatusCode, reply,
};
use trafficcop_h1::{CallError, CallFailure};

use super::attempt;

/// See the module.
#[derive(Debug)]
pub(crate) struct Failure {
    side: Side,
    stage: Stage,
    reason: Reason,
    status: StatusCode,
    source: BoxError,
    /// The request, when it can still be sent elsewhere.
    request: Option<Box<Request>>,
    /// Nothing of the request has left us.
    is_unsent: bool,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the name of the server cannot be resolved: {0}")]
    Resolve(io::Error),
    #[error("no connection: {0}")]
    Connect(io::Error),
    #[error("no connection in time")]
    Timeout,
    #[error("TLS handshake: {0}")]
    Handshake(io::Error),
    #[error("TLS handshake not finished in time")]
    HandshakeTimeout,
    #[error("the proxy on the way refused: {0}")]
    Proxy(String),
    #[error("{0}")]
    Unusable(&'static str),
}

impl Failure {
    fn new(stage: Stage, reason: Reason, status: StatusCode, source: impl Into<BoxError>) -> Self {
        Self { side: Side::Upstream, stage, reason, status, source: source.into(), request: None, is_unsent: false }
    }

    /// What came is not HTTP, or not an answer to what was asked.
    pub(crate) fn bad_response(source: impl Into<BoxError>) -> Self {
        Self::new(Stage::Wait, Reason::BadResponse, StatusCode::INTERNAL_SERVER_ERROR, source)
    }

    /// The connection ended before the answer.
    pub(crate) fn closed(source: impl Into<BoxError>) -> Self {
        Self::new(Stage::Wait, Reason::ServerClosed, StatusCode::BAD_GATEWAY, source)
    }

    /// The connection turned out to be closed before anything was sent.
    pub(crate) fn unsent(source: impl Into<BoxError>, request: Box<Request>) -> Self {
        let failure = Self::new(Stage::Stale, Reason::ServerClosed, StatusCode::BAD_GATEWAY, source);
        Self { request: Some(request), is_unsent: true, ..failure }
    }

    /// The server's host is gone; the request, if it may be sent elsewhere.
    pub(crate) fn gone(request: Option<Box<Request>>) -> Self {
        let failure = Self::closed("the server was taken out and gives no sign of life");
        Self { request, reason: Reason::ContainerStopping, ..failure }
    }

    /// No answer in time.
    pub(crate) fn late() -> Self {
        Self::new(Stage::Timeout, Reason::ResponseTimeout, StatusCode::GATEWAY_TIMEOUT, "no answer in time")
    }

    /// The request itself cannot be written down.
    pub(crate) fn unsendable(source: impl Into<BoxError>) -> Self {
        let failure = Self::new(Stage::Send, Reason::Unsendable, StatusCode::INTERNAL_SERVER_ERROR, source);
        Self { side: Side::Proxy, ..failure }
    }

    /// The client's body broke off.
    pub(crate) fn request_body(error: BodyError) -> Self {
        let (reason, status) = match &error {
            BodyError::Incomplete => (Reason::ClientClosed, client_closed()),
            BodyError::Timeout => (Reason::BodyTimeout, StatusCode::GATEWAY_TIMEOUT),
            BodyError::TooLarge(_) => (Reason::RequestTooLarge, StatusCode::PAYLOAD_TOO_LARGE),
            BodyError::Malformed(_) | BodyError::Other(_) => (Reason::BadBody, StatusCode::INTERNAL_SERVER_ERROR),
        };
        Self { side: Side::Client, ..Self::new(Stage::Send, reason, status, error) }
    }

    /// The client gets an answer in place of the server's, and the exchange learns why.
    pub(crate) fn answer(self, cx: &mut Exchange) -> Response {
        tracing::debug!(reason = self.reason.code(), status = self.status.as_u16(), error = %self.source, "No answer from the server.");
        cx.fault = Some(Fault::new(self.side, self.stage, self.source));
        cx.reason = Some(self.reason);
        reply::status_text(self.status)
    }

    /// Whether the connection was a kept one and turned out to be closed: a new one may help.
    pub(crate) fn is_stale(&self) -> bool {
        self.stage == Stage::Stale
    }

    /// The request, if the connection was closed without any answer and sending it twice harms nobody.
    pub(crate) fn take_repeatable(&mut self) -> Option<Box<Request>> {
        let is_closed = matches!(self.reason, Reason::ServerClosed | Reason::ContainerStopping);
        let request = self.request.take().filter(|_| is_closed)?;
        (self.is_unsent || attempt::may_repeat(&request)).then_some(request)
    }
}

/// 499, which is no standard status.
fn client_closed() -> StatusCode {
    StatusCode::from_u16(499).expect("499 is within the range of statuses")
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let (reason, status) = match &error {
            ConnectError::Timeout | ConnectError::HandshakeTimeout => {
                (Reason::ConnectTimeout, StatusCode::GATEWAY_TIMEOUT)
            }
            ConnectError::Connect(source) if source.kind() == io::ErrorKind::ConnectionRefused => {
                (Reason::ConnectRefused, StatusCode::BAD_GATEWAY)
            }
            ConnectError::Connect(source) if source.kind() == io::ErrorKind::TimedOut => {
                (Reason::ConnectTimeout, StatusCode::GATEWAY_TIMEOUT)
            }
            ConnectError::Handshake(source) if is_ours(source) => {
                tracing::error!(error = %source, "The server's TLS is not acceptable.");
                (Reason::ConnectFailed, StatusCode::INTERNAL_SERVER_ERROR)
            }
            ConnectError::Connect(_) | ConnectError::Resolve(_) | ConnectError::Handshake(_) => {
                (Reason::ConnectFailed, StatusCode::BAD_GATEWAY)
            }
            ConnectError::Proxy(_) | ConnectError::Unusable(_) => {
                (Reason::ConnectFailed, StatusCode::INTERNAL_SERVER_ERROR)
            }
        };
        Self::new(Stage::Connect, reason, status, error)
    }
}

/// Whether it was we who broke the handshake off: the server's certificate or its first record was not acceptable.
fn is_ours(error: &io::Error) -> bool {
    let tls = error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>());
    tls.is_some_and(|error| !matches!(error, rustls::Error::AlertReceived(_)))
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let request = error.request;
        let failure = match error.failure {
            CallFailure::Stale(source) => {
                Self::new(Stage::Stale, Reason::ServerClosed, StatusCode::BAD_GATEWAY, source)
            }
            CallFailure::Send(source) => Self::new(Stage::Send, Reason::ServerClosed, StatusCode::BAD_GATEWAY, source),
            CallFailure::Wait(source) => Self::closed(source),
            CallFailure::Malformed(problem) => Self::bad_response(problem),
            CallFailure::Timeout => Self::late(),
            CallFailure::RequestBody(error) => Self::request_body(error),
        };
        Self { request, ..failure }
    }
}
