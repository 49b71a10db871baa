//! [`OpenCall`]: a request on its way out, until the head of its answer has come.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until};
use trafficcop_exchange::{Body, Interim, Method, Request, StatusCode};

use super::{CallFailure, CallOptions, Connection};
use crate::buffers;
use crate::compose;
use crate::framing::Framing;
use crate::head::{Limits, ResponseHead, has_continue, parse_response};
use crate::inbound::Inbound;
use crate::outbox::{Encoder, Outbox, Unsent, poll_flush};

pub(super) struct OpenCall<Io> {
    pub(super) connection: Connection<Io>,
    pub(super) request: Box<Request>,
    pub(super) out: Outbox,
    pub(super) encoder: Encoder,
    pub(super) inbound: Inbound,
    /// Something of a streamed body was taken.
    touched: bool,
    /// Some byte of an answer has come.
    heard: bool,
    /// Bytes of 1xx heads so far.
    interim: usize,
    /// The body waits for `100 Continue`.
    is_held: bool,
    /// The request could not be written; an answer may come all the same.
    unwritten: Option<io::Error>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<Io> OpenCall<Io> {
    /// The request was written, body and all.
    pub(super) fn is_sent(&self) -> bool {
        self.encoder.is_over() && self.out.is_empty() && self.unwritten.is_none()
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin + 'static> OpenCall<Io> {
    pub(super) fn new(mut connection: Connection<Io>, request: Box<Request>, options: &CallOptions) -> Self {
        connection.calls += 1;
        let framing = match request.body.remaining() {
            Some(length) => Framing::of_length(length),
            None => Framing::Chunked,
        };
        let mut out = Outbox::default();
        out.begin();
        compose::request_head(out.small(), &request, framing, options.canonical_names);
        let mut encoder = Encoder::new(framing, options.canonical_names, options.request_trailers);
        let is_held = framing != Framing::Empty && expects_continue(&request);
        match &request.body {
            Body::Empty => {
                let _ = encoder.put(None, &mut out);
            }
            Body::Full(data) if !is_held => put_whole(data, &mut encoder, &mut out),
            Body::Full(_) | Body::Stream(_) => {}
        }
        Self {
            connection,
            request,
            out,
            encoder,
            inbound: Inbound::new(Bytes::new()),
            touched: false,
            heard: false,
            interim: 0,
            is_held,
            unwritten: None,
            timer: None,
        }
    }

    /// The request as it was given, if nothing of its body is gone.
    pub(super) fn untouched(self) -> Option<Box<Request>> {
        (!self.touched).then_some(self.request)
    }

    /// Sends, and waits for the head of the final answer.
    pub(super) async fn head(&mut self, options: &CallOptions, interim: &Interim) -> Result<ResponseHead, CallFailure> {
        let limits = Limits { bytes: options.max_head_bytes, lines: options.max_headers };
        let mut ahead = BytesMut::new();
        poll_fn(|cx| {
            loop {
                self.poll_send(cx)?;
                let was_held = self.is_held;
                if let Poll::Ready(head) = self.poll_receive(cx, &mut ahead, limits, interim) {
                    return Poll::Ready(head);
                }
                if was_held && !self.is_held {
                    // A `100 Continue` has set the body free; else a deadline will.
                    self.put_full();
                    continue;
                }
                if self.is_held && self.out.is_empty() {
                    if self.poll_timer(cx, options.expect_continue_timeout).is_pending() {
                        return Poll::Pending;
                    }
                    self.release();
                    self.put_full();
                    continue;
                }
                if self.is_sent()
                    && let Some(period) = options.response_header_timeout
                    && self.poll_timer(cx, period).is_ready()
                {
                    return Poll::Ready(Err(CallFailure::Timeout));
                }
                return Poll::Pending;
            }
        })
        .await
    }

    fn release(&mut self) {
        self.is_held = false;
        self.timer = None;
    }

    fn put_full(&mut self) {
        if let Body::Full(data) = &self.request.body {
            put_whole(data, &mut self.encoder, &mut self.out);
        }
    }

    /// Writes as much as can be written. Only a broken request body is an error here.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<(), CallFailure> {
        let io = &mut self.connection.io;
        while self.unwritten.is_none() {
            let mut waits = self.is_held || !matches!(self.request.body, Body::Stream(_));
            while !waits && !self.encoder.is_over() && self.out.has_room() {
                let Poll::Ready(frame) = self.request.body.poll_frame(cx) else {
                    waits = true;
                    break;
                };
                self.touched = true;
                self.encoder.put(frame, &mut self.out).map_err(|unsent| match unsent {
                    Unsent::Body(error) => CallFailure::RequestBody(error),
                    Unsent::Length => CallFailure::RequestBody(trafficcop_exchange::BodyError::Incomplete),
                })?;
            }
            let is_last = waits || self.encoder.is_over();
            let written = if is_last { poll_flush(&mut self.out, io, cx) } else { self.out.poll_write(io, cx) };
            match written {
                Poll::Ready(Ok(())) if is_last => break,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => self.unwritten = Some(error),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        ahead: &mut BytesMut,
        limits: Limits,
        interim: &Interim,
    ) -> Poll<Result<ResponseHead, CallFailure>> {
        loop {
            let piece = match buffers::poll_read(&mut self.connection.io, cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(piece)) if !piece.is_empty() => piece,
                // To Go, half a head is a broken answer and not a missing one: users know it as another status.
                Poll::Ready(Ok(_)) if !ahead.is_empty() => {
                    return Poll::Ready(Err(CallFailure::Malformed("the head of the answer broke off")));
                }
                Poll::Ready(Ok(_)) => {
                    return Poll::Ready(Err(self.cut_off(io::ErrorKind::UnexpectedEof.into())));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.cut_off(error))),
            };
            self.heard = true;
            let mut piece = if ahead.is_empty() {
                piece
            } else {
                // In several pieces; the end of a head is a line feed, without one there is nothing new to see.
                let has_line = memchr::memchr(b'\n', &piece).is_some();
                ahead.extend_from_slice(&piece);
                if !has_line && ahead.len() <= limits.bytes {
                    continue;
                }
                ahead.split().freeze()
            };
            loop {
                match parse_response(&piece, &self.request.method, limits) {
                    Err(fault) => return Poll::Ready(Err(CallFailure::Malformed(fault))),
                    Ok(None) => break,
                    Ok(Some(head)) => {
                        piece.advance(head.len);
                        if !head.status.is_informational() || head.status == StatusCode::SWITCHING_PROTOCOLS {
                            self.inbound.ahead = piece;
                            return Poll::Ready(Ok(head));
                        }
                        self.interim += head.len;
                        if self.interim > limits.bytes {
                            return Poll::Ready(Err(CallFailure::Malformed("too many interim answers")));
                        }
                        if head.status == StatusCode::CONTINUE && self.is_held {
                            self.release();
                        }
                        interim.send(head.status, head.headers);
                    }
                }
            }
            ahead.extend_from_slice(&piece);
        }
    }

    /// The connection ended before an answer: what that says depends on what was before.
    fn cut_off(&mut self, error: io::Error) -> CallFailure {
        match self.unwritten.take() {
            _ if !self.heard && self.connection.calls > 1 => CallFailure::Stale(error),
            Some(error) if !self.heard => CallFailure::Send(error),
            _ => CallFailure::Wait(error),
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, period: std::time::Duration) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + period)));
        timer.as_mut().poll(cx)
    }
}

fn put_whole(data: &Bytes, encoder: &mut Encoder, out: &mut Outbox) {
    // Announced with its own length, it cannot fail.
    let _ = encoder.put(Some(Ok(trafficcop_exchange::Frame::Data(data.clone()))), out);
    let _ = encoder.put(None, out);
}

fn expects_continue(request: &Request) -> bool {
    request.method != Method::CONNECT && request.headers.get("expect").is_some_and(has_continue)
}
