//! Answers in the form of Go's JSON encoder and HTTP server, byte for byte.

use std::task::{Context, Poll};

use bytes::Bytes;
use serde::Serialize;
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Response, StatusCode, reply};

/// Up to this many bytes Go's server tells the length beforehand; longer answers are chunked.
const BUFFERED: usize = 2048;
/// The largest piece of a chunked answer, in bytes.
const PIECE: usize = 32 << 10;

/// What to answer; made on any thread, turned into a response on the worker.
pub(crate) enum Answer {
    /// An object or a list; a list says which page comes next.
    Json {
        text: String,
        next_page: Option<usize>,
    },
    /// JSON without a newline at its end.
    Rendered(String),
    /// An error, as text that is JSON.
    Message(StatusCode, String),
    /// To be saved under a name.
    File {
        name: &'static str,
        content_type: &'static str,
        bytes: Vec<u8>,
    },
    Status(StatusCode),
    NotFound,
}

impl Answer {
    pub(crate) fn json(value: &impl Serialize) -> Self {
        Self::Json { text: encode(value), next_page: None }
    }

    pub(crate) fn into_response(self) -> Response {
        match self {
            Self::Json { mut text, next_page } => {
                text.push('\n');
                let mut response = with_type("application/json", text);
                if let Some(next_page) = next_page {
                    response.headers.append("X-Next-Page", next_page.to_string());
                }
                response
            }
            Self::Rendered(text) => with_type("application/json; charset=UTF-8", text),
            Self::Message(status, message) => reply::error(status, &encode(&serde_json::json!({ "message": message }))),
            Self::File { name, content_type, bytes } => {
                let mut response = reply::empty(StatusCode::OK);
                response.headers.append("Content-Type", content_type);
                response.headers.append("Content-Disposition", format!("attachment; filename={name}"));
                response.body = Body::Full(bytes.into());
                response
            }
            Self::Status(status) => reply::empty(status),
            Self::NotFound => reply::not_found(),
        }
    }
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
    response.body = if bytes.len() <= BUFFERED { Body::Full(bytes) } else { Body::stream(Chunked(bytes)) };
    response
}

/// A body that does not tell its length.
struct Chunked(Bytes);

impl BodyStream for Chunked {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let piece = self.0.split_to(self.0.len().min(PIECE));
        Poll::Ready((!piece.is_empty()).then_some(Ok(Frame::Data(piece))))
    }
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn markup_is_escaped_as_go_does_it() {
        assert_eq!(encode(&"Host(`a`) && <b>"), r#""Host(`a`) \u0026\u0026 \u003cb\u003e""#);
    }
}
