//! [`Watch`]: follows one exchange to its end, on behalf of the observer.
//!
//! What must hold: the record is told exactly once, whether the answer is read to its end, breaks off, or the client
//! goes away before there is one.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use trafficcop_exchange::{
    Body, BodyError, BodyStream, Duplex, Exchange, Frame, Reason, Request, Response, StatusCode,
};
use trafficcop_observe::{Outcome, Record};

/// Nginx's code for a client that went away.
const CLIENT_CLOSED: u16 = 499;

/// An exchange and whoever wants to hear of its end.
pub(crate) struct Watch {
    pub(crate) exchange: Exchange,
    record: Option<Box<dyn Record>>,
    status: Option<StatusCode>,
    /// Counted where there is a body and somebody who wants to know.
    bytes_in: Option<Rc<Cell<u64>>>,
    bytes_out: u64,
    complete: bool,
}

impl Watch {
    pub(crate) fn new(exchange: Exchange) -> Self {
        Self { exchange, record: None, status: None, bytes_in: None, bytes_out: 0, complete: false }
    }

    /// Has the end told to `record`, and the request's body counted.
    pub(crate) fn report_to(&mut self, record: Option<Box<dyn Record>>, request: &mut Request) {
        self.record = record;
        if self.record.is_none() || matches!(request.body, Body::Empty) {
            return;
        }
        let body = std::mem::take(&mut request.body);
        request.body = Body::stream(Counted { body, count: Rc::clone(self.bytes_in.get_or_insert_default()) });
    }

    /// Goes along with the answer. Costs nothing when nobody listens.
    pub(crate) fn follow(mut self, mut response: Response, is_head: bool) -> Response {
        let Some(record) = &mut self.record else { return response };
        record.answered(&response);
        self.status = Some(response.status);
        if let Some(upgrade) = response.upgrade.take() {
            response.upgrade = Some(Box::new(WatchedDuplex { inner: upgrade, watch: self }));
        } else if let Body::Stream(_) = response.body {
            let body = std::mem::take(&mut response.body);
            response.body = Body::stream(WatchedBody { body, watch: self });
        } else {
            self.bytes_out = if is_head { 0 } else { response.body.remaining().unwrap_or(0) };
            self.complete = true;
        }
        response
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(record) = self.record.take() else { return };
        if self.status.is_none() {
            self.exchange.reason.get_or_insert(Reason::ClientClosed);
        }
        let gone = StatusCode::from_u16(CLIENT_CLOSED).unwrap_or(StatusCode::BAD_REQUEST);
        let outcome = Outcome {
            status: self.status.unwrap_or(gone),
            bytes_in: self.bytes_in.as_ref().map_or(0, |count| count.get()),
            bytes_out: self.bytes_out,
            duration: self.exchange.started.elapsed(),
            complete: self.complete,
        };
        record.finished(&mut self.exchange, &outcome);
    }
}

struct Counted {
    body: Body,
    count: Rc<Cell<u64>>,
}

impl BodyStream for Counted {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let polled = self.body.poll_frame(cx);
        if let Poll::Ready(Some(Ok(Frame::Data(data)))) = &polled {
            self.count.set(self.count.get() + data.len() as u64);
        }
        polled
    }

    fn remaining(&self) -> Option<u64> {
        self.body.remaining()
    }
}

struct WatchedBody {
    body: Body,
    watch: Watch,
}

impl BodyStream for WatchedBody {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let polled = self.body.poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(Frame::Data(data)))) => {
                self.watch.bytes_out += data.len() as u64;
                // An engine that knows the length does not ask again after the last byte.
                self.watch.complete |= self.body.remaining() == Some(0);
            }
            Poll::Ready(Some(Ok(Frame::Trailers(trailers)))) => {
                self.watch.complete = true;
                if let Some(record) = &mut self.watch.record {
                    record.trailers(trailers);
                }
            }
            Poll::Ready(None) => self.watch.complete = true,
            _ => {}
        }
        polled
    }

    fn remaining(&self) -> Option<u64> {
        self.body.remaining()
    }
}

struct WatchedDuplex {
    inner: Box<dyn Duplex>,
    watch: Watch,
}

impl AsyncRead for WatchedDuplex {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        let read = buffer.filled().len() - before;
        self.watch.bytes_out += read as u64;
        self.watch.complete |= read == 0 && matches!(polled, Poll::Ready(Ok(())));
        polled
    }
}

impl AsyncWrite for WatchedDuplex {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            let count = self.watch.bytes_in.get_or_insert_default();
            count.set(count.get() + written as u64);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
