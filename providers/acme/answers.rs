//! [`Answers`]: what `acme-http@internal` says while names are being proved by HTTP.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use trafficcop_exchange::{Body, Exchange, LocalBoxFuture, Reason, Request, Response, Service, StatusCode, reply};

const PREFIX: &str = "/.well-known/acme-challenge/";

/// Key authorizations by token, shared by the orders and the service.
#[derive(Clone, Default)]
pub struct Answers(Arc<RwLock<HashMap<String, Answer>>>);

struct Answer {
    host: String,
    authorization: String,
}

impl Answers {
    pub(crate) fn put(&self, token: &str, host: &str, authorization: &str) {
        let answer = Answer { host: host.to_owned(), authorization: authorization.to_owned() };
        self.0.write().insert(token.to_owned(), answer);
    }

    pub(crate) fn remove(&self, token: &str) {
        self.0.write().remove(token);
    }

    /// The answer for a path, if the host is the one that is being proved.
    fn find(&self, path: &str, host: &str) -> Option<String> {
        let token = path.strip_prefix(PREFIX)?;
        let name = host;
        let name =
            name.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(name, |p| p.0);
        let map = self.0.read();
        let answer = map.get(token)?;
        answer.host.eq_ignore_ascii_case(name).then(|| answer.authorization.clone())
    }
}

impl Service for Answers {
    fn call<'a>(&'a self, request: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        cx.reason = Some(Reason::Internal);
        let response = match self.find(request.target.path(), request.host_str()) {
            Some(authorization) => {
                let mut response = Response::new(StatusCode::OK);
                response.headers.insert("Content-Type", "text/plain");
                response.body = Body::Full(authorization.into());
                response
            }
            None => reply::not_found(),
        };
        Box::pin(std::future::ready(response))
    }
}
