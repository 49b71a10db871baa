//! Bodies between `exchange` and hyper.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame as HttpFrame, SizeHint};
use tokio::sync::oneshot;
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame};

use super::h2::{Stay, from_map, to_map};

/// Where the error of a request's body is kept, since hyper tells only that there was one.
#[derive(Clone, Default)]
pub(super) struct Broken(Rc<RefCell<Option<BodyError>>>);

impl Broken {
    pub(super) fn take(&self) -> Option<BodyError> {
        self.0.borrow_mut().take()
    }
}

/// The body of a request, as hyper reads it.
pub(super) struct Outgoing {
    body: Body,
    /// Dropped when there is no more to send.
    sent: Option<oneshot::Sender<()>>,
    broken: Broken,
}

impl Outgoing {
    pub(super) fn new(body: Body, sent: oneshot::Sender<()>, broken: Broken) -> Self {
        let sent = (!body.is_empty()).then_some(sent);
        Self { body, sent, broken }
    }

    pub(super) fn into_body(self) -> Body {
        self.body
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, std::io::Error>>> {
        let frame = match ready!(self.body.poll_frame(cx)) {
            Some(Ok(Frame::Data(data))) => return Poll::Ready(Some(Ok(HttpFrame::data(data)))),
            Some(Ok(Frame::Trailers(trailers))) => Some(Ok(HttpFrame::trailers(to_map(&trailers)))),
            Some(Err(error)) => {
                let message = error.to_string();
                *self.broken.0.borrow_mut() = Some(error);
                Some(Err(std::io::Error::other(message)))
            }
            None => None,
        };
        self.sent = None;
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.remaining().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The body of an answer, as hyper received it.
pub(super) struct Incoming {
    body: hyper::body::Incoming,
    _stay: Stay,
}

impl Incoming {
    pub(super) fn body(body: hyper::body::Incoming, stay: Stay) -> Body {
        if body.is_end_stream() { Body::Empty } else { Body::stream(Self { body, _stay: stay }) }
    }
}

impl BodyStream for Incoming {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        loop {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else { return Poll::Ready(None) };
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) if error.is_incomplete_message() || error.is_canceled() => {
                    return Poll::Ready(Some(Err(BodyError::Incomplete)));
                }
                Err(error) => return Poll::Ready(Some(Err(BodyError::Other(error.into())))),
            };
            match frame.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Poll::Ready(Some(Ok(Frame::Data(data)))),
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        return Poll::Ready(Some(Ok(Frame::Trailers(from_map(&trailers)))));
                    }
                }
            }
        }
    }

    fn remaining(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }
}
