//! Label values that come from requests, brought down to few.

use trafficcop_exchange::Request;

/// Longest value of a header that is shown, in bytes.
const LONGEST: usize = 256;

/// A known method; every other is `EXTENSION_METHOD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Method(pub(super) &'static str);

const METHODS: [&str; 9] = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"];

impl Method {
    pub(super) fn of(method: &trafficcop_exchange::Method) -> Self {
        let known = METHODS.into_iter().find(|known| *known == method.as_str());
        Self(known.unwrap_or("EXTENSION_METHOD"))
    }
}

/// What is spoken over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Protocol {
    Http,
    WebSocket,
    Sse,
    GrpcWeb,
    Grpc,
}

impl Protocol {
    pub(super) fn of(request: &Request) -> Self {
        if request.upgrade.as_deref().is_some_and(|to| to.eq_ignore_ascii_case(b"websocket")) {
            return Self::WebSocket;
        }
        let mut content_type = None;
        for (name, value) in request.headers.lines() {
            // Lengths tell nearly all names apart.
            match name.len() {
                6 if value.starts_with(b"text/event-stream") && name.eq_ignore_ascii_case(b"Accept") => {
                    return Self::Sse;
                }
                12 if name.eq_ignore_ascii_case(b"Content-Type") => content_type = content_type.or(Some(value)),
                _ => {}
            }
        }
        match content_type {
            Some(kind) if kind.starts_with(b"application/grpc-web") => Self::GrpcWeb,
            Some(kind) if kind.starts_with(b"application/grpc") => Self::Grpc,
            _ => Self::Http,
        }
    }

    /// Its codes are those of gRPC.
    pub(super) fn is_grpc(self) -> bool {
        matches!(self, Self::GrpcWeb | Self::Grpc)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
            Self::GrpcWeb => "grpc-web",
            Self::Grpc => "grpc",
        }
    }
}

/// A header as a label; empty when it is missing, cut when it is long.
pub(super) fn header_value(value: Option<&[u8]>) -> Box<str> {
    let value = value.unwrap_or_default();
    String::from_utf8_lossy(&value[..value.len().min(LONGEST)]).into()
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::{Method as Any, Target};

    use super::*;

    #[track_caller]
    fn check(headers: &[(&'static str, &'static str)], upgrade: Option<&'static str>, expected: &str) {
        let mut request = Request::new(Any::GET, Target::parse("/".into()));
        request.upgrade = upgrade.map(Into::into);
        for (name, value) in headers {
            request.headers.append(*name, *value);
        }
        assert_eq!(Protocol::of(&request).name(), expected);
    }

    #[test]
    fn protocols_are_told_apart() {
        check(&[], None, "http");
        check(&[], Some("WebSocket"), "websocket");
        check(&[("Accept", "text/event-stream")], None, "sse");
        check(&[("Content-Type", "application/grpc-web+proto")], None, "grpc-web");
        check(&[("Content-Type", "application/grpc")], None, "grpc");
    }

    #[test]
    fn unknown_methods_share_a_name() {
        assert_eq!(Method::of(&Any::PATCH).0, "PATCH");
        assert_eq!(Method::of(&Any::from_bytes(b"BREW").unwrap()).0, "EXTENSION_METHOD");
    }

    #[test]
    fn long_headers_are_cut() {
        assert_eq!(header_value(Some(&[b'a'; 1000])).len(), LONGEST);
        assert_eq!(&*header_value(None), "");
    }
}
