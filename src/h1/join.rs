//! Two byte streams joined both ways, as after a 101.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::buffers;

/// One direction. Holds no buffer while it waits for data.
#[derive(Debug, Default)]
pub(crate) struct Way {
    piece: Bytes,
    /// `piece` waits, and is no slice of the worker's buffer any more.
    detached: bool,
    unflushed: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// The source has ended; the other side is to be told.
    Ended,
    Closed,
}

impl Way {
    /// Begins with bytes that were read already.
    pub(crate) fn new(piece: Bytes) -> Self {
        Self { piece, ..Self::default() }
    }

    /// Moves bytes until there are none; ready when the source has ended and the sink was told.
    pub(crate) fn poll<A, B>(&mut self, from: &mut A, to: &mut B, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        A: AsyncRead + Unpin + ?Sized,
        B: AsyncWrite + Unpin + ?Sized,
    {
        loop {
            while !self.piece.is_empty() {
                match Pin::new(&mut *to).poll_write(cx, &self.piece) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(len)) => self.piece.advance(len),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {
                        if !self.detached {
                            self.piece = buffers::detach(std::mem::take(&mut self.piece));
                            self.detached = true;
                        }
                        return Poll::Pending;
                    }
                }
                self.unflushed = true;
            }
            match self.state {
                State::Open => match buffers::poll_read(&mut &mut *from, cx) {
                    Poll::Ready(piece) => {
                        (self.piece, self.detached) = (piece?, false);
                        if self.piece.is_empty() {
                            self.state = State::Ended;
                        }
                    }
                    Poll::Pending => {
                        if self.unflushed {
                            ready!(Pin::new(&mut *to).poll_flush(cx))?;
                            self.unflushed = false;
                        }
                        return Poll::Pending;
                    }
                },
                State::Ended => {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx))?;
                    self.state = State::Closed;
                }
                State::Closed => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// Both directions. Ready when both have ended, or one has failed.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) forth: Way,
    pub(crate) back: Way,
}

impl Join {
    pub(crate) fn poll<A, B>(&mut self, a: &mut A, b: &mut B, cx: &mut Context<'_>) -> Poll<io::Result<()>>
    where
        A: AsyncRead + AsyncWrite + Unpin + ?Sized,
        B: AsyncRead + AsyncWrite + Unpin + ?Sized,
    {
        let forth = self.forth.poll(a, b, cx)?;
        let back = self.back.poll(b, a, cx)?;
        if forth.is_ready() && back.is_ready() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}
