//! [`Received`]: the body of a request.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::StatusCode;
use tokio::time::Sleep;
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame};

use super::heads;

/// What answers the request; shared with the body, which asks for itself where the client waits to be asked.
pub(super) type Respond = Rc<RefCell<SendResponse<Bytes>>>;

/// See the module.
pub(super) struct Received {
    stream: RecvStream,
    /// Of the announced length, what has not come yet.
    remaining: Option<u64>,
    data_ended: bool,
    deadline: Option<Pin<Box<Sleep>>>,
    /// The client waits for `100 Continue`, which it gets when somebody wants the body.
    continues: Option<Respond>,
}

impl Received {
    /// The whole of it must have come within `limit`.
    pub(super) fn body(
        stream: RecvStream,
        length: Option<u64>,
        limit: Option<Duration>,
        continues: Option<Respond>,
    ) -> Body {
        if stream.is_end_stream() {
            return Body::Empty;
        }
        let deadline = limit.map(|limit| Box::pin(tokio::time::sleep(limit)));
        Body::stream(Self { stream, remaining: length, data_ended: false, deadline, continues })
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if !self.data_ended {
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(data)) => {
                    // It is taken out here, so the client may send as much again.
                    let _the_stream_has_ended = self.stream.flow_control().release_capacity(data.len());
                    self.remaining = self.remaining.map(|left| left.saturating_sub(data.len() as u64));
                    return Poll::Ready(Some(Ok(Frame::Data(data))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(broken(error)))),
                None => self.data_ended = true,
            }
        }
        Poll::Ready(match ready!(self.stream.poll_trailers(cx)) {
            Ok(trailers) => trailers.map(|trailers| Ok(Frame::Trailers(heads::lines(&trailers)))),
            Err(error) => Some(Err(broken(error))),
        })
    }
}

impl BodyStream for Received {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if let Some(respond) = self.continues.take() {
            let mut go_on = http::Response::new(());
            *go_on.status_mut() = StatusCode::CONTINUE;
            let _answered_already = respond.borrow_mut().send_informational(go_on);
        }
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

fn broken(error: h2::Error) -> BodyError {
    if error.is_reset() || error.is_io() || error.is_go_away() {
        return BodyError::Incomplete;
    }
    BodyError::Other(error.into())
}
