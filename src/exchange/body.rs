//! Bodies: none, ready bytes, or a stream.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};

use crate::{BoxError, Headers};

/// A piece of a body.
#[derive(Debug)]
pub enum Frame {
    Data(Bytes),
    /// Always the last one.
    Trailers(Headers),
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The peer closed or reset the connection before the announced end.
    #[error("the peer closed the connection in the middle of the body")]
    Incomplete,
    /// The framing was broken (bad chunk and the like).
    #[error("malformed body: {0}")]
    Malformed(&'static str),
    /// No progress within the deadline.
    #[error("timed out while reading the body")]
    Timeout,
    /// Longer than a limit of ours.
    #[error("the body is larger than the limit of {0} bytes")]
    TooLarge(u64),
    #[error(transparent)]
    Other(BoxError),
}

/// What the engines and the transforming middlewares implement. Never polled again after an error or the end.
pub trait BodyStream {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>>;

    /// The number of bytes still to come, when it is known.
    fn remaining(&self) -> Option<u64> {
        None
    }
}

/// A body.
#[derive(Default)]
pub enum Body {
    #[default]
    Empty,
    /// All of it is here.
    Full(Bytes),
    /// It comes in pieces.
    Stream(Box<dyn BodyStream>),
}

impl Body {
    pub fn stream(stream: impl BodyStream + 'static) -> Self {
        Self::Stream(Box::new(stream))
    }

    /// The number of bytes still to come, when it is known.
    pub fn remaining(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Full(bytes) => Some(bytes.len() as u64),
            Self::Stream(stream) => stream.remaining(),
        }
    }

    /// Nothing will come.
    pub fn is_empty(&self) -> bool {
        self.remaining() == Some(0) && !matches!(self, Self::Stream(_))
    }

    pub fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        match self {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready((!bytes.is_empty()).then_some(Ok(Frame::Data(bytes))))
            }
            Self::Stream(stream) => stream.poll_frame(cx),
        }
    }

    pub async fn frame(&mut self) -> Option<Result<Frame, BodyError>> {
        poll_fn(|cx| self.poll_frame(cx)).await
    }

    /// Reads all of it, at most `limit` bytes. Trailers are dropped.
    pub async fn collect(&mut self, limit: u64) -> Result<Bytes, BodyError> {
        if let Self::Full(bytes) = self {
            if bytes.len() as u64 > limit {
                return Err(BodyError::TooLarge(limit));
            }
            let bytes = std::mem::take(bytes);
            *self = Self::Empty;
            return Ok(bytes);
        }
        let mut whole = BytesMut::new();
        while let Some(frame) = self.frame().await {
            if let Frame::Data(data) = frame? {
                if (whole.len() + data.len()) as u64 > limit {
                    return Err(BodyError::TooLarge(limit));
                }
                whole.extend_from_slice(&data);
            }
        }
        Ok(whole.freeze())
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() { Self::Empty } else { Self::Full(bytes) }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Stream(stream) => write!(f, "Stream(remaining: {:?})", stream.remaining()),
        }
    }
}
