//! # grpcWeb
//!
//! Lets browsers call gRPC services: translates `application/grpc-web` and `application/grpc-web-text` to gRPC and back.
//!
//! ```yaml
//! middlewares:
//!   web: {grpcWeb: {allowOrigins: ["*"]}}
//! ```
//!
//! Requests of other origins than those listed (`*` means all) are translated as well, without the headers that let a
//! page see the answer. Preflights for gRPC-Web calls are answered here. The service must speak HTTP/2 (an `h2c://` or `https://` server).
//!
//! Servers on gRPC's C core (Python, C++, Ruby) refuse calls without `TE: trailers`, which browsers cannot send. As in
//! Traefik it is not added here; a `headers` middleware after this one adds it: `customRequestHeaders: {TE: trailers}`.

mod body;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{
    Around, Body, Exchange, Headers, LocalBoxFuture, Method, Next, Reason, Request, Response, StatusCode, reply,
};

pub(crate) use self::body::OfUnknownLength;
use self::body::{FromText, ToWeb};
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GrpcWeb {
    /// Origins that may call, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow_origins: Vec<String>,
}

impl Middleware for GrpcWeb {
    const NAME: &'static str = "grpcWeb";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        chain.around(Translate { origins: self.allow_origins });
        Ok(())
    }
}

struct Translate {
    origins: Vec<String>,
}

const WEB: &str = "application/grpc-web";
const TEXT: &str = "application/grpc-web-text";
const METHOD: &str = "Access-Control-Request-Method";

impl Translate {
    fn allows(&self, origin: &Bytes) -> bool {
        self.origins.iter().any(|allowed| allowed == "*" || allowed.as_bytes() == origin)
    }

    fn preflight(req: &Request, origin: Option<Bytes>) -> Response {
        let mut response = reply::empty(StatusCode::OK);
        let lines = &mut response.headers;
        for vary in ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"] {
            lines.append("Vary", vary);
        }
        let Some(origin) = origin else { return response };
        lines.append("Access-Control-Allow-Origin", origin);
        lines.append("Access-Control-Allow-Methods", req.headers.get_bytes(METHOD).unwrap_or_default());
        let asked = req.headers.get_str("Access-Control-Request-Headers").unwrap_or("");
        lines.append("Access-Control-Allow-Headers", canonical_list(asked));
        lines.append("Access-Control-Allow-Credentials", "true");
        lines.append("Access-Control-Max-Age", "600");
        response
    }
}

/// `x-grpc-web, a` as `X-Grpc-Web, A`; shared with forwardAuth.
pub(crate) fn canonical_list(names: &str) -> String {
    let canonical = |name: &str| {
        let part = |part: &str| {
            let mut part = part.to_ascii_lowercase();
            if let Some(first) = part.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            part
        };
        name.trim().split('-').map(part).collect::<Vec<_>>().join("-")
    };
    names.split(',').map(canonical).collect::<Vec<_>>().join(", ")
}

impl Around for Translate {
    fn call<'a>(&'a self, mut req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        let origin = req.headers.get_bytes("Origin").filter(|origin| self.allows(origin));
        let asks_grpc_web = || {
            let has_method = req.headers.get(METHOD).is_some_and(|method| !method.is_empty());
            let headers = req.headers.get_str("Access-Control-Request-Headers").unwrap_or("").to_ascii_lowercase();
            has_method && headers.contains("x-grpc-web")
        };
        if req.method == Method::OPTIONS && asks_grpc_web() {
            cx.reason = Some(Reason::Preflight);
            return Box::pin(std::future::ready(Self::preflight(&req, origin)));
        }
        let kind = req.headers.get_str("Content-Type").unwrap_or("").to_owned();
        if req.method != Method::POST || !kind.starts_with(WEB) {
            return next.run(req, cx);
        }
        let in_text = kind.starts_with(TEXT);
        let detail = kind[if in_text { TEXT.len() } else { WEB.len() }..].to_owned();
        req.headers.insert("Content-Type", format!("application/grpc{detail}"));
        req.headers.remove("Content-Length");
        let body = std::mem::take(&mut req.body);
        req.body = if in_text { Body::stream(FromText::new(body)) } else { Body::stream(OfUnknownLength(body)) };
        Box::pin(async move {
            let mut response = next.run(req, cx).await;
            let exposed = exposed(&response.headers, origin.is_some());
            response.headers.remove("Content-Length");
            let web = if in_text { TEXT } else { WEB };
            match response.headers.get_str("Content-Type").map(|kind| kind.replacen("application/grpc", web, 1)) {
                Some(kind) => response.headers.insert("Content-Type", kind),
                None => response.headers.insert("Content-Type", web),
            }
            let trailers_in_head = trailers_only(&mut response.headers);
            let inner = std::mem::take(&mut response.body);
            response.body = Body::stream(ToWeb::new(inner, in_text, trailers_in_head));
            response.headers.append("Vary", "Origin");
            if let Some(origin) = origin {
                response.headers.insert("Access-Control-Allow-Origin", origin);
                response.headers.insert("Access-Control-Allow-Credentials", "true");
            }
            response.headers.insert("Access-Control-Expose-Headers", exposed);
            response
        })
    }
}

