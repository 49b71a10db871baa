//! Answers: how one is framed, whether the connection survives it, and its way out.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite};
use trafficcop_exchange::{Body, Duplex, Headers, Method, Response, StatusCode, Version};

use super::End;
use super::line::{Line, UNWANTED};
use super::wire::Wire;
use crate::compose::{self, Answering, allows_body};
use crate::framing::{Framing, parse_length};
use crate::head::RequestHead;
use crate::join::{Join, Way};
use crate::outbox::{Encoder, Unsent, poll_flush};

/// What of a request its answer depends on.
#[derive(Debug)]
pub(super) struct Asked {
    is_head: bool,
    pub(super) is_10: bool,
    wants_close: bool,
    protocol: Option<bytes::Bytes>,
}

impl Asked {
    pub(super) fn of(head: &RequestHead) -> Self {
        Self {
            is_head: head.request.method == Method::HEAD,
            is_10: head.request.version == Version::HTTP_10,
            wants_close: head.wants_close,
            protocol: head.request.upgrade.clone(),
        }
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin + 'static> Line<'_, Io> {
    /// Writes the answer. Says how the connection ended, if it did.
    pub(super) async fn answer(&mut self, asked: &Asked, response: &mut Response) -> Option<End> {
        if response.status == StatusCode::SWITCHING_PROTOCOLS
            && let Some(other) = response.upgrade.take()
        {
            // Rare states are boxed, so that idle connections do not carry room for them.
            return Some(Box::pin(self.switch(asked, response, other)).await);
        }
        let mut body = std::mem::take(&mut response.body);
        let (framing, closes) = self.frame(asked, response, &body);
        let mut encoder = Encoder::new(framing, true, true);
        {
            let mut wire = self.wire.borrow_mut();
            wire.answering = true;
            wire.out.begin();
            if !asked.is_10 {
                wire.push_interim(&self.interim);
            }
            let Asked { is_head, is_10, .. } = *asked;
            let answering = Answering { is_10, is_head, closes, framing, canonical: true };
            compose::response_head(wire.out.small(), response, answering);
        }
        response.headers = Headers::new();
        if asked.is_head || (framing == Framing::Empty && !matches!(body, Body::Stream(_))) {
            body = Body::Empty;
            encoder = Encoder::new(Framing::Empty, true, false);
        }
        if let Some(end) = self.send(&mut body, &mut encoder).await {
            return Some(end);
        }
        drop(body);
        let is_clean = self.wire.borrow_mut().end_request();
        if !closes {
            return None;
        }
        if is_clean {
            Box::pin(self.shut_down()).await;
        } else {
            Box::pin(self.linger()).await;
        }
        Some(End::LastAnswer)
    }

    /// The framing of the answer, and whether the connection closes behind it: Go's rules.
    fn frame(&self, asked: &Asked, response: &Response, body: &Body) -> (Framing, bool) {
        let wire = self.wire.borrow();
        let mut closes = asked.wants_close
            || self.is_last()
            || wire.inbound.has_failed()
            || response.headers.get_all("connection").any(says_close);
        // A body that nobody will read: small ones are read after the answer, others end the connection. While somebody
        // holds it, it may yet be read beside the answer.
        if !wire.inbound.is_over() && Rc::strong_count(&self.wire) == 1 {
            closes |= wire.owes_continue || wire.inbound.remaining().is_some_and(|left| left > UNWANTED);
        }
        let framing = if !allows_body(response.status) {
            Framing::Empty
        } else if let Some(length) = body.remaining() {
            Framing::of_length(length)
        } else if let Some(length) = response.headers.get("content-length").and_then(parse_length) {
            Framing::of_length(length)
        } else if asked.is_10 {
            closes |= !asked.is_head;
            Framing::UntilClose
        } else {
            Framing::Chunked
        };
        (framing, closes)
    }

    /// Moves the body out, gathering what is small with the head. Says how the connection ended, if it did.
    async fn send(&mut self, body: &mut Body, encoder: &mut Encoder) -> Option<End> {
        let mut broken = None;
        poll_fn(|cx| {
            loop {
                let mut waits = false;
                while !encoder.is_over() && broken.is_none() && self.wire.borrow().out.has_room() {
                    let Poll::Ready(frame) = body.poll_frame(cx) else {
                        waits = true;
                        break;
                    };
                    match encoder.put(frame, &mut self.wire.borrow_mut().out) {
                        Ok(()) => {}
                        Err(Unsent::Body(_) | Unsent::Length) => broken = Some(End::Broken),
                    }
                }
                let mut wire = self.wire.borrow_mut();
                let Wire { out, io, .. } = &mut *wire;
                let is_last = encoder.is_over() || broken.is_some();
                let written = if waits || is_last { poll_flush(out, io, cx) } else { out.poll_write(io, cx) };
                match written {
                    Poll::Ready(Err(_)) => return Poll::Ready(Some(End::Gone)),
                    Poll::Ready(Ok(())) if is_last => return Poll::Ready(broken),
                    Poll::Ready(Ok(())) if !waits => continue,
                    _ => {}
                }
                if wire.poll_gone(cx) {
                    return Poll::Ready(Some(End::Gone));
                }
                drop(wire);
                if self.alarm.poll(cx, self.write_by) {
                    return Poll::Ready(Some(End::WriteTimeout));
                }
                if !self.poll_late(cx) {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// Leaves HTTP: the head of the 101, then bytes both ways until both have ended.
    async fn switch(&mut self, asked: &Asked, response: &Response, mut other: Box<dyn Duplex>) -> End {
        let mut join = {
            let mut wire = self.wire.borrow_mut();
            wire.epoch += 1;
            wire.answering = true;
            compose::switching_head(wire.out.small(), response, asked.protocol.as_deref(), true);
            let ahead = std::mem::take(&mut wire.inbound.ahead);
            Join { forth: Way::new(ahead), back: Way::default() }
        };
        let joined = poll_fn(|cx| {
            let mut wire = self.wire.borrow_mut();
            let Wire { out, io, .. } = &mut *wire;
            if !out.is_empty() {
                match poll_flush(out, io, cx) {
                    Poll::Ready(Ok(())) => {}
                    other => return other,
                }
            }
            join.poll(io, &mut *other, cx)
        })
        .await;
        if joined.is_ok() { End::Upgraded } else { End::Gone }
    }
}

fn says_close(value: &[u8]) -> bool {
    value.split(|byte| *byte == b',').any(|token| token.trim_ascii().eq_ignore_ascii_case(b"close"))
}
