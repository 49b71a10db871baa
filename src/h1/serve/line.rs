//! [`Line`]: the driver of one client's connection, from head to head.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Duration, Instant, timeout};
use trafficcop_exchange::{Body, Frame, Interim, Method, Reason, Response, StatusCode};

use super::answer::Asked;
use super::partial::Partial;
use super::wire::{RequestBody, Wire};
use super::{End, Handler, ServeOptions};
use crate::alarm::Alarm;
use crate::buffers;
use crate::compose::{self, Answering};
use crate::drain::{Drain, Seat};
use crate::framing::Framing;
use crate::head::{Limits, RequestHead, parse_request};
use crate::outbox::poll_flush;
use crate::refusal::Refusal;

/// What is read of a body that nobody wanted, to keep the connection.
pub(super) const UNWANTED: u64 = 256 * 1024;
/// How long a connection lingers so that the client can read the last answer.
const LINGER: Duration = Duration::from_millis(500);

pub(super) struct Line<'a, Io> {
    pub(super) wire: Rc<RefCell<Wire<Io>>>,
    pub(super) options: &'a ServeOptions,
    drain: &'a Drain,
    seat: Seat,
    pub(super) alarm: Alarm,
    pub(super) interim: Interim,
    requests: u64,
    /// No request has come yet.
    is_fresh: bool,
    /// The last request was a POST.
    was_post: bool,
    since: Instant,
    /// Until when the request must have come.
    read_by: Option<Instant>,
    /// Until when the answer must have been written.
    pub(super) write_by: Option<Instant>,
}

enum Next {
    Head(Box<RequestHead>),
    Refused(Refusal),
    End(End),
}

