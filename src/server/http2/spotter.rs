//! [`Spotter`]: notices what the engine answers without asking us, so that refusals of HTTP/2 are told as those of HTTP/1 are.
//!
//! `h2` resets a stream whose head is malformed, and answers 431 to one that is too large, and says nothing about either.
//! Both show in what it writes: a reset, or an answer, of a stream that was never handed to us. Only the nine bytes in
//! front of each frame are looked at.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use trafficcop_exchange::{Reason, StatusCode};

/// Length, kind, flags and stream of a frame.
const HEAD: usize = 9;
/// The head and the code of a reset.
const RESET: usize = HEAD + 4;
const KIND_HEADERS: u8 = 1;
const KIND_RESET: u8 = 3;
/// What a malformed head is reset with.
const PROTOCOL_ERROR: u32 = 1;

/// The last stream that was handed to us. Streams are, in the order of their numbers, and what was refused never is.
pub(super) type Accepted = Rc<Cell<u32>>;

/// Passes bytes on and looks at the heads of frames that are written.
pub(super) struct Spotter<Io, F> {
    io: Io,
    accepted: Accepted,
    tell: F,
    head: [u8; RESET],
    have: usize,
    /// Of the frame at hand, what is still to be passed over.
    skip: usize,
}

impl<Io, F: FnMut(Reason, StatusCode)> Spotter<Io, F> {
    pub(super) fn new(io: Io, accepted: Accepted, tell: F) -> Self {
        Self { io, accepted, tell, head: [0; RESET], have: 0, skip: 0 }
    }

    fn wrote(&mut self, mut bytes: &[u8]) {
        loop {
            let passed = self.skip.min(bytes.len());
            self.skip -= passed;
            bytes = &bytes[passed..];
            if bytes.is_empty() {
                return;
            }
            let is_reset = self.have >= HEAD;
            let wanted = if is_reset { RESET } else { HEAD };
            let taken = (wanted - self.have).min(bytes.len());
            self.head[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
            self.have += taken;
            bytes = &bytes[taken..];
            if self.have < wanted {
                return;
            }
            let length = u32::from_be_bytes([0, self.head[0], self.head[1], self.head[2]]) as usize;
            if !is_reset && self.head[3] == KIND_RESET && length == RESET - HEAD {
                continue;
            }
            self.have = 0;
            self.skip = if is_reset { 0 } else { length };
            self.frame();
        }
    }

    fn frame(&mut self) {
        let number = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|offset| self.head[at + offset]));
        let stream = number(5);
        if stream <= self.accepted.get() {
            return;
        }
        match self.head[3] {
            KIND_RESET if number(HEAD) == PROTOCOL_ERROR => (self.tell)(Reason::BadHead, StatusCode::BAD_REQUEST),
            KIND_HEADERS => (self.tell)(Reason::HeadTooLarge, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            _ => {}
        }
    }
}

impl<Io: AsyncRead + Unpin, F: Unpin> AsyncRead for Spotter<Io, F> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<Io: AsyncWrite + Unpin, F: FnMut(Reason, StatusCode) + Unpin> AsyncWrite for Spotter<Io, F> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            self.wrote(&bytes[..written]);
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, parts);
        if let Poll::Ready(Ok(mut written)) = polled {
            for part in parts {
                let of_this = written.min(part.len());
                self.wrote(&part[..of_this]);
                written -= of_this;
            }
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn refusals_are_seen_however_the_bytes_are_cut() {
        let frame = |kind: u8, stream: u8, payload: &[u8]| {
            [&[0, 0, payload.len() as u8, kind, 0, 0, 0, 0, stream][..], payload].concat()
        };
        let written = [
            frame(4, 0, &[0; 12]),
            frame(KIND_HEADERS, 1, b"an answer"),
            frame(0, 1, &[KIND_RESET; 40]),
            frame(KIND_RESET, 1, &[0, 0, 0, 1]),
            frame(KIND_RESET, 3, &[0, 0, 0, 1]),
            frame(KIND_RESET, 5, &[0, 0, 0, 7]),
            frame(KIND_HEADERS, 7, b"431"),
        ]
        .concat();
        for cut in 1..=written.len() {
            let seen = RefCell::new(Vec::new());
            let tell = |reason: Reason, status: StatusCode| seen.borrow_mut().push((reason, status.as_u16()));
            let mut spotter = Spotter::new((), Rc::new(Cell::new(1)), tell);
            written.chunks(cut).for_each(|part| spotter.wrote(part));
            drop(spotter);
            assert_eq!(seen.into_inner(), [(Reason::BadHead, 400), (Reason::HeadTooLarge, 431)], "in parts of {cut}");
        }
    }
}
