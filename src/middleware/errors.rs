//! # errors
//!
//! Replaces answers of certain codes by those of another service.
//!
//! ```yaml
//! middlewares:
//!   pages:
//!     errors:
//!       status: ["404", "500-599"]
//!       service: error-pages
//!       query: "/{status}.html?url={url}"
//!       statusRewrites: {"502-504": 503}
//! ```
//!
//! The service is asked with GET and `query`, in which `{status}` (after rewriting), `{originalStatus}` and `{url}` (the
//! whole URL, escaped) are filled in, and with the request's own host and headers; `errorRequestHeaders` limits those. The
//! client gets that answer with the original code, or with the rewritten one.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{
    Around, Exchange, Headers, LocalBoxFuture, Method, Next, Reason, Request, Response, Service, StatusCode, Target,
    reply,
};

use crate::status::StatusRanges;
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Errors {
    /// Codes and ranges that are replaced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    status: Vec<String>,
    /// Codes and ranges that the client sees as another code. Where ranges overlap the first in their order wins.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    status_rewrites: BTreeMap<String, u16>,
    /// The service that is asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    service: String,
    /// Path and query of the question; `/` if empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    query: String,
    /// The request headers that are sent along; all if absent or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_request_headers: Option<Vec<String>>,
}

impl Middleware for Errors {
    const NAME: &'static str = "errors";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let status = StatusRanges::parse(&self.status)?;
        let rewrite = |(range, code): (&String, &u16)| {
            let code =
                StatusCode::from_u16(*code).map_err(|_| BuildError::invalid(format!("{code} is not a status code")))?;
            Ok::<_, BuildError>((StatusRanges::parse([range])?, code))
        };
        let rewrites = self.status_rewrites.iter().map(rewrite).collect::<Result<_, _>>()?;
        let service = chain.service(&self.service)?;
        let forwarded = self.error_request_headers.filter(|names| !names.is_empty());
        chain.around(Pages { status, rewrites, service, query: self.query, forwarded });
        Ok(())
    }
}

struct Pages {
    status: StatusRanges,
    rewrites: Vec<(StatusRanges, StatusCode)>,
    service: Arc<dyn Service>,
    query: String,
    forwarded: Option<Vec<String>>,
}

/// What Go's `url.QueryEscape` leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Pages {
    fn shown(&self, status: StatusCode) -> StatusCode {
        self.rewrites.iter().find(|(range, _)| range.contains(status)).map_or(status, |(_, code)| *code)
    }

    /// Path and query for a failed request.
    fn question(&self, url: &str, original: StatusCode) -> Option<Target> {
        let url = utf8_percent_encode(url, UNRESERVED).to_string().replace("%20", "+");
        let text = self
            .query
            .replace("{status}", self.shown(original).as_str())
            .replace("{originalStatus}", original.as_str())
            .replace("{url}", &url);
        let text = if text.is_empty() { "/".to_owned() } else { text };
        let good = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic());
        good.then(|| Target::parse(Bytes::from(text)))
    }

    fn headers(&self, of: &Headers) -> Headers {
        match &self.forwarded {
            None => of.clone(),
            Some(names) => names
                .iter()
                .flat_map(|name| {
                    of.get_all(name).map(|value| (Bytes::from(name.clone()), Bytes::copy_from_slice(value)))
                })
                .collect(),
        }
    }
}

impl Around for Pages {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let scheme = if cx.connection.tls.is_some() { "https" } else { "http" };
            let url = format!("{scheme}://{}{}", req.host_str(), req.target.to_uri());
            let (host, headers) = (req.host.clone(), self.headers(&req.headers));
            let response = next.run(req, &mut *cx).await;
            if !self.status.contains(response.status) {
                return response;
            }
            let shown = self.shown(response.status);
            let Some(target) = self.question(&url, response.status) else {
                tracing::error!(query = self.query, "The query of an errors middleware does not make a request.");
                cx.reason = cx.reason.or(Some(Reason::ErrorPage));
                return reply::status_text(response.status);
            };
            drop(response);
            let mut question = Request::new(Method::GET, target);
            question.host = host;
            question.headers = headers;
            let (fault, reason) = (cx.fault.take(), cx.reason);
            // The question is ours, not the client's: it has no peer to be forwarded for.
            let omitted = std::mem::replace(&mut cx.omit_forwarded_for, true);
            let mut page = self.service.call(question, &mut *cx).await;
            cx.omit_forwarded_for = omitted;
            cx.fault = fault.or_else(|| cx.fault.take());
            cx.reason = reason.or(cx.reason);
            page.status = shown;
            page.phrase = None;
            page
        })
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_exchange::Body;

    use super::*;
    use crate::testing::{self, Origin};

    /// The first call is the request and fails with 503, the second asks for the page.
    #[track_caller]
    fn check(settings: &str, expected: (u16, &str, Option<&str>)) {
        let origin = Origin::answering(|number| {
            let mut response = reply::empty(if number == 0 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK });
            response.body = Body::from("page");
            response
        });
        let chain = testing::chain("errors", settings, origin.clone()).expect("good settings");
        let mut request = testing::request(Method::POST, "/x?a=b c".replace(' ', "%20").leak());
        request.headers.append("X-Kept", "1");
        let response = testing::run(&chain, request, &mut testing::exchange());
        let asked = origin.seen().get(1).cloned();
        let uri = asked.as_ref().map(|seen| seen.uri.clone()).unwrap_or_default();
        let kept = asked.as_ref().and_then(|seen| seen.header("X-Kept").map(ToOwned::to_owned));
        assert_eq!((response.status.as_u16(), uri.as_str(), kept.as_deref()), expected);
    }

    #[test]
    fn the_page_comes_with_the_code_of_the_failure() {
        check("{status: ['500-599'], service: e, query: '/{status}'}", (503, "/503", Some("1")));
        check("{status: ['404'], service: e, query: '/{status}'}", (503, "", None));
        check("{status: ['503'], service: e}", (503, "/", Some("1")));
    }

    #[test]
    fn codes_are_rewritten_and_the_url_is_told() {
        check(
            "{status: ['503'], service: e, query: '/{status}/{originalStatus}?u={url}', statusRewrites: {'500-510': 404}}",
            (404, "/404/503?u=http%3A%2F%2Fa.test%2Fx%3Fa%3Db%2520c", Some("1")),
        );
    }

    #[test]
    fn headers_can_be_limited() {
        check("{status: ['503'], service: e, errorRequestHeaders: []}", (503, "/", Some("1")));
        check("{status: ['503'], service: e, errorRequestHeaders: [x-other]}", (503, "/", None));
        check("{status: ['503'], service: e, errorRequestHeaders: [x-kept]}", (503, "/", Some("1")));
    }
}
