//! A request, as everybody between the entry point and the server sees it.

use bytes::Bytes;
use http::{Method, Version};

use crate::{Body, Headers, Target};

/// A request. `Host` is not among the headers: it is [`Request::host`], and written by the engine that sends.
#[derive(Debug)]
pub struct Request {
    pub method: Method,
    pub target: Target,
    /// The Host header or `:authority`, as sent, port included; empty when there was none.
    pub host: Bytes,
    pub version: Version,
    pub headers: Headers,
    pub body: Body,
    /// Announced and received trailers arrive as the last frame of the body.
    /// The client asked to switch protocols (`Connection: upgrade`), and to which; `websocket` mostly.
    pub upgrade: Option<Bytes>,
}

impl Request {
    pub fn new(method: Method, target: Target) -> Self {
        Self {
            method,
            target,
            host: Bytes::new(),
            version: Version::HTTP_11,
            headers: Headers::new(),
            body: Body::Empty,
            upgrade: None,
        }
    }

    /// Host as text; what is not UTF-8 reads as empty.
    pub fn host_str(&self) -> &str {
        std::str::from_utf8(&self.host).unwrap_or("")
    }
}
