//! [`Inbound`]: a body on its way in, on either side.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::AsyncRead;
use trafficcop_exchange::{BodyError, Frame};

use crate::buffers;
use crate::chunked::{Chunked, Step};
use crate::framing::Framing;

/// What was read ahead of its use, and where in a body we are.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) ahead: Bytes,
    decoder: Decoder,
    /// The body ended with an error: nothing behind it can be trusted.
    failed: bool,
}

#[derive(Debug)]
enum Decoder {
    Over,
    Length(u64),
    Chunked(Chunked),
    UntilClose,
}

impl Inbound {
    pub(crate) fn new(ahead: Bytes) -> Self {
        Self { ahead, decoder: Decoder::Over, failed: false }
    }

    /// Begins a body, whose first bytes may be in `ahead`.
    pub(crate) fn begin(&mut self, framing: Framing) {
        self.decoder = match framing {
            Framing::Empty => Decoder::Over,
            Framing::Length(length) => Decoder::Length(length),
            Framing::Chunked => Decoder::Chunked(Chunked::default()),
            Framing::UntilClose => Decoder::UntilClose,
        };
    }

    /// No body, or all of it has been taken.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.decoder, Decoder::Over)
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Bytes still to come, when that is known.
    pub(crate) fn remaining(&self) -> Option<u64> {
        match self.decoder {
            Decoder::Over => Some(0),
            Decoder::Length(left) => Some(left),
            Decoder::Chunked(_) | Decoder::UntilClose => None,
        }
    }

    /// Gives the body up with that error.
    pub(crate) fn fail(&mut self, error: BodyError) -> BodyError {
        self.decoder = Decoder::Over;
        self.failed = true;
        error
    }

    pub(crate) fn poll_frame<Io: AsyncRead + Unpin>(
        &mut self,
        io: &mut Io,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame, BodyError>>> {
        loop {
            match self.take() {
                Ok(Taken::Frame(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(Taken::End) => return Poll::Ready(None),
                Ok(Taken::More) => {}
                Err(fault) => return Poll::Ready(Some(Err(self.fail(BodyError::Malformed(fault))))),
            }
            match ready!(buffers::poll_read(io, cx)) {
                Ok(piece) if !piece.is_empty() => self.ahead = piece,
                Ok(_) if matches!(self.decoder, Decoder::UntilClose) => self.decoder = Decoder::Over,
                Ok(_) => return Poll::Ready(Some(Err(self.fail(BodyError::Incomplete)))),
                Err(error) => return Poll::Ready(Some(Err(self.fail(broken_off(error))))),
            }
        }
    }

    /// Takes from what is there.
    fn take(&mut self) -> Result<Taken, &'static str> {
        let data = match &mut self.decoder {
            Decoder::Over => return Ok(Taken::End),
            _ if self.ahead.is_empty() => return Ok(Taken::More),
            Decoder::Length(left) => {
                let len = usize::try_from(*left).map_or(self.ahead.len(), |left| left.min(self.ahead.len()));
                *left -= len as u64;
                if *left == 0 {
                    self.decoder = Decoder::Over;
                }
                self.ahead.split_to(len)
            }
            Decoder::UntilClose => std::mem::take(&mut self.ahead),
            Decoder::Chunked(chunked) => match chunked.decode(&mut self.ahead)? {
                Step::More => return Ok(Taken::More),
                Step::Data(data) => data,
                Step::End(trailers) => {
                    self.decoder = Decoder::Over;
                    return Ok(trailers.map_or(Taken::End, |lines| Taken::Frame(Frame::Trailers(lines))));
                }
            },
        };
        Ok(Taken::Frame(Frame::Data(data)))
    }
}

enum Taken {
    Frame(Frame),
    End,
    More,
}

fn broken_off(error: io::Error) -> BodyError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            BodyError::Incomplete
        }
        io::ErrorKind::TimedOut => BodyError::Timeout,
        _ => BodyError::Other(error.into()),
    }
}