impl<'a, Io: AsyncRead + AsyncWrite + Unpin + 'static> Line<'a, Io> {
    pub(super) fn new(io: Io, prefix: Bytes, options: &'a ServeOptions, drain: &'a Drain) -> Self {
        let since = Instant::now();
        Self {
            wire: Rc::new(RefCell::new(Wire::new(io, prefix))),
            options,
            drain,
            seat: drain.seat(),
            alarm: Alarm::new([options.read_timeout, options.write_timeout, options.idle_timeout]),
            interim: Interim::default(),
            requests: 0,
            is_fresh: true,
            was_post: false,
            since,
            read_by: options.read_timeout.map(|period| since + period),
            write_by: None,
        }
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// Serves requests until the connection ends.
    pub(super) async fn run<H: Handler>(&mut self, handler: &H) -> io::Result<End> {
        loop {
            let head = match self.next_head().await {
                Ok(Next::Head(head)) => head,
                Ok(Next::Refused(refusal)) => {
                    handler.refused(refusal.reason(), refusal.status(), None);
                    self.push_refusal(refusal);
                    self.flush().await?;
                    Box::pin(self.linger()).await;
                    return Ok(End::Refused);
                }
                Ok(Next::End(end)) => {
                    Box::pin(self.shut_down()).await;
                    return Ok(end);
                }
                Err(_) if !self.is_fresh => return Ok(End::Closed),
                Err(error) => return Err(error),
            };
            if let Some(end) = self.exchange(head, handler).await? {
                return Ok(end);
            }
        }
    }

    /// One request and its answer. `None`: the connection goes on.
    async fn exchange<H: Handler>(&mut self, mut head: Box<RequestHead>, handler: &H) -> io::Result<Option<End>> {
        let asked = Asked::of(&head);
        self.write_by = self.options.write_timeout.map(|period| Instant::now() + period);
        self.begin(&mut head);
        self.is_fresh = false;
        self.was_post = head.request.method == Method::POST;
        let mut response = if head.expects_nonsense || head.is_opaque {
            self.ready_answer(&head, handler)
        } else {
            self.requests += 1;
            self.interim.take();
            // Boxed so that a connection that waits for a request does not carry the room for its handling.
            let call = Box::pin(handler.call(head.request, self.interim.clone()));
            match self.attend(call, asked.is_10).await {
                Ok(response) => response,
                Err(End::Gone) => {
                    Box::pin(self.say_goodbye()).await;
                    return Ok(Some(End::Gone));
                }
                Err(end) => return Ok(Some(end)),
            }
        };
        if let Some(end) = self.answer(&asked, &mut response).await {
            return Ok(Some(end));
        }
        Ok(self.settle().await)
    }

    fn push_refusal(&self, refusal: Refusal) {
        let mut wire = self.wire.borrow_mut();
        let out = wire.out.small();
        let answer = refusal.answer().as_bytes();
        match answer.windows(4).position(|end| end == b"\r\n\r\n") {
            Some(end) if self.options.shows_reasons => {
                out.extend_from_slice(&answer[..end]);
                out.extend_from_slice(format!("\r\n{}: {}", Reason::HEADER, refusal.reason().code()).as_bytes());
                out.extend_from_slice(&answer[end..]);
            }
            _ => out.extend_from_slice(answer),
        }
    }

    /// What the engine answers itself: expectations that nobody can meet, targets that lead nowhere.
    fn ready_answer<H: Handler>(&self, head: &RequestHead, handler: &H) -> Response {
        let (reason, status) = if head.expects_nonsense {
            (Reason::Expectation, StatusCode::EXPECTATION_FAILED)
        } else {
            (Reason::BadTarget, StatusCode::BAD_REQUEST)
        };
        handler.refused(reason, status, Some(&head.request));
        let mut response = Response::new(status);
        if head.expects_nonsense {
            response.headers.append("Connection", "close");
        }
        if self.options.shows_reasons {
            response.headers.append(Reason::HEADER, reason.code());
        }
        response
    }

    /// The next request's head. Until its first byte has come, nothing of the worker's is held.
    async fn next_head(&mut self) -> io::Result<Next> {
        let limits = Limits { bytes: self.options.max_head_bytes, lines: self.options.max_headers };
        let idle_by = match self.options.idle_timeout.or(self.options.read_timeout) {
            Some(period) if !self.is_fresh => Some(Instant::now() + period),
            _ => None,
        };
        let mut partial = Partial::default();
        partial.add(std::mem::take(&mut self.wire.borrow_mut().inbound.ahead));
        if !self.is_fresh {
            self.read_by = None;
        }
        poll_fn(|cx| {
            let mut wire = self.wire.borrow_mut();
            loop {
                if self.was_post {
                    partial.skip_line_ends();
                }
                if partial.is_worth_a_look(self.is_fresh) {
                    match parse_request(partial.bytes(), limits) {
                        Ok(Some(head)) => {
                            wire.inbound.ahead = partial.take_rest(head.len);
                            return Poll::Ready(Ok(Next::Head(head)));
                        }
                        Ok(None) => {}
                        Err(refusal) => return Poll::Ready(Ok(Next::Refused(refusal))),
                    }
                }
                if partial.bytes().len() > limits.bytes.saturating_add(4096) {
                    return Poll::Ready(Ok(Next::Refused(Refusal::TooLarge)));
                }
                match buffers::poll_read(&mut wire.io, cx) {
                    Poll::Ready(Ok(piece)) if piece.is_empty() => {
                        let is_over = partial.is_nothing(self.is_fresh);
                        let end = if is_over { Next::End(End::Closed) } else { Next::Refused(Refusal::Malformed) };
                        return Poll::Ready(Ok(end));
                    }
                    Poll::Ready(piece) => partial.add(piece?),
                    Poll::Pending => break,
                }
            }
            drop(wire);
            partial.detach();
            let waits = partial.bytes().is_empty();
            if waits && self.seat.poll_started(cx) {
                return Poll::Ready(Ok(Next::End(End::Drained)));
            }
            if !waits && !self.is_fresh && self.read_by.is_none() {
                self.read_by = self.options.read_timeout.map(|period| Instant::now() + period);
            }
            let is_idle = waits && !self.is_fresh;
            if self.alarm.poll(cx, if is_idle { idle_by } else { self.read_by }) {
                return Poll::Ready(Ok(Next::End(if is_idle { End::Idle } else { End::ReadTimeout })));
            }
            Poll::Pending
        })
        .await
    }

    /// Sets up the body.
    fn begin(&mut self, head: &mut RequestHead) {
        let RequestHead { request, framing, expects_continue, .. } = head;
        let (framing, expects_continue) = (*framing, *expects_continue);
        let mut wire = self.wire.borrow_mut();
        wire.answering = false;
        wire.late = false;
        wire.owes_continue = expects_continue;
        wire.said_continue = false;
        request.body = match framing {
            Framing::Empty => Body::Empty,
            Framing::Length(len) if !expects_continue && len <= wire.inbound.ahead.len() as u64 => {
                Body::Full(wire.inbound.ahead.split_to(len as usize))
            }
            _ => {
                wire.inbound.begin(framing);
                drop(wire);
                if self.read_by.is_none() {
                    self.read_by = self.options.read_timeout.map(|period| Instant::now() + period);
                }
                Body::stream(RequestBody::new(&self.wire))
            }
        };
    }

    /// Runs the handler, passes interim answers on, and notices when the client goes away.
    async fn attend(
        &mut self,
        mut call: Pin<Box<impl Future<Output = Response>>>,
        is_10: bool,
    ) -> Result<Response, End> {
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(response) = call.as_mut().poll(cx) {
                    return Poll::Ready(Ok(response));
                }
                let mut wire = self.wire.borrow_mut();
                if is_10 {
                    // HTTP/1.0 knows no interim answers.
                    self.interim.take();
                } else {
                    wire.push_interim(&self.interim);
                }
                let Wire { out, io, .. } = &mut *wire;
                if !out.is_empty() && matches!(poll_flush(out, io, cx), Poll::Ready(Err(_))) {
                    return Poll::Ready(Err(End::Gone));
                }
                if wire.poll_gone(cx) {
                    return Poll::Ready(Err(End::Gone));
                }
                if self.alarm.poll(cx, self.write_by) {
                    return Poll::Ready(Err(End::WriteTimeout));
                }
                drop(wire);
                if !self.poll_late(cx) {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// Whether the request's body has just missed its deadline. Whoever reads it shall learn that from the body: it is
    /// worth polling again.
    pub(super) fn poll_late(&mut self, cx: &mut Context<'_>) -> bool {
        let mut wire = self.wire.borrow_mut();
        if wire.inbound.is_over() || wire.late || !self.alarm.poll(cx, self.read_by) {
            return false;
        }
        wire.late = true;
        if let Some(reader) = wire.reader.take() {
            reader.wake();
        }
        true
    }

    /// A client that has only closed its own direction gets to know what that did, as Traefik tells it.
    async fn say_goodbye(&mut self) {
        let mut response = Response::new(StatusCode::from_u16(499).expect("499 is a status"));
        response.body = Body::Full(Bytes::from_static(b"Client Closed Request"));
        {
            let mut wire = self.wire.borrow_mut();
            wire.out.clear();
            let framing = Framing::Length(21);
            let answering = Answering { is_10: false, is_head: false, closes: false, framing, canonical: true };
            compose::response_head(wire.out.small(), &response, answering);
            wire.out.small().extend_from_slice(b"Client Closed Request");
        }
        // Most clients that went away went altogether; then this fails, and nobody minds.
        let _ = timeout(LINGER, self.flush()).await;
    }

    /// After an answer: takes what is left of the request's body out of the way. Says how the connection ends, if it
    /// does.
    async fn settle(&mut self) -> Option<End> {
        let mut budget = UNWANTED;
        let is_clean = poll_fn(|cx| {
            loop {
                let mut wire = self.wire.borrow_mut();
                let Wire { inbound, io, .. } = &mut *wire;
                if inbound.is_over() {
                    return Poll::Ready(!inbound.has_failed());
                }
                match inbound.poll_frame(io, cx) {
                    Poll::Ready(Some(Ok(Frame::Data(data)))) => match budget.checked_sub(data.len() as u64) {
                        Some(left) => budget = left,
                        None => return Poll::Ready(false),
                    },
                    Poll::Ready(Some(Ok(Frame::Trailers(_))) | None) => {}
                    Poll::Ready(Some(Err(_))) => return Poll::Ready(false),
                    Poll::Pending => {
                        return if self.alarm.poll(cx, self.read_by) { Poll::Ready(false) } else { Poll::Pending };
                    }
                }
            }
        })
        .await;
        if is_clean {
            return None;
        }
        Box::pin(self.linger()).await;
        Some(End::LastAnswer)
    }

    /// The worker drains, or a limit of the entry point is reached.
    pub(super) fn is_last(&self) -> bool {
        let ServeOptions { keep_alive_max_requests: requests, keep_alive_max_time: time, .. } = *self.options;
        self.drain.is_started()
            || (requests > 0 && self.requests >= requests)
            || (time > Duration::ZERO && self.since.elapsed() > time)
    }

    async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| {
            let mut wire = self.wire.borrow_mut();
            let Wire { out, io, .. } = &mut *wire;
            if let Poll::Ready(flushed) = poll_flush(out, io, cx) {
                return Poll::Ready(flushed);
            }
            drop(wire);
            if self.alarm.poll(cx, self.write_by.or(self.read_by)) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            Poll::Pending
        })
        .await
    }

    /// Ends our direction. Errors do not matter any more.
    pub(super) async fn shut_down(&mut self) {
        let shut = poll_fn(|cx| Pin::new(&mut self.wire.borrow_mut().io).poll_shutdown(cx));
        let _ = timeout(LINGER, shut).await;
    }

    /// Ends our direction and reads on for a moment: a close with unread bytes would reset the connection, and the
    /// client could lose the answer.
    pub(super) async fn linger(&mut self) {
        let read_on = async {
            let mut budget = UNWANTED;
            poll_fn(|cx| {
                loop {
                    match ready!(buffers::poll_read(&mut self.wire.borrow_mut().io, cx)) {
                        Ok(piece) if !piece.is_empty() && piece.len() as u64 <= budget => {
                            budget -= piece.len() as u64;
                        }
                        _ => return Poll::Ready(()),
                    }
                }
            })
            .await;
        };
        let shut = poll_fn(|cx| Pin::new(&mut self.wire.borrow_mut().io).poll_shutdown(cx));
        let _ = timeout(LINGER, async {
            if shut.await.is_ok() {
                read_on.await;
            }
        })
        .await;
    }
}
