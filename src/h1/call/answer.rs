//! The answer: its body as it comes, the way home of the connection, or the byte stream after a 101.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Response, StatusCode};

use super::open::OpenCall;
use super::{CallFailure, Connection};
use crate::framing::Framing;
use crate::head::ResponseHead;

impl<Io: AsyncRead + AsyncWrite + Unpin + 'static> OpenCall<Io> {
    /// Makes the answer of a head.
    pub(super) fn response(
        mut self: Box<Self>,
        head: ResponseHead,
        home: impl FnOnce(Connection<Io>) + 'static,
    ) -> Result<Response, CallFailure> {
        let mut response = Response::new(head.status);
        response.headers = head.headers;
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            if self.request.upgrade.is_none() {
                return Err(CallFailure::Malformed("switches protocols unasked"));
            }
            let ahead = std::mem::take(&mut self.inbound.ahead);
            response.upgrade = Some(Box::new(Upgraded { ahead, io: self.connection.io }));
            return Ok(response);
        }
        match head.framing {
            Framing::Length(length) if length <= self.inbound.ahead.len() as u64 => {
                let data = self.inbound.ahead.split_to(length as usize);
                // Small, and perhaps held for long by somebody: no slice of the worker's buffer.
                response.body = Body::Full(crate::buffers::detach(data));
                go_home(*self, head.keeps_alive, home);
            }
            Framing::Empty => go_home(*self, head.keeps_alive, home),
            framing => {
                self.inbound.begin(framing);
                let (keeps_alive, home) = (head.keeps_alive, Some(home));
                response.body = Body::stream(ResponseBody { open: Some(self), keeps_alive, home });
            }
        }
        Ok(response)
    }
}

/// Keeps the connection if it can carry another request: all was sent, all was read, nothing came unasked.
fn go_home<Io>(open: OpenCall<Io>, keeps_alive: bool, home: impl FnOnce(Connection<Io>)) {
    if keeps_alive && open.is_sent() && open.inbound.is_over() && open.inbound.ahead.is_empty() {
        home(open.connection);
    }
}

/// The body of an answer. While it is read, what is left of the request's body is sent.
struct ResponseBody<Io, H> {
    open: Option<Box<OpenCall<Io>>>,
    keeps_alive: bool,
    home: Option<H>,
}

impl<Io, H> BodyStream for ResponseBody<Io, H>
where
    Io: AsyncRead + AsyncWrite + Unpin + 'static,
    H: FnOnce(Connection<Io>) + 'static,
{
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let Some(open) = &mut self.open else { return Poll::Ready(None) };
        if !open.is_sent() && open.poll_send(cx).is_err() {
            // The client's body broke off; what the server says may still be worth reading.
            self.keeps_alive = false;
        }
        let frame = open.inbound.poll_frame(&mut open.connection.io, cx);
        let is_over = match &frame {
            Poll::Ready(Some(Err(_))) => {
                self.open = None;
                false
            }
            Poll::Ready(_) => open.inbound.is_over(),
            Poll::Pending => false,
        };
        if is_over && let (Some(open), Some(home)) = (self.open.take(), self.home.take()) {
            go_home(*open, self.keeps_alive, home);
        }
        frame
    }

    fn remaining(&self) -> Option<u64> {
        self.open.as_ref().map_or(Some(0), |open| open.inbound.remaining())
    }
}

/// The server's end of a connection that has left HTTP.
struct Upgraded<Io> {
    /// What came behind the head of the 101.
    ahead: Bytes,
    io: Io,
}

impl<Io: AsyncRead + Unpin> AsyncRead for Upgraded<Io> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buf);
        }
        let len = self.ahead.len().min(buf.remaining());
        buf.put_slice(&self.ahead[..len]);
        self.ahead.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Upgraded<Io> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
