//! A body on its way through an encoder. What has been read is flushed as soon as the server pauses, so that nothing is
//! held back. Only a short answer of known length is waited for, a moment at most, so that its compressed form has a
//! length too.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use async_compression::Level;
use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZstdEncoder};
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Headers};

use super::Encoding;

/// Output is handed on from this size.
const PIECE: usize = 16 << 10;
/// Input that is taken in one go, so that one stream does not keep the worker.
const GO: usize = 256 << 10;

pub(super) struct Compressed {
    body: Body,
    encoder: Option<Encoder>,
    /// Something was written since the last flush.
    unflushed: bool,
    trailers: Option<Headers>,
}

enum Encoder {
    Gzip(GzipEncoder<Vec<u8>>),
    /// Boxed: its state is large.
    Brotli(Box<BrotliEncoder<Vec<u8>>>),
    Zstandard(ZstdEncoder<Vec<u8>>),
}

/// Compressed answers up to this size have a length, as Go's server knows it of answers that fit its buffer.
const KNOWN_LENGTH: usize = 2048;
/// Ready answers up to this size are compressed in one go.
const ONE_GO: usize = 64 << 10;

/// How long the rest of such an answer is waited for: as long as Traefik holds back what a server sends.
const MOMENT: Duration = Duration::from_millis(100);

/// Gathers an answer whose length is announced and small. What does not end within a moment stays a stream.
pub(super) async fn gather(mut body: Body, announced: Option<u64>) -> Body {
    if matches!(body, Body::Full(_)) || announced.or(body.remaining()).is_none_or(|length| length > ONE_GO as u64) {
        return body;
    }
    let mut frames = VecDeque::new();
    let mut size = 0;
    let whole = async {
        while let Some(frame) = poll_fn(|cx| body.poll_frame(cx)).await {
            size += if let Ok(Frame::Data(data)) = &frame { data.len() } else { 0 };
            let is_data = matches!(frame, Ok(Frame::Data(_)));
            frames.push_back(frame);
            if !is_data || size > ONE_GO {
                return false;
            }
        }
        true
    };
    if tokio::time::timeout(MOMENT, whole).await != Ok(true) {
        return Body::stream(Held { frames, rest: body });
    }
    let mut bytes = BytesMut::with_capacity(size);
    for frame in frames {
        if let Ok(Frame::Data(data)) = frame {
            bytes.extend_from_slice(&data);
        }
    }
    Body::Full(bytes.freeze())
}

/// What was gathered of a body, and the body.
struct Held {
    frames: VecDeque<Result<Frame, BodyError>>,
    rest: Body,
}

impl BodyStream for Held {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        match self.frames.pop_front() {
            Some(frame) => Poll::Ready(Some(frame)),
            None => self.rest.poll_frame(cx),
        }
    }
}

impl Compressed {
    /// The compressed form of a body.
    pub(super) fn body(body: Body, encoding: Encoding) -> Body {
        let Body::Full(bytes) = &body else { return Body::stream(Self::new(body, encoding)) };
        if bytes.len() > ONE_GO {
            return Body::stream(Self::new(body, encoding));
        }
        let mut whole = Self::new(Body::Empty, encoding);
        let done = whole.encoder.as_mut().map(|encoder| encoder.write(bytes).and_then(|()| encoder.finish()));
        let (Some(Ok(())), Some(mut encoder)) = (done, whole.encoder.take()) else {
            return Body::stream(Self::new(body, encoding));
        };
        let compressed = encoder.take();
        if compressed.len() <= KNOWN_LENGTH { Body::Full(compressed) } else { Body::stream(Ready(Some(compressed))) }
    }

    fn new(body: Body, encoding: Encoding) -> Self {
        // Brotli's own default (11) costs a hundred times what it gains in a proxy.
        let encoder = match encoding {
            Encoding::Gzip => Encoder::Gzip(GzipEncoder::new(Vec::new())),
            Encoding::Brotli => Encoder::Brotli(Box::new(BrotliEncoder::with_quality(Vec::new(), Level::Precise(5)))),
            Encoding::Zstandard => Encoder::Zstandard(ZstdEncoder::new(Vec::new())),
        };
        Self { body, encoder: Some(encoder), unflushed: false, trailers: None }
    }
}

impl BodyStream for Compressed {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let mut taken = 0;
        loop {
            let Some(encoder) = &mut self.encoder else {
                return Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::Trailers(trailers))));
            };
            match self.body.poll_frame(cx) {
                Poll::Ready(Some(Ok(Frame::Data(data)))) => {
                    encoder.write(&data)?;
                    self.unflushed = true;
                    taken += data.len();
                    if encoder.size() >= PIECE || taken >= GO {
                        if taken >= GO && encoder.size() == 0 {
                            cx.waker().wake_by_ref();
                            return Poll::Pending;
                        }
                        return Poll::Ready(Some(Ok(Frame::Data(encoder.take()))));
                    }
                }
                Poll::Ready(Some(Ok(Frame::Trailers(trailers)))) => self.trailers = Some(trailers),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => {
                    encoder.finish()?;
                    let last = encoder.take();
                    self.encoder = None;
                    if !last.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::Data(last))));
                    }
                }
                Poll::Pending if self.unflushed => {
                    encoder.flush()?;
                    self.unflushed = false;
                    let flushed = encoder.take();
                    if !flushed.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::Data(flushed))));
                    }
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// Compressed bytes whose length is not announced.
struct Ready(Option<Bytes>);

impl BodyStream for Ready {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::Data(bytes))))
    }
}

impl Encoder {
    fn output(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Zstandard(encoder) => encoder.get_mut(),
        }
    }

    fn size(&mut self) -> usize {
        self.output().len()
    }

    fn take(&mut self) -> Bytes {
        Bytes::from(std::mem::take(self.output()))
    }

    fn writer(&mut self) -> &mut (dyn AsyncWrite + Unpin) {
        match self {
            Self::Gzip(encoder) => encoder,
            Self::Brotli(encoder) => encoder,
            Self::Zstandard(encoder) => encoder,
        }
    }

    // Memory is always ready to be written to, so none of these ever waits.

    fn write(&mut self, data: &[u8]) -> Result<(), BodyError> {
        ready(self.writer().write_all(data).now_or_never())
    }

    fn flush(&mut self) -> Result<(), BodyError> {
        ready(self.writer().flush().now_or_never())
    }

    fn finish(&mut self) -> Result<(), BodyError> {
        ready(self.writer().shutdown().now_or_never())
    }
}

fn ready(done: Option<std::io::Result<()>>) -> Result<(), BodyError> {
    match done {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(BodyError::Other(error.into())),
        None => Err(BodyError::Malformed("the encoder waited for memory")),
    }
}
