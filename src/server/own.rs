//! Answers of our own: what they say beside what Traefik would.

use bytes::Bytes;
use trafficcop_exchange::{Body, Method, Reason, Request, Response, StatusCode, Target, Version, reply};

/// Whether the caller speaks gRPC, which needs HTTP/2.
pub(crate) fn is_grpc(request: &Request) -> bool {
    let kind = |kind: &[u8]| kind.strip_prefix(b"application/grpc").is_some_and(|rest| !rest.starts_with(b"-web"));
    request.version == Version::HTTP_2 && request.headers.get("Content-Type").is_some_and(kind)
}

/// Says the reason where that is asked for, and to callers of gRPC in their own way: the status they would have made of
/// that of HTTP, with a message.
pub(crate) fn finish(response: &mut Response, reason: Reason, is_grpc: bool, shows_reasons: bool) {
    if shows_reasons {
        response.headers.insert(Reason::HEADER, reason.code());
    }
    if !is_grpc || response.headers.contains("Grpc-Status") {
        return;
    }
    let Some(code) = reason.grpc_status(response.status) else { return };
    let message = format!("{} ({})", reply::text_of(response.status), reason.code());
    for name in ["Content-Length", "Content-Encoding", "X-Content-Type-Options"] {
        response.headers.remove(name);
    }
    response.headers.insert("Content-Type", "application/grpc");
    response.headers.append("Grpc-Status", code.to_string());
    response.headers.append("Grpc-Message", message);
    response.status = StatusCode::OK;
    response.body = Body::Empty;
}

/// What stands in logs for a request that was none.
pub(crate) fn nothing_understood() -> Request {
    let method = Method::from_bytes(b"-").unwrap_or_default();
    let mut request = Request::new(method, Target::parse(Bytes::from_static(b"-")));
    request.host = Bytes::from_static(b"-");
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_callers_get_a_grpc_status() {
        let mut request = Request::new(Method::POST, Target::parse("/a".into()));
        request.version = Version::HTTP_2;
        request.headers.append("content-type", "application/grpc+proto");
        assert!(is_grpc(&request));
        let mut response = reply::error(StatusCode::SERVICE_UNAVAILABLE, "no available server");
        finish(&mut response, Reason::NoServer, true, false);
        let header = |name| response.headers.get_str(name);
        assert_eq!((response.status, header("Grpc-Status")), (StatusCode::OK, Some("14")));
        assert_eq!(header("Grpc-Message"), Some("Service Unavailable (no_server)"));
        assert_eq!(header(Reason::HEADER), None);
        request.headers.insert("content-type", "application/grpc-web");
        assert!(!is_grpc(&request));
    }

    #[test]
    fn a_redirect_stays_one() {
        let mut response = reply::status_text(StatusCode::FOUND);
        finish(&mut response, Reason::Redirect, true, true);
        assert_eq!((response.status, response.headers.get_str(Reason::HEADER)), (StatusCode::FOUND, Some("redirect")));
    }
}
