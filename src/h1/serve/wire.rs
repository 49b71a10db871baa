//! [`Wire`]: a client's connection, shared between the driver and the body of the request at hand.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use trafficcop_exchange::{BodyError, BodyStream, Frame, Interim, StatusCode};

use crate::buffers;
use crate::compose;
use crate::inbound::Inbound;
use crate::outbox::{Outbox, poll_flush};

pub(super) struct Wire<Io> {
    pub(super) io: Io,
    pub(super) inbound: Inbound,
    pub(super) out: Outbox,
    /// The client waits for `100 Continue` before it sends the body.
    pub(super) owes_continue: bool,
    /// `100 Continue` was said, by us or by a server.
    pub(super) said_continue: bool,
    /// The answer has begun: the outbox is its own.
    pub(super) answering: bool,
    /// The body did not come in time.
    pub(super) late: bool,
    /// Counts requests: a body that outlives its request must not read the next one's.
    pub(super) epoch: u64,
    /// Who waits for the body, when it waits.
    pub(super) reader: Option<Waker>,
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Wire<Io> {
    pub(super) fn new(io: Io, prefix: Bytes) -> Self {
        Self {
            io,
            inbound: Inbound::new(prefix),
            out: Outbox::default(),
            owes_continue: false,
            said_continue: false,
            answering: false,
            late: false,
            epoch: 0,
            reader: None,
        }
    }

    /// Says that the body is wanted, once.
    fn invite(&mut self) {
        if std::mem::take(&mut self.owes_continue) && !self.answering {
            self.said_continue = true;
            self.out.small().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        if self.late {
            return Poll::Ready(Some(Err(self.inbound.fail(BodyError::Timeout))));
        }
        self.invite();
        if !self.out.is_empty() && !self.answering {
            match poll_flush(&mut self.out, &mut self.io, cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Some(Err(self.inbound.fail(BodyError::Incomplete)))),
                Poll::Pending => {
                    self.wait(cx);
                    return Poll::Pending;
                }
            }
        }
        let frame = self.inbound.poll_frame(&mut self.io, cx);
        if frame.is_pending() {
            self.wait(cx);
        }
        frame
    }

    /// Puts waiting 1xx answers into the outbox.
    pub(super) fn push_interim(&mut self, interim: &Interim) {
        if interim.is_empty() {
            return;
        }
        for (status, headers) in interim.take() {
            if status == StatusCode::CONTINUE {
                self.owes_continue = false;
                if std::mem::replace(&mut self.said_continue, true) {
                    continue;
                }
            }
            compose::interim_head(self.out.small(), status, &headers, true);
        }
    }

    /// Whether the client has closed. What it sends ahead of time is kept, and nothing more is read then.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.inbound.is_over() || !self.inbound.ahead.is_empty() {
            return false;
        }
        match buffers::poll_read(&mut self.io, cx) {
            Poll::Ready(Ok(piece)) if !piece.is_empty() => {
                self.inbound.ahead = buffers::detach(piece);
                false
            }
            Poll::Ready(_) => true,
            Poll::Pending => false,
        }
    }

    /// Whoever still holds the request's body has had its time. Says whether nothing of it, or behind it, is left.
    pub(super) fn end_request(&mut self) -> bool {
        self.epoch += 1;
        self.reader = None;
        self.inbound.is_over() && !self.inbound.has_failed() && self.inbound.ahead.is_empty()
    }

    fn wait(&mut self, cx: &mut Context<'_>) {
        match &mut self.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            None => self.reader = Some(cx.waker().clone()),
        }
    }
}

/// The body of a request, read as it is asked for.
pub(super) struct RequestBody<Io> {
    wire: Rc<RefCell<Wire<Io>>>,
    epoch: u64,
}

impl<Io> RequestBody<Io> {
    pub(super) fn new(wire: &Rc<RefCell<Wire<Io>>>) -> Self {
        Self { wire: wire.clone(), epoch: wire.borrow().epoch }
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> BodyStream for RequestBody<Io> {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let mut wire = self.wire.borrow_mut();
        if wire.epoch != self.epoch {
            return Poll::Ready(Some(Err(BodyError::Incomplete)));
        }
        wire.poll_body(cx)
    }

    fn remaining(&self) -> Option<u64> {
        let wire = self.wire.borrow();
        if wire.epoch == self.epoch { wire.inbound.remaining() } else { None }
    }
}
