//! The REST provider: whoever may reach it puts a whole configuration, and it is in force.
//!
//! `PUT /api/providers/rest` with JSON. As in Traefik, keys that exist nowhere are passed over, and the answer is the
//! configuration as it was understood; here a warning names each such key. What must hold: what cannot be read is
//! answered with 400 and changes nothing.

mod tolerant;

use trafficcop_config::ConfigErrors;
use trafficcop_config::dynamic::Configuration;
use trafficcop_config::read::{self, Format, MAX_BYTES};
use trafficcop_exchange::{
    BodyError, Exchange, LocalBoxFuture, Method, Reason, Request, Response, Service, StatusCode, reply,
};
use trafficcop_provider::{Publisher, workshop};

/// What places in the document are called.
const DOCUMENT: &str = "PUT /api/providers/rest";
const PREFIX: &str = "/api/providers/";

/// `rest@internal`.
pub struct Rest {
    out: Publisher,
}

impl Rest {
    pub fn new(out: Publisher) -> Self {
        Self { out }
    }

    async fn answer(&self, mut request: Request) -> Response {
        let provider =
            request.target.path().strip_prefix(PREFIX).filter(|name| !name.is_empty() && !name.contains('/'));
        let Some(provider) = provider else { return reply::not_found() };
        if request.method != Method::PUT {
            return reply::empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        if provider != "rest" {
            return reply::error(StatusCode::BAD_REQUEST, "Only 'rest' provider can be updated through the REST API");
        }
        let body = match request.body.collect(MAX_BYTES as u64).await {
            Ok(body) => body,
            Err(error @ BodyError::TooLarge(_)) => {
                return reply::error(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string());
            }
            Err(error) => return reply::error(StatusCode::BAD_REQUEST, &error.to_string()),
        };
        // A large document takes its time; that is no time of the worker's.
        let Some(read) = workshop::work(move || decode(&body)).await else {
            return reply::status_text(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let answer = match &read {
            Ok(configuration) => shown(configuration),
            Err(errors) => reply::error(StatusCode::BAD_REQUEST, &errors.to_string()),
        };
        self.out.accept(read).await;
        answer
    }
}

impl Service for Rest {
    fn call<'a>(&'a self, request: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        Box::pin(self.answer(request))
    }
}

fn decode(body: &[u8]) -> Result<Configuration, ConfigErrors> {
    let text = String::from_utf8_lossy(body);
    tolerant::decode(read::document(&text, Format::Json, DOCUMENT)?)
}

fn shown(configuration: &Configuration) -> Response {
    let mut response = Response::new(StatusCode::OK);
    response.headers.append("Content-Type", "application/json; charset=UTF-8");
    response.body = serde_json::to_vec(configuration).unwrap_or_default().into();
    response
}

#[cfg(test)]
mod tests;
