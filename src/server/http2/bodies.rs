//! Bodies: hyper's ↔ ours, each with its deadline.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame as TheirFrame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame};

use super::{Stream, heads};

/// The body of a request.
pub(super) struct Received {
    incoming: Incoming,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Received {
    /// The whole of it must have come within `limit`.
    pub(super) fn body(incoming: Incoming, limit: Option<Duration>) -> Body {
        if incoming.is_end_stream() {
            return Body::Empty;
        }
        let deadline = limit.map(|limit| Box::pin(tokio::time::sleep(limit)));
        Body::stream(Self { incoming, deadline })
    }
}

impl BodyStream for Received {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if let Poll::Ready(polled) = Pin::new(&mut self.incoming).poll_frame(cx) {
            return Poll::Ready(polled.and_then(|frame| match frame {
                Ok(frame) => ours(frame).map(Ok),
                Err(error) if error.is_incomplete_message() => Some(Err(BodyError::Incomplete)),
                Err(error) => Some(Err(BodyError::Other(error.into()))),
            }));
        }
        match &mut self.deadline {
            Some(deadline) => deadline.as_mut().poll(cx).map(|()| Some(Err(BodyError::Timeout))),
            None => Poll::Pending,
        }
    }

    fn remaining(&self) -> Option<u64> {
        self.incoming.size_hint().exact()
    }
}

fn ours(frame: TheirFrame<Bytes>) -> Option<Frame> {
    match frame.into_data() {
        Ok(data) => Some(Frame::Data(data)),
        Err(frame) => frame.into_trailers().ok().map(|trailers| Frame::Trailers(heads::lines(&trailers))),
    }
}

/// The body of an answer; its stream counts as open until this is dropped.
pub(super) struct Sent {
    body: Body,
    deadline: Option<Pin<Box<Sleep>>>,
    _stream: Stream,
}

impl Sent {
    pub(super) fn new(body: Body, stream: Stream, deadline: Option<Instant>) -> Self {
        let deadline = deadline.map(|deadline| Box::pin(tokio::time::sleep_until(deadline)));
        Self { body, deadline, _stream: stream }
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<TheirFrame<Bytes>, BodyError>>> {
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Some(Err(BodyError::Timeout)));
        }
        let frame = ready!(self.body.poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| match frame {
                Frame::Data(data) => TheirFrame::data(data),
                Frame::Trailers(trailers) => TheirFrame::trailers(heads::header_map(&trailers)),
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.remaining().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
