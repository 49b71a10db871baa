//! An answer.

use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Body, Headers};

/// Both directions of a byte stream that has left HTTP.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

/// An answer. Framing headers (`Content-Length` aside, `Transfer-Encoding`, `Connection`) are the sending engine's.
pub struct Response {
    pub status: StatusCode,
    /// The reason phrase a server sent; engines use the standard one when it is None.
    pub phrase: Option<Bytes>,
    pub headers: Headers,
    pub body: Body,
    /// With status 101 (or 2xx to an extended CONNECT): the other end, to be joined with the client's byte stream.
    pub upgrade: Option<Box<dyn Duplex>>,
}

impl Response {
    pub fn new(status: StatusCode) -> Self {
        Self { status, phrase: None, headers: Headers::new(), body: Body::Empty, upgrade: None }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &self.body)
            .field("upgrade", &self.upgrade.is_some())
            .finish_non_exhaustive()
    }
}
