//! [`Received`]: the body of a request over HTTP/3.
//!
//! What must hold: a body is exactly as long as was announced, else it breaks off; h3 itself does not check.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use h3::server::RequestStream;
use tokio::time::Sleep;
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Method};

use crate::http2::heads;

/// How long a request that seldom has a body is waited for to show whether it has one.
const PROBE: Duration = Duration::from_millis(200);

pub(super) type Incoming = RequestStream<h3_quinn::RecvStream, Bytes>;

/// See the module.
struct Received {
    stream: Incoming,
    /// What came while it was found out whether there is a body.
    first: Option<Bytes>,
    /// Of the announced length, what has not come yet.
    remaining: Option<u64>,
    data_ended: bool,
    deadline: Option<Pin<Box<Sleep>>>,
}

/// The body that follows a head; all of it must have come within `limit`.
pub(super) async fn body(mut stream: Incoming, method: &Method, length: Option<u64>, limit: Option<Duration>) -> Body {
    let mut first = None;
    if length.is_none() && !matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
        match tokio::time::timeout(PROBE, stream.recv_data()).await {
            Ok(Ok(None)) => return Body::Empty,
            Ok(Ok(Some(mut data))) => first = Some(data.copy_to_bytes(data.remaining())),
            Ok(Err(_)) | Err(_) => {}
        }
    }
    let deadline = limit.map(|limit| Box::pin(tokio::time::sleep(limit)));
    Body::stream(Received { stream, first, remaining: length, data_ended: false, deadline })
}

impl Received {
    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::Data(first))));
        }
        if !self.data_ended {
            match ready!(self.stream.poll_recv_data(cx)) {
                Ok(Some(mut data)) => {
                    let data = data.copy_to_bytes(data.remaining());
                    if let Some(left) = self.remaining {
                        let Some(left) = left.checked_sub(data.len() as u64) else {
                            return Poll::Ready(Some(Err(BodyError::Incomplete)));
                        };
                        self.remaining = Some(left);
                    }
                    return Poll::Ready(Some(Ok(Frame::Data(data))));
                }
                Ok(None) if self.remaining.is_some_and(|left| left > 0) => {
                    return Poll::Ready(Some(Err(BodyError::Incomplete)));
                }
                Ok(None) => self.data_ended = true,
                Err(_) => return Poll::Ready(Some(Err(BodyError::Incomplete))),
            }
        }
        Poll::Ready(match ready!(self.stream.poll_recv_trailers(cx)) {
            Ok(trailers) => trailers.map(|trailers| Ok(Frame::Trailers(heads::lines(&trailers)))),
            Err(_) => Some(Err(BodyError::Incomplete)),
        })
    }
}

impl BodyStream for Received {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if let Poll::Ready(polled) = self.poll_stream(cx) {
            return Poll::Ready(polled);
        }
        match &mut self.deadline {
            Some(deadline) => deadline.as_mut().poll(cx).map(|()| Some(Err(BodyError::Timeout))),
            None => Poll::Pending,
        }
    }

    fn remaining(&self) -> Option<u64> {
        self.remaining
    }
}
