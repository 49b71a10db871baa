//! A service that sends to one URL, for middlewares that ask somebody (`forwardAuth`).

use std::sync::Arc;

use trafficcop_config::dynamic::http::{ForwardingTimeouts, ServersTransport};
use trafficcop_config::dynamic::tcp::TlsClient;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Request, Response, Service};

use super::attempt;
use super::failure::Failure;
use super::pinned::Way;
use super::server_url::ServerUrl;
use super::transport::Endpoint;
use super::{Transport, gunzip};
use crate::BuildError;

/// How long whoever is asked may take until the head of its answer.
const TIMEOUT_SECONDS: i64 = 30;

#[derive(Debug)]
struct Client {
    endpoint: Arc<Endpoint>,
}

/// Connects to the authority of `url`, follows no redirects, and yields the answer as it is, hop-by-hop headers
/// included. The request's own target and headers go out as they are; an empty `host` becomes that of `url`. A failure
/// sets the exchange's fault and reason, and the answer is what a proxy would say.
pub fn client(url: &str, tls: Option<&TlsClient>) -> Result<Arc<dyn Service>, BuildError> {
    let tls = tls.cloned().unwrap_or_default();
    let settings = ServersTransport {
        server_name: tls.server_name,
        insecure_skip_verify: tls.insecure_skip_verify,
        root_cas: tls.root_cas,
        certificates: tls.certificates,
        peer_cert_uri: tls.peer_cert_uri,
        spiffe: tls.spiffe,
        forwarding_timeouts: Some(ForwardingTimeouts {
            dial_timeout: trafficcop_config::Duration::from_secs(TIMEOUT_SECONDS),
            response_header_timeout: trafficcop_config::Duration::from_secs(TIMEOUT_SECONDS),
            ..ForwardingTimeouts::default()
        }),
        ..ServersTransport::default()
    };
    let transport = Transport::new(&settings)?;
    if let Some(problem) = transport.problems().first() {
        return Err(BuildError::Tls(problem.clone()));
    }
    let endpoint = transport.endpoint(&ServerUrl::parse(url)?);
    Ok(Arc::new(Client { endpoint }))
}

impl Client {
    async fn answer(&self, mut request: Request, cx: &mut Exchange) -> Response {
        if request.host.is_empty() {
            request.host = self.endpoint.url.authority.clone();
        }
        let unpacks = gunzip::ask(&mut request);
        match self.send(request, cx).await {
            Ok(mut response) => {
                if unpacks {
                    gunzip::unpack(&mut response);
                }
                response
            }
            Err(failure) => failure.answer(cx),
        }
    }

    async fn send(&self, request: Request, cx: &mut Exchange) -> Result<Response, Failure> {
        let way = Way { http1_only: request.upgrade.is_some(), ..Way::default() };
        let mut ready = attempt::kept(&self.endpoint, way);
        let mut request = Box::new(request);
        loop {
            let is_kept = ready.is_some();
            let connection = match ready.take() {
                Some(ready) => ready,
                None => attempt::open(&self.endpoint, way).await?,
            };
            match attempt::send(connection, &self.endpoint, way, request, &cx.interim).await {
                Ok(response) => return Ok(response),
                Err(mut failure) => match failure.take_repeatable().filter(|_| is_kept && failure.is_stale()) {
                    Some(again) => request = again,
                    None => return Err(failure),
                },
            }
        }
    }
}

impl Service for Client {
    fn call<'a>(&'a self, request: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(self.answer(request, cx))
    }
}
