//! Answers as Go's JSON encoder and error helper write them.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Response, reply};

/// Up to this many bytes Go knows the length of an answer before it sends it; longer ones go out in chunks.
const KNOWN_LENGTH: usize = 2048;

/// 200 with JSON and a newline.
pub(crate) fn json(value: &Value) -> Response {
    let mut text = value.to_string();
    text.push('\n');
    let mut response = Response::new(StatusCode::OK);
    response.headers.append("Content-Type", "application/json");
    response.body = body(Bytes::from(text));
    response
}

/// The object, or 404.
pub(crate) fn one(object: Option<Value>, kind: &str, name: &str) -> Response {
    object.map_or_else(|| error(StatusCode::NOT_FOUND, &format!("{kind} not found: {name}")), |object| json(&object))
}

/// `{"message": …}`, labelled as plain text as Traefik does.
pub(crate) fn error(status: StatusCode, message: &str) -> Response {
    reply::error(status, &json!({ "message": message }).to_string())
}

pub(crate) fn body(bytes: Bytes) -> Body {
    if bytes.len() <= KNOWN_LENGTH {
        return Body::from(bytes);
    }
    let pieces = bytes.chunks(32 << 10).map(|piece| bytes.slice_ref(piece)).collect();
    Body::stream(Pieces(pieces))
}

/// Ready bytes whose length is not announced.
struct Pieces(VecDeque<Bytes>);

impl BodyStream for Pieces {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::Data(piece))))
    }
}
