//! Requests that may have to be sent more than once: their bodies kept, their heads copied.

use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::Version;
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Headers, Method, Request, Target};

/// What became of a body that was to be kept.
pub(crate) enum Kept {
    /// All of it.
    Whole(Bytes),
    /// It is longer than the limit: what was read and the rest, good for one use.
    Partly(Body),
}

impl Kept {
    /// The body for the first use.
    pub(crate) fn into_body(self) -> Body {
        match self {
            Self::Whole(bytes) => Body::from(bytes),
            Self::Partly(body) => body,
        }
    }
}

/// Reads a body to keep it, at most `limit` bytes.
pub(crate) async fn keep(body: &mut Body, limit: u64) -> Result<Kept, BodyError> {
    if body.remaining().is_some_and(|remaining| remaining > limit) {
        return Ok(Kept::Partly(std::mem::take(body)));
    }
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        match frame? {
            Frame::Data(data) if (whole.len() + data.len()) as u64 > limit => {
                let read = [whole.freeze(), data].into_iter().filter(|piece| !piece.is_empty()).collect();
                return Ok(Kept::Partly(Body::stream(Resumed { read, rest: std::mem::take(body) })));
            }
            Frame::Data(data) => whole.extend_from_slice(&data),
            // Trailers of a request that is sent again are lost, as they are in Traefik.
            Frame::Trailers(_) => {}
        }
    }
    Ok(Kept::Whole(whole.freeze()))
}

/// A body whose first frame was looked at.
pub(crate) fn resumed(first: Result<Frame, BodyError>, rest: Body) -> Body {
    match first {
        Ok(Frame::Data(data)) => Body::stream(Resumed { read: [data].into(), rest }),
        other => Body::stream(Looked { first: Some(other), rest }),
    }
}

/// A first frame that is no data, then the rest.
struct Looked {
    first: Option<Result<Frame, BodyError>>,
    rest: Body,
}

impl BodyStream for Looked {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => self.rest.poll_frame(cx),
        }
    }
}

/// Pieces already read, then the rest.
struct Resumed {
    read: std::collections::VecDeque<Bytes>,
    rest: Body,
}

impl BodyStream for Resumed {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        match self.read.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::Data(piece)))),
            None => self.rest.poll_frame(cx),
        }
    }

    fn remaining(&self) -> Option<u64> {
        let read: usize = self.read.iter().map(Bytes::len).sum();
        self.rest.remaining().map(|rest| rest + read as u64)
    }
}

/// The head of a request, from which it can be made again.
pub(crate) struct Copy {
    method: Method,
    target: Target,
    host: Bytes,
    version: Version,
    headers: Headers,
    upgrade: Option<Bytes>,
}

impl Copy {
    pub(crate) fn of(req: &Request) -> Self {
        Self {
            method: req.method.clone(),
            target: req.target.clone(),
            host: req.host.clone(),
            version: req.version,
            headers: req.headers.clone(),
            upgrade: req.upgrade.clone(),
        }
    }

    pub(crate) fn request(&self, body: Body) -> Request {
        Request {
            method: self.method.clone(),
            target: self.target.clone(),
            host: self.host.clone(),
            version: self.version,
            headers: self.headers.clone(),
            body,
            upgrade: self.upgrade.clone(),
        }
    }
}