/// Every header that scripts may read.
fn exposed(headers: &Headers, is_allowed: bool) -> String {
    let own = ["Content-Type", "Vary", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"];
    let own = if is_allowed { &own[..] } else { &own[..2] };
    let others = headers.iter().map(|(name, _)| canonical_list(name)).filter(|name| {
        !own.contains(&name.as_str()) && !["Date", "Content-Length", "Trailer"].contains(&name.as_str())
    });
    let mut names: Vec<String> = own.iter().map(|name| (*name).to_owned()).chain(others).collect();
    names.extend(["grpc-status".to_owned(), "grpc-message".to_owned()]);
    names.join(", ")
}

/// A call that failed at once has its status in the head: there it is of no use to a browser.
fn trailers_only(headers: &mut Headers) -> Option<Headers> {
    let status = headers.get_bytes("grpc-status")?;
    let mut trailers = Headers::new();
    trailers.append("grpc-status", status);
    if let Some(message) = headers.get_bytes("grpc-message") {
        trailers.append("grpc-message", message);
    }
    Some(trailers)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use trafficcop_exchange::{BodyError, BodyStream, Frame};

    use super::*;
    use crate::testing::{self, Origin};

    /// One message, then trailers.
    struct Answer(u8);

    impl BodyStream for Answer {
        fn poll_frame(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Option<Result<Frame, BodyError>>> {
            self.0 += 1;
            std::task::Poll::Ready(match self.0 {
                1 => Some(Ok(Frame::Data(Bytes::from_static(b"\0\0\0\0\x01A")))),
                2 => {
                    let lines = [("grpc-status", "0"), ("grpc-message", "fine")];
                    Some(Ok(Frame::Trailers(lines.into_iter().collect())))
                }
                _ => None,
            })
        }
    }

    #[track_caller]
    fn check(kind: &'static str, body: &'static [u8], expected: &[u8]) {
        let origin = Origin::answering(|_| {
            let mut response = reply::empty(StatusCode::OK);
            response.headers.append("Content-Type", "application/grpc");
            response.body = Body::stream(Answer(0));
            response
        });
        let chain = testing::chain("grpcWeb", "{allowOrigins: ['*']}", origin.clone()).expect("good settings");
        let mut request = testing::request(Method::POST, "/pkg.Service/Call");
        request.headers.append("Content-Type", kind);
        request.headers.append("Origin", "http://o.test");
        request.body = Body::from(Bytes::from_static(body));
        let mut response = testing::run(&chain, request, &mut testing::exchange());
        let found = response.body.collect(u64::MAX).now_or_never().expect("nothing to wait for").expect("a body");
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(&found));
        assert_eq!(response.headers.get_str("Access-Control-Allow-Origin"), Some("http://o.test"));
        let seen = &origin.seen()[0];
        assert_eq!((seen.header("Content-Type"), &*seen.body), (Some("application/grpc+proto"), &b"\0\0\0\0\x01B"[..]));
    }

    #[test]
    fn calls_are_translated_both_ways() {
        let trailers = b"grpc-message: fine\r\ngrpc-status: 0\r\n";
        let mut expected = b"\0\0\0\0\x01A\x80\0\0\0\x24".to_vec();
        expected.extend_from_slice(trailers);
        check("application/grpc-web+proto", b"\0\0\0\0\x01B", &expected);
        check(
            "application/grpc-web-text+proto",
            b"AAAAAAFC",
            b"AAAAAAFBgAAAACRncnBjLW1lc3NhZ2U6IGZpbmUNCmdycGMtc3RhdHVzOiAwDQo=",
        );
    }
}
