//! [`Outbox`]: what is on its way out of one connection, and [`Encoder`]: the framing of a body that goes through it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use trafficcop_exchange::{BodyError, Frame};

use crate::framing::Framing;
use crate::{buffers, chunked, compose};

/// Small things are gathered so that one write carries them; one large piece goes out uncopied behind them.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    small: Vec<u8>,
    large: Bytes,
    /// The line end that closes a large chunk.
    tail: &'static [u8],
    sent: usize,
    /// See [`Outbox::begin`].
    steps_back: bool,
}

/// Data up to here are copied beside the head rather than written from where they are.
const COPIED: usize = 4096;
/// No more is gathered past this.
const FULL: usize = 32 * 1024;
/// A large piece that must wait is copied if that frees a slab of the worker.
const STUCK: usize = 64 * 1024;

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.small.is_empty() && self.large.is_empty()
    }

    /// A message begins. Its first write lets everything else on this worker that is ready go first: reads are done
    /// one after another, then writes are. On a busy worker this saves a seventh of the kernel's time, since the other
    /// ends are woken once for many messages and not once for each; an idle worker comes back at once.
    pub(crate) fn begin(&mut self) {
        self.steps_back = true;
    }

    /// More may be put in before it is written.
    pub(crate) fn has_room(&self) -> bool {
        self.large.is_empty() && self.small.len() < FULL
    }

    /// Where heads are composed. Only while there is room.
    pub(crate) fn small(&mut self) -> &mut Vec<u8> {
        debug_assert!(self.large.is_empty());
        if self.small.capacity() == 0 {
            self.small = buffers::scratch();
        }
        &mut self.small
    }

    fn push(&mut self, data: Bytes, tail: &'static [u8]) {
        if data.len() <= COPIED {
            let small = self.small();
            small.extend_from_slice(&data);
            small.extend_from_slice(tail);
        } else {
            self.large = data;
            self.tail = tail;
        }
    }

    /// Forgets what was not written.
    pub(crate) fn clear(&mut self) {
        buffers::give_back(std::mem::take(&mut self.small));
        *self = Self::default();
    }

    /// Writes everything. Ready and empty, or an error.
    pub(crate) fn poll_write<Io: AsyncWrite + Unpin>(
        &mut self,
        io: &mut Io,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_empty() && std::mem::take(&mut self.steps_back) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        while !self.is_empty() {
            let written = if self.large.is_empty() {
                Pin::new(&mut *io).poll_write(cx, &self.small[self.sent..])
            } else {
                self.poll_write_vectored(io, cx)
            };
            match written {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(len)) => self.sent += len,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.settle_down();
                    return Poll::Pending;
                }
            }
            if self.sent == self.small.len() + self.large.len() + self.tail.len() {
                self.clear();
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored<Io: AsyncWrite + Unpin>(
        &self,
        io: &mut Io,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let slices = self.unsent();
        if io.is_write_vectored() {
            return Pin::new(io).poll_write_vectored(cx, &slices.map(IoSlice::new));
        }
        let first = slices.into_iter().find(|slice| !slice.is_empty()).unwrap_or_default();
        Pin::new(io).poll_write(cx, first)
    }

    fn unsent(&self) -> [&[u8]; 3] {
        let mut skip = self.sent;
        [&self.small[..], &self.large[..], self.tail].map(|part| {
            let skipped = skip.min(part.len());
            skip -= skipped;
            &part[skipped..]
        })
    }

    /// The peer is slow: what waits for it shall not keep the worker's buffer.
    fn settle_down(&mut self) {
        let rest = self.unsent().iter().map(|part| part.len()).sum::<usize>();
        if !self.large.is_empty() && rest <= STUCK {
            let rest = self.unsent().concat();
            self.clear();
            self.small = rest;
        }
    }
}

/// Why a body could not be sent.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// Its source broke off.
    Body(BodyError),
    /// It is longer or shorter than was announced.
    Length,
}

/// Puts a body into an outbox, framed.
#[derive(Debug)]
pub(crate) struct Encoder {
    framing: Framing,
    left: u64,
    over: bool,
    canonical: bool,
    trailers: bool,
}

impl Encoder {
    /// `trailers`: whether trailers are passed on.
    pub(crate) fn new(framing: Framing, canonical: bool, trailers: bool) -> Self {
        let left = if let Framing::Length(length) = framing { length } else { 0 };
        Self { framing, left, over: false, canonical, trailers }
    }

    /// The end of the body is in the outbox.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Puts in what the body yielded.
    pub(crate) fn put(&mut self, frame: Option<Result<Frame, BodyError>>, out: &mut Outbox) -> Result<(), Unsent> {
        match frame {
            Some(Ok(Frame::Data(data))) => self.data(data, out),
            Some(Ok(Frame::Trailers(lines))) => self.end(Some(&lines).filter(|_| self.trailers), out),
            None => self.end(None, out),
            Some(Err(error)) => Err(Unsent::Body(error)),
        }
    }

    fn data(&mut self, data: Bytes, out: &mut Outbox) -> Result<(), Unsent> {
        if data.is_empty() {
            return Ok(());
        }
        match self.framing {
            Framing::Empty => return Err(Unsent::Length),
            Framing::Length(_) => {
                self.left = self.left.checked_sub(data.len() as u64).ok_or(Unsent::Length)?;
                out.push(data, b"");
            }
            Framing::Chunked => {
                chunked::push_size(out.small(), data.len());
                out.push(data, b"\r\n");
            }
            Framing::UntilClose => out.push(data, b""),
        }
        Ok(())
    }

    fn end(&mut self, trailers: Option<&trafficcop_exchange::Headers>, out: &mut Outbox) -> Result<(), Unsent> {
        self.over = true;
        if self.left > 0 {
            return Err(Unsent::Length);
        }
        if self.framing == Framing::Chunked {
            compose::last_chunk(out.small(), trailers, self.canonical);
        }
        Ok(())
    }
}

/// Writes what is in the outbox and has the transport send it.
pub(crate) fn poll_flush<Io: AsyncWrite + Unpin>(
    out: &mut Outbox,
    io: &mut Io,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    ready!(out.poll_write(io, cx))?;
    Pin::new(io).poll_flush(cx)
}
