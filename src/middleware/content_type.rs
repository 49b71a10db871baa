//! # contentType
//!
//! Finds out the type of answers that do not say it, from their first bytes, as browsers do.
//!
//! ```yaml
//! middlewares:
//!   guess: {contentType: {}}
//! ```
//!
//! Without this middleware nothing is guessed. The deprecated `autoDetect: false` takes the guessing back.

mod sniff;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{Around, Body, Exchange, Frame, LocalBoxFuture, Next, Request, Response};

use crate::replay::resumed;
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ContentType {
    /// Deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_detect: Option<bool>,
}

impl Middleware for ContentType {
    const NAME: &'static str = "contentType";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        if self.auto_detect == Some(false) {
            tracing::warn!(
                middleware = chain.name,
                "contentType.autoDetect is deprecated: remove the middleware instead."
            );
            return Ok(());
        }
        chain.around(Detect);
        Ok(())
    }
}

struct Detect;

impl Around for Detect {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let mut response = next.run(req, cx).await;
            let encoded = response.headers.get("Content-Encoding").is_some_and(|value| !value.is_empty());
            if response.headers.contains("Content-Type") || encoded || response.upgrade.is_some() {
                return response;
            }
            if let Some(first) = first_bytes(&mut response.body).await {
                response.headers.append("Content-Type", sniff::detect(&first));
            }
            response
        })
    }
}

/// The first piece of a body, which stays in it.
async fn first_bytes(body: &mut Body) -> Option<Bytes> {
    if let Body::Full(bytes) = body {
        return Some(bytes.clone());
    }
    let frame = body.frame().await?;
    let rest = std::mem::take(body);
    let first = if let Ok(Frame::Data(data)) = &frame { Some(data.clone()) } else { None };
    *body = resumed(frame, rest);
    first
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::{Method, StatusCode};

    use crate::testing::{self, Origin};

    #[track_caller]
    fn check(settings: &str, expected: Option<&str>) {
        let origin = Origin::answering(|_| {
            let mut response = trafficcop_exchange::Response::new(StatusCode::OK);
            response.body = "<html>".into();
            response
        });
        let chain = testing::chain("contentType", settings, origin).expect("good settings");
        let response = testing::run(&chain, testing::request(Method::GET, "/"), &mut testing::exchange());
        assert_eq!(response.headers.get_str("Content-Type"), expected);
    }

    #[test]
    fn the_type_is_found_unless_taken_back() {
        check("{}", Some("text/html; charset=utf-8"));
        check("{autoDetect: true}", Some("text/html; charset=utf-8"));
        check("{autoDetect: false}", None);
    }
}
