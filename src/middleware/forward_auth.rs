//! # forwardAuth
//!
//! Asks another server whether a request may pass.
//!
//! ```yaml
//! middlewares:
//!   sso:
//!     forwardAuth:
//!       address: http://authelia:9091/api/authz/forward-auth
//!       authResponseHeaders: [Remote-User, Remote-Groups]
//! ```
//!
//! Whole configurations for Authelia, Authentik and oauth2-proxy are in `examples/recipes/`.
//!
//! The question is a GET (or, with `preserveRequestMethod`, the request's own method) with the request's headers, or those
//! in `authRequestHeaders`, and `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri` and `-For`; with `forwardBody` also its
//! body, up to `maxBodySize` bytes (more is answered 401). A 2xx lets the request pass, with `authResponseHeaders` and
//! those matching `authResponseHeadersRegex` taken over from the answer; any other answer goes to the client, its
//! Location made absolute unless `preserveLocationHeader` is set. `authSigninURL` turns a 401 into a redirection. A server
//! that cannot be reached is answered 500: nothing passes unasked. `trustForwardHeader` has three states, as in Traefik:
//! unset overwrites those five headers, `false` removes every `X-Forwarded-*` first, `true` keeps what is there. The expression is matched against names as Go spells them (`X-Auth-User`).

mod answer;
mod question;

use std::sync::Arc;

use regex::Regex;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{
    Around, Body, Exchange, LocalBoxFuture, Next, Reason, Request, Response, Service, Side, StatusCode, reply,
};
use url::Url;

use self::question::Trust;
use crate::client_tls::ClientTls;
use crate::grpc_web::OfUnknownLength;
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ForwardAuth {
    /// The URL that is asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<ClientTls>,
    /// See the module for its three states.
    #[serde(skip_serializing_if = "Option::is_none")]
    trust_forward_header: Option<bool>,
    /// Headers of a permission that the request takes over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    auth_response_headers: Vec<String>,
    /// The same for names that match.
    #[serde(skip_serializing_if = "String::is_empty")]
    auth_response_headers_regex: String,
    /// The request headers that are sent along; all if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    auth_request_headers: Vec<String>,
    /// Cookies of a permission that the client gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    add_auth_cookies_to_response: Vec<String>,
    /// The header of a permission that names the user.
    #[serde(skip_serializing_if = "String::is_empty")]
    header_field: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    forward_body: bool,
    /// Bytes; -1 means no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_body_size: Option<i64>,
    /// Bytes of an answer; -1 means no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_response_body_size: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    preserve_location_header: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    preserve_request_method: bool,
    /// Where a 401 leads to.
    #[serde(rename = "authSigninURL", skip_serializing_if = "String::is_empty")]
    auth_signin_url: String,
}

impl Default for ForwardAuth {
    fn default() -> Self {
        Self {
            address: String::new(),
            tls: None,
            trust_forward_header: None,
            auth_response_headers: Vec::new(),
            auth_response_headers_regex: String::new(),
            auth_request_headers: Vec::new(),
            add_auth_cookies_to_response: Vec::new(),
            header_field: String::new(),
            forward_body: false,
            max_body_size: Some(-1),
            max_response_body_size: None,
            preserve_location_header: false,
            preserve_request_method: false,
            auth_signin_url: String::new(),
        }
    }
}

impl Middleware for ForwardAuth {
    const NAME: &'static str = "forwardAuth";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let address = Url::parse(&self.address)
            .map_err(|error| BuildError::invalid(format!("address {:?} is not a URL: {error}", self.address)))?;
        let pattern =
            match self.auth_response_headers_regex.as_str() {
                "" => None,
                text => Some(Regex::new(text).map_err(|error| {
                    BuildError::invalid(format!("error compiling regular expression {text}: {error}"))
                })?),
            };
        let service = chain.client(&self.address, self.tls.as_ref().map(ClientTls::client).as_ref())?;
        let limit = |size: Option<i64>| size.and_then(|size| u64::try_from(size).ok());
        chain.around(Gate {
            service,
            address,
            trust: self
                .trust_forward_header
                .map_or(Trust::Overwrite, |trust| if trust { Trust::Keep } else { Trust::Remove }),
            response_headers: self.auth_response_headers,
            pattern,
            request_headers: self.auth_request_headers,
            cookies: self.add_auth_cookies_to_response,
            user: self.header_field,
            body: self.forward_body.then_some(limit(self.max_body_size).unwrap_or(u64::MAX)),
            answer_limit: limit(self.max_response_body_size),
            keep_location: self.preserve_location_header,
            keep_method: self.preserve_request_method,
            signin: self.auth_signin_url,
        });
        Ok(())
    }
}

struct Gate {
    service: Arc<dyn Service>,
    address: Url,
    trust: Trust,
    response_headers: Vec<String>,
    pattern: Option<Regex>,
    request_headers: Vec<String>,
    cookies: Vec<String>,
    user: String,
    /// How many bytes of a body are forwarded at most; None forwards none.
    body: Option<u64>,
    answer_limit: Option<u64>,
    keep_location: bool,
    keep_method: bool,
    signin: String,
}

impl Around for Gate {
    fn call<'a>(&'a self, mut req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let mut question = self.question(&req, cx);
            if let Some(limit) = self.body {
                let is_chunked = req.body.remaining().is_none();
                let again = |body| if is_chunked { Body::stream(OfUnknownLength(body)) } else { body };
                match req.body.collect(limit).await {
                    Ok(body) => {
                        question.body = again(Body::from(body.clone()));
                        req.body = again(Body::from(body));
                    }
                    Err(_) => return denied(cx, reply::empty(StatusCode::UNAUTHORIZED)),
                }
            }
            let span = cx.trace.as_mut().map(|trace| trace.call("AuthRequest", self.address.as_str(), &mut question));
            let mut answer = self.service.call(question, &mut *cx).await;
            if let (Some(trace), Some(span)) = (&mut cx.trace, span) {
                trace.close(span);
            }
            if let Some(fault) = &cx.fault {
                let gone = fault.side == Side::Client;
                cx.reason = Some(if gone { Reason::ClientClosed } else { Reason::AuthUnreachable });
                let status = if gone {
                    StatusCode::from_u16(499).unwrap_or_default()
                } else {
                    StatusCode::INTERNAL_SERVER_ERROR
                };
                return reply::empty(status);
            }
            let limit = self.answer_limit.unwrap_or(u64::MAX);
            let Ok(body) = answer.body.collect(limit).await else {
                return denied(cx, reply::empty(StatusCode::UNAUTHORIZED));
            };
            if !answer.status.is_success() {
                let refusal = self.refusal(answer, body);
                return denied(cx, refusal);
            }
            self.take_over(&answer.headers, &mut req, cx);
            let mut response = next.run(req, cx).await;
            self.add_cookies(&answer.headers, &mut response.headers);
            response
        })
    }
}

fn denied(cx: &mut Exchange, response: Response) -> Response {
    cx.reason = Some(Reason::AuthDenied);
    response
}

#[cfg(test)]
mod tests;
