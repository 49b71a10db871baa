//! # buffering
//!
//! Reads requests and answers whole before they are passed on, bounds their size, and can send a request again.
//!
//! ```yaml
//! middlewares:
//!   whole:
//!     buffering:
//!       maxRequestBodyBytes: 2000000
//!       memRequestBodyBytes: 1000000
//!       retryExpression: "IsNetworkError() && Attempts() < 3"
//! ```
//!
//! A larger request is answered 413 `Request Entity Too Large`, a larger answer 500. What exceeds the `mem…` thresholds
//! lies in a temporary file (0 means: all of it). The expression knows `Attempts()`, `ResponseCode()`, `IsNetworkError()`
//! (502 or 504) and `RequestMethod()`, compares numbers and texts, and joins with `&&`, `||`, `!` and parentheses; at most
//! ten attempts are made.

mod expression;
mod spool;

use serde::{Deserialize, Serialize};
use trafficcop_exchange::{
    Around, BodyError, Exchange, LocalBoxFuture, Next, Reason, Request, Response, StatusCode, reply,
};

use self::expression::{Attempt, Expression};
use self::spool::Spool;
use crate::replay::Copy;
use crate::{BuildError, ChainBuilder, Middleware};

/// However the expression reads.
const MOST_ATTEMPTS: u32 = 10;

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Buffering {
    /// Bytes; 0 means no limit.
    #[serde(skip_serializing_if = "is_zero")]
    max_request_body_bytes: i64,
    /// Bytes that stay in memory.
    #[serde(skip_serializing_if = "is_zero")]
    mem_request_body_bytes: i64,
    /// Bytes; 0 means no limit.
    #[serde(skip_serializing_if = "is_zero")]
    max_response_body_bytes: i64,
    /// Bytes that stay in memory.
    #[serde(skip_serializing_if = "is_zero")]
    mem_response_body_bytes: i64,
    /// When the request is sent again; never if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    retry_expression: String,
    /// Passes requests on as they come.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disable_request_buffer: bool,
    /// Passes answers on as they come.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disable_response_buffer: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
fn is_zero(value: &i64) -> bool {
    *value == 0
}

impl Middleware for Buffering {
    const NAME: &'static str = "buffering";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let sizes = [
            ("maxRequestBodyBytes", self.max_request_body_bytes),
            ("memRequestBodyBytes", self.mem_request_body_bytes),
            ("maxResponseBodyBytes", self.max_response_body_bytes),
            ("memResponseBodyBytes", self.mem_response_body_bytes),
        ];
        if let Some((name, size)) = sizes.iter().find(|(_, size)| *size < 0) {
            return Err(BuildError::invalid(format!("{name} must be 0 or more, and is {size}")));
        }
        let limit = |size: i64| u64::try_from(size).ok().filter(|size| *size > 0).unwrap_or(u64::MAX);
        let memory = |size: i64| usize::try_from(size).unwrap_or(0);
        let retry = match self.retry_expression.as_str() {
            "" => None,
            text => Some(Expression::parse(text).map_err(BuildError::Invalid)?),
        };
        chain.around(Buffer {
            request: (!self.disable_request_buffer).then(|| Bounds {
                most: limit(self.max_request_body_bytes),
                memory: memory(self.mem_request_body_bytes),
            }),
            response: (!self.disable_response_buffer).then(|| Bounds {
                most: limit(self.max_response_body_bytes),
                memory: memory(self.mem_response_body_bytes),
            }),
            retry,
        });
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Bounds {
    most: u64,
    memory: usize,
}

struct Buffer {
    request: Option<Bounds>,
    response: Option<Bounds>,
    retry: Option<Expression>,
}

impl Buffer {
    fn wants_another(&self, response: &Response, method: &str, attempts: u32) -> bool {
        let status = response.status.as_u16();
        attempts < MOST_ATTEMPTS
            && self.retry.as_ref().is_some_and(|expression| expression.holds(&Attempt { attempts, status, method }))
    }

    async fn whole(&self, mut response: Response, cx: &mut Exchange) -> Response {
        let Some(bounds) = self.response else { return response };
        if response.upgrade.is_some() || response.body.is_empty() {
            return response;
        }
        match Spool::read(&mut response.body, bounds.most, bounds.memory).await {
            Ok(spool) => {
                response.headers.remove("Content-Length");
                response.body = spool.body();
                response
            }
            Err(error) => {
                tracing::debug!(%error, "The answer cannot be buffered.");
                if matches!(error, BodyError::TooLarge(_)) {
                    cx.reason = Some(Reason::ResponseTooLarge);
                }
                reply::status_text(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

impl Around for Buffer {
    fn call<'a>(&'a self, mut req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let Some(bounds) = self.request.filter(|_| req.upgrade.is_none()) else {
                let response = next.run(req, &mut *cx).await;
                return self.whole(response, cx).await;
            };
            let spool = match Spool::read(&mut req.body, bounds.most, bounds.memory).await {
                Ok(spool) => spool,
                Err(BodyError::TooLarge(_)) => {
                    cx.reason = Some(Reason::RequestTooLarge);
                    return reply::status_text(StatusCode::PAYLOAD_TOO_LARGE);
                }
                Err(_) => {
                    cx.reason = Some(Reason::BadBody);
                    return reply::status_text(StatusCode::BAD_REQUEST);
                }
            };
            // The length is known now.
            req.headers.remove("Content-Length");
            let copy = Copy::of(&req);
            let method = req.method.to_string();
            let mut attempts = 1;
            loop {
                let response = next.run(copy.request(spool.body()), &mut *cx).await;
                if !self.wants_another(&response, &method, attempts) {
                    return self.whole(response, cx).await;
                }
                cx.fault = None;
                cx.reason = None;
                cx.retries += 1;
                attempts += 1;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::{Body, Method};

    use super::*;
    use crate::testing::{self, Origin};

    #[track_caller]
    fn check(settings: &str, body: &'static str, expected: (u16, usize)) {
        let origin = Origin::answering(|number| {
            let mut response = reply::empty(if number < 2 { StatusCode::BAD_GATEWAY } else { StatusCode::OK });
            response.body = Body::from("0123456789");
            response
        });
        let chain = testing::chain("buffering", settings, origin.clone()).expect("good settings");
        let mut request = testing::request(Method::POST, "/");
        request.body = Body::from(body);
        let response = testing::run(&chain, request, &mut testing::exchange());
        assert_eq!((response.status.as_u16(), origin.seen().len()), expected);
        assert!(origin.seen().iter().all(|seen| seen.body == body.as_bytes()), "the whole body each time");
    }

    #[test]
    fn sizes_are_bounded() {
        check("{maxRequestBodyBytes: 5}", "12345", (502, 1));
        check("{maxRequestBodyBytes: 5}", "123456", (413, 0));
        check("{maxResponseBodyBytes: 10}", "", (502, 1));
        check("{maxResponseBodyBytes: 9}", "", (500, 1));
        check("{memRequestBodyBytes: 100, memResponseBodyBytes: 100}", "12345", (502, 1));
    }

    #[test]
    fn requests_are_sent_again_while_the_expression_holds() {
        check("{retryExpression: 'IsNetworkError() && Attempts() < 2'}", "hello", (502, 2));
        check("{retryExpression: 'IsNetworkError()'}", "hello", (200, 3));
        check("{retryExpression: 'ResponseCode() == 503'}", "hello", (502, 1));
        check("{retryExpression: 'RequestMethod() != \"POST\" && IsNetworkError()'}", "hello", (502, 1));
        check("{retryExpression: 'Attempts() >= 1'}", "hello", (200, 10));
    }

    #[test]
    fn bad_expressions_are_an_error() {
        assert!(testing::chain("buffering", "{retryExpression: 'Nonsense()'}", Origin::ok()).is_err());
    }
}
