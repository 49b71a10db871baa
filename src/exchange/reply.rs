//! Ready answers, byte for byte what Traefik's users know.

use bytes::Bytes;
use http::StatusCode;

use crate::{Body, Response};

/// As Go's `http.Error`: the text and a newline, as plain text that must not be sniffed.
pub fn error(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(status);
    response.headers.append("Content-Type", "text/plain; charset=utf-8");
    response.headers.append("X-Content-Type-Options", "nosniff");
    response.body = Body::Full(Bytes::from(format!("{text}\n")));
    response
}

/// The status and, as the body, its standard text: no newline, no Content-Type.
pub fn status_text(status: StatusCode) -> Response {
    let mut response = Response::new(status);
    response.body = Body::Full(Bytes::from_static(text_of(status).as_bytes()));
    response
}

/// The status alone.
pub fn empty(status: StatusCode) -> Response {
    Response::new(status)
}

/// 404, as every proxy of the Go family says it.
pub fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "404 page not found")
}

/// Go's text of a status; 499 as Traefik has it.
pub fn text_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        499 => "Client Closed Request",
        413 => "Request Entity Too Large",
        416 => "Requested Range Not Satisfiable",
        418 => "I'm a teapot",
        _ => status.canonical_reason().unwrap_or(""),
    }
}
