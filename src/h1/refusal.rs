//! [`Refusal`]: what is said to a client whose request never reaches a handler, byte for byte as Go's `net/http` says it.

use trafficcop_exchange::{Reason, StatusCode};

/// Why a request head is turned away. The connection closes after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("malformed request")]
    Malformed,
    #[error("no Host header")]
    MissingHost,
    #[error("malformed Host header")]
    MalformedHost,
    /// A blank within a header's name.
    #[error("invalid header name")]
    HeaderName,
    /// Past the limit of bytes or lines.
    #[error("the head is too large")]
    TooLarge,
    #[error("unsupported transfer encoding")]
    TransferEncoding,
    #[error("unsupported protocol version")]
    Version,
}

macro_rules! answer {
    ($status:literal) => {
        answer!($status, $status)
    };
    ($status:literal, $body:literal) => {
        concat!("HTTP/1.1 ", $status, "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n", $body)
    };
}

impl Refusal {
    /// For logs and metrics.
    pub fn reason(self) -> Reason {
        match self {
            Self::Malformed => Reason::BadHead,
            Self::MissingHost => Reason::NoHost,
            Self::MalformedHost => Reason::BadHost,
            Self::HeaderName => Reason::HeaderName,
            Self::TooLarge => Reason::HeadTooLarge,
            Self::TransferEncoding => Reason::TransferEncoding,
            Self::Version => Reason::Version,
        }
    }

    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed | Self::MissingHost | Self::MalformedHost | Self::HeaderName => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TransferEncoding => StatusCode::NOT_IMPLEMENTED,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        }
    }

    /// The whole answer. It has no length: the close ends it.
    pub fn answer(self) -> &'static str {
        match self {
            Self::Malformed => answer!("400 Bad Request"),
            Self::MissingHost => answer!("400 Bad Request: missing required Host header"),
            Self::MalformedHost => answer!("400 Bad Request: malformed Host header"),
            Self::HeaderName => answer!("400 Bad Request: invalid header name"),
            Self::TooLarge => answer!("431 Request Header Fields Too Large"),
            Self::TransferEncoding => answer!("501 Not Implemented", "Unsupported transfer encoding"),
            Self::Version => answer!("505 HTTP Version Not Supported: unsupported protocol version"),
        }
    }
}
