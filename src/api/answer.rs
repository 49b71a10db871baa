//! Answers in the form of Go's JSON encoder and HTTP server, byte for byte.

use std::task::{Context, Poll};

use bytes::Bytes;
use serde::Serialize;
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Response, StatusCode, reply};

/// Up to this many bytes Go's server tells the length beforehand; longer answers are chunked.
const BUFFERED: usize = 2048;

/// An object or a list.
pub(crate) fn json(value: &impl Serialize) -> Response {
    let mut text = encode(value);
    text.push('\n');
    with_type("application/json", text)
}

/// What was encoded before, without a newline at its end.
pub(crate) fn rendered(text: &str) -> Response {
    with_type("application/json; charset=UTF-8", text.to_owned())
}

/// An error, as text that is JSON.
pub(crate) fn message(status: StatusCode, message: &str) -> Response {
    reply::error(status, &encode(&serde_json::json!({ "message": message })))
}

/// JSON in which nothing can be taken for markup.
pub(crate) fn encode(value: &impl Serialize) -> String {
    let plain = serde_json::to_string(value).unwrap_or_default();
    if !plain.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return plain;
    }
    let mut text = String::with_capacity(plain.len() + 64);
    for letter in plain.chars() {
        match letter {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            other => text.push(other),
        }
    }
    text
}

fn with_type(content_type: &'static str, text: String) -> Response {
    let mut response = Response::new(StatusCode::OK);
    response.headers.append("Content-Type", content_type);
    let bytes = Bytes::from(text);
    response.body = if bytes.len() <= BUFFERED { Body::Full(bytes) } else { Body::stream(Chunked(Some(bytes))) };
    response
}

/// A body that does not tell its length.
struct Chunked(Option<Bytes>);

impl BodyStream for Chunked {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::Data(bytes))))
    }
}
