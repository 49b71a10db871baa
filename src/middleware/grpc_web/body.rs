//! Bodies of gRPC-Web: base64 for the text form, and trailers as a last frame of the body.

use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut as _, Bytes, BytesMut};
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Headers};

/// The flag of a frame that holds trailers.
const TRAILERS: u8 = 0x80;

/// A body as it is, but for its length: gRPC announces none. Shared with forwardAuth.
pub(crate) struct OfUnknownLength(pub(crate) Body);

impl BodyStream for OfUnknownLength {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        self.0.poll_frame(cx)
    }
}

/// A request's body out of base64. Groups of four may be padded in the middle: clients encode each message for itself.
pub(super) struct FromText {
    body: Body,
    /// Up to three characters that make no group yet.
    rest: Vec<u8>,
}

impl FromText {
    pub(super) fn new(body: Body) -> Self {
        Self { body, rest: Vec::new() }
    }

    fn decode(&mut self, data: &[u8]) -> Result<Bytes, BodyError> {
        self.rest.extend(data.iter().filter(|byte| !byte.is_ascii_whitespace()));
        let whole = self.rest.len() / 4 * 4;
        let mut decoded = BytesMut::with_capacity(whole / 4 * 3);
        for group in self.rest[..whole].chunks(4) {
            let bytes = STANDARD.decode(group).map_err(|_| BodyError::Malformed("the body is not base64"))?;
            decoded.extend_from_slice(&bytes);
        }
        self.rest.drain(..whole);
        Ok(decoded.freeze())
    }
}

impl BodyStream for FromText {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        loop {
            match self.body.poll_frame(cx) {
                Poll::Ready(Some(Ok(Frame::Data(data)))) => match self.decode(&data) {
                    Ok(decoded) if decoded.is_empty() => {}
                    decoded => return Poll::Ready(Some(decoded.map(Frame::Data))),
                },
                Poll::Ready(None) if !self.rest.is_empty() => {
                    self.rest.clear();
                    return Poll::Ready(Some(Err(BodyError::Malformed("the body ends within a group of base64"))));
                }
                other => return other,
            }
        }
    }
}

/// An answer's body with its trailers as the last frame, in base64 for the text form.
pub(super) struct ToWeb {
    body: Body,
    in_text: bool,
    /// Bytes that make no group of three yet.
    rest: BytesMut,
    trailers: Option<Headers>,
    is_ended: bool,
}

impl ToWeb {
    /// `trailers` are those that came in the head.
    pub(super) fn new(body: Body, in_text: bool, trailers: Option<Headers>) -> Self {
        Self { body, in_text, rest: BytesMut::new(), trailers, is_ended: false }
    }

    fn encode(&mut self, data: Bytes, last: bool) -> Bytes {
        if !self.in_text {
            return data;
        }
        self.rest.extend_from_slice(&data);
        let whole = if last { self.rest.len() } else { self.rest.len() / 3 * 3 };
        Bytes::from(STANDARD.encode(self.rest.split_to(whole)))
    }

    fn last(&mut self) -> Bytes {
        self.is_ended = true;
        let Some(trailers) = self.trailers.take() else { return self.encode(Bytes::new(), true) };
        let mut lines: Vec<String> = trailers
            .iter()
            .map(|(name, value)| format!("{}: {}\r\n", name.to_ascii_lowercase(), String::from_utf8_lossy(value)))
            .collect();
        lines.sort();
        let text = lines.concat();
        let mut frame = BytesMut::with_capacity(5 + text.len());
        frame.put_u8(TRAILERS);
        frame.put_u32(text.len() as u32);
        frame.extend_from_slice(text.as_bytes());
        self.encode(frame.freeze(), true)
    }
}

impl BodyStream for ToWeb {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        while !self.is_ended {
            let piece = match self.body.poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(Frame::Data(data)))) => self.encode(data, false),
                Poll::Ready(Some(Ok(Frame::Trailers(trailers)))) => {
                    self.trailers = Some(trailers);
                    continue;
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => self.last(),
            };
            if !piece.is_empty() {
                return Poll::Ready(Some(Ok(Frame::Data(piece))));
            }
        }
        Poll::Ready(None)
    }
}
