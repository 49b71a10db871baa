//! One request to one server: a kept connection or a new one, and the answer.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use trafficcop_exchange::{Interim, Method, Request, Response};
use trafficcop_h1::{CallOptions, Connection};

use super::connect::{Protocol, dial};
use super::failure::{ConnectError, Failure};
use super::h2::Shared;
use super::pinned::Way;
use super::pool;
use super::retired;
use super::server_url::Scheme;
use super::stream::Stream;
use super::transport::Endpoint;

/// A connection that can carry a request now.
pub(crate) enum Ready {
    Http1(Connection<Stream>),
    Http2(Shared),
}

/// What is there already. Requests that want to leave HTTP must stay with HTTP/1.1.
pub(crate) fn kept(endpoint: &Endpoint, way: Way) -> Option<Ready> {
    if endpoint.url.scheme != Scheme::Http
        && !way.http1_only
        && let Some(shared) = pool::share(endpoint)
    {
        return Some(Ready::Http2(shared));
    }
    // By prior knowledge there is no HTTP/1.1 but for upgrades.
    if endpoint.url.scheme == Scheme::H2c && !way.http1_only {
        return None;
    }
    pool::take(endpoint, way.owner).map(Ready::Http1)
}

/// A new connection; of HTTP/2 perhaps one that somebody else was opening at the moment.
pub(crate) async fn open(endpoint: &Arc<Endpoint>, way: Way) -> Result<Ready, ConnectError> {
    let mut _others_wait = None;
    if !way.http1_only && endpoint.speaks_http2.load(Ordering::Relaxed) {
        match pool::open_shared(endpoint) {
            Ok(opening) => _others_wait = Some(opening),
            Err(ended) => {
                ended.notified().await;
                // If that has failed, everybody finds out for himself.
                if let Some(shared) = pool::share(endpoint) {
                    return Ok(Ready::Http2(shared));
                }
            }
        }
    }
    let (stream, protocol) = dial(endpoint, way.http1_only).await?;
    if !way.http1_only {
        endpoint.speaks_http2.store(protocol == Protocol::Http2, Ordering::Relaxed);
    }
    match protocol {
        Protocol::Http1 => Ok(Ready::Http1(Connection::new(stream))),
        Protocol::Http2 => {
            let shared = Shared::open(stream, &endpoint.manners).await?;
            pool::put_shared(endpoint, shared.clone());
            Ok(Ready::Http2(shared))
        }
    }
}

/// Sends the request and waits for the head of the answer.
pub(crate) async fn send(
    ready: Ready,
    endpoint: &Arc<Endpoint>,
    way: Way,
    mut request: Box<Request>,
    interim: &Interim,
) -> Result<Response, Failure> {
    match ready {
        // Boxed, so that requests over HTTP/1.1 do not carry the room for this along.
        Ready::Http2(shared) => Box::pin(send_shared(shared, endpoint, request)).await,
        Ready::Http1(connection) => {
            if endpoint.via.is_some() && endpoint.url.scheme != Scheme::Https {
                address_proxy(&mut request, endpoint);
            }
            let home = Arc::clone(endpoint);
            let home = move |connection| pool::put(&home, way.owner, connection);
            let mut options = &endpoint.manners.call;
            let of_upgrades;
            if request.upgrade.is_some() {
                // Some servers want these names spelled as in the standard, which Go's canonical case is not.
                spell_websocket(&mut request);
                of_upgrades = Box::new(CallOptions { canonical_names: false, ..options.clone() });
                options = &of_upgrades;
            }
            let (host, condemned) = (connection.io().peer(), connection.io().condemned());
            let mut call = pin!(connection.call(request, options, interim, home));
            tokio::select! {
                biased;
                answer = &mut call => return Ok(answer?),
                () = retired::death(endpoint, host) => condemned.set(),
            }
            // It finds the connection at its end, and gives the request back if it can be sent elsewhere.
            Ok(call.await?)
        }
    }
}

async fn send_shared(mut shared: Shared, endpoint: &Endpoint, request: Box<Request>) -> Result<Response, Failure> {
    let is_secure = endpoint.url.scheme == Scheme::Https;
    let host = shared.peer();
    let spare = may_be_spared(&request).then(|| Box::new(copy(&request)));
    let limit = endpoint.manners.call.response_header_timeout;
    tokio::select! {
        biased;
        answer = shared.call(*request, is_secure, limit) => answer,
        () = retired::death(endpoint, host) => Err(Failure::gone(spare)),
    }
}

/// Whether a request may be sent again when a kept connection was closed without an answer: the server may have seen it.
pub(crate) fn may_repeat(request: &Request) -> bool {
    const HARMLESS: [Method; 6] =
        [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE, Method::PUT, Method::DELETE];
    HARMLESS.contains(&request.method)
        || request.headers.contains("idempotency-key")
        || request.headers.contains("x-idempotency-key")
}

/// Whether a copy costs little and may be sent when hyper does not give the request back.
fn may_be_spared(request: &Request) -> bool {
    request.body.is_empty() && may_repeat(request)
}

fn copy(request: &Request) -> Request {
    let mut copy = Request::new(request.method.clone(), request.target.clone());
    copy.host = request.host.clone();
    copy.headers = request.headers.clone();
    copy
}

/// A proxy wants the whole URL.
fn address_proxy(request: &mut Request, endpoint: &Endpoint) {
    let mut whole = b"http://".to_vec();
    whole.extend_from_slice(&endpoint.url.authority);
    whole.extend_from_slice(request.target.path().as_bytes());
    request.target.set_path(whole);
    if let Some(authorization) = endpoint.via.as_ref().and_then(|via| via.authorization.as_deref()) {
        request.headers.insert("Proxy-Authorization", Bytes::copy_from_slice(authorization.as_bytes()));
    }
}

fn spell_websocket(request: &mut Request) {
    const NAMES: [&str; 5] = [
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Accept",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Version",
    ];
    for name in NAMES {
        let values: Vec<Vec<u8>> = request.headers.get_all(name).map(<[u8]>::to_vec).collect();
        if !values.is_empty() {
            request.headers.remove(name);
            for value in values {
                request.headers.push(name.as_bytes(), &value);
            }
        }
    }
}
