//! HTTP/2 towards servers: hyper's connection behind the words of `exchange`.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::oneshot;
use trafficcop_exchange::{Headers, Request, Response};

use super::failure::{ConnectError, Failure};
use super::h2_body::{Broken, Incoming, Outgoing};
use super::stream::Stream;
use super::transport::Manners;

/// Requests on one connection at a time, unless the server allows fewer.
const MOST_STREAMS: usize = 100;
/// What a server may send us unread, per stream and per connection.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
const MOST_HEADER_BYTES: u32 = 1 << 20;

/// A connection that carries many requests at once.
#[derive(Clone)]
pub(crate) struct Shared {
    sender: SendRequest<Outgoing>,
    use_: Rc<Use>,
    peer: SocketAddr,
}

struct Use {
    in_flight: Cell<usize>,
    /// What the server allows.
    most: Cell<usize>,
    since: Cell<Instant>,
}

/// One request on its way; dropped when its answer is over.
pub(crate) struct Stay(Rc<Use>);

impl Drop for Stay {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get() - 1);
        self.0.since.set(Instant::now());
    }
}

/// Runs hyper's tasks on the worker they belong to.
#[derive(Clone, Copy, Debug)]
struct OnThisWorker;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for OnThisWorker {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

impl Shared {
    pub(crate) async fn open(stream: Stream, manners: &Manners) -> Result<Self, ConnectError> {
        let peer = stream.peer();
        let mut builder = Builder::new(OnThisWorker);
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MOST_HEADER_BYTES);
        if let Some(silence) = manners.ping_after {
            builder.keep_alive_interval(silence).keep_alive_timeout(manners.ping_timeout);
        }
        let (sender, connection) = builder
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| ConnectError::Connect(std::io::Error::other(error)))?;
        let use_ =
            Rc::new(Use { in_flight: Cell::new(0), most: Cell::new(MOST_STREAMS), since: Cell::new(Instant::now()) });
        let limit = Rc::clone(&use_);
        let mut connection = Box::pin(connection);
        tokio::task::spawn_local(async move {
            let ended = poll_fn(|cx| {
                let polled = connection.as_mut().poll(cx);
                limit.most.set(connection.current_max_send_streams().clamp(1, MOST_STREAMS));
                polled
            });
            if let Err(error) = ended.await {
                tracing::debug!(%error, "HTTP/2 connection to a server ended.");
            }
        });
        Ok(Self { sender, use_, peer })
    }

    /// Where it leads.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.use_.in_flight.get() < self.use_.most.get()
    }

    pub(crate) fn is_idle_for(&self, limit: Option<Duration>, now: Instant) -> bool {
        let is_idle = self.use_.in_flight.get() == 0;
        is_idle && limit.is_some_and(|limit| now.duration_since(self.use_.since.get()) >= limit)
    }

    /// Sends the request and waits for the head of the answer.
    pub(crate) async fn call(
        &mut self,
        request: Request,
        is_secure: bool,
        head_timeout: Option<Duration>,
    ) -> Result<Response, Failure> {
        self.use_.in_flight.set(self.use_.in_flight.get() + 1);
        let stay = Stay(Rc::clone(&self.use_));
        let (sent, is_sent) = oneshot::channel::<()>();
        let broken = Broken::default();
        let request = to_http(request, is_secure, sent, broken.clone())?;
        let answered = self.sender.try_send_request(request);
        let late = async {
            match head_timeout {
                Some(limit) => {
                    // The time counts from when the whole request was sent.
                    let _sent_or_dropped = is_sent.await;
                    tokio::time::sleep(limit).await;
                }
                None => std::future::pending().await,
            }
        };
        let answered = tokio::select! {
            answered = answered => answered,
            () = late => return Err(Failure::late()),
        };
        match answered {
            Ok(response) => Ok(from_http(response, stay)),
            Err(mut error) => {
                if let Some(error) = broken.take() {
                    return Err(Failure::request_body(error));
                }
                let unsent = error.take_message().map(|request| Box::new(recover(request)));
                let error = error.into_error();
                if let Some(request) = unsent {
                    return Err(Failure::unsent(error, request));
                }
                Err(if error.is_parse() { Failure::bad_response(error) } else { Failure::closed(error) })
            }
        }
    }
}

fn to_http(
    request: Request,
    is_secure: bool,
    sent: oneshot::Sender<()>,
    broken: Broken,
) -> Result<http::Request<Outgoing>, Failure> {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(if is_secure { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(Authority::from_maybe_shared(request.host.clone()).map_err(Failure::unsendable)?);
    let path = PathAndQuery::from_maybe_shared(Bytes::from(request.target.to_uri())).map_err(Failure::unsendable)?;
    parts.path_and_query = Some(path);
    let uri = Uri::from_parts(parts).map_err(Failure::unsendable)?;
    let mut built = http::Request::new(Outgoing::new(request.body, sent, broken));
    *built.method_mut() = request.method;
    *built.uri_mut() = uri;
    *built.version_mut() = http::Version::HTTP_2;
    *built.headers_mut() = to_map(&request.headers);
    Ok(built)
}

/// A request that was never sent, for another connection.
fn recover(request: http::Request<Outgoing>) -> Request {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let target = trafficcop_exchange::Target::parse(Bytes::copy_from_slice(target.as_bytes()));
    let host = parts.uri.authority().map_or(Bytes::new(), |host| Bytes::copy_from_slice(host.as_str().as_bytes()));
    Request { host, headers: from_map(&parts.headers), body: body.into_body(), ..Request::new(parts.method, target) }
}

fn from_http(response: http::Response<hyper::body::Incoming>, stay: Stay) -> Response {
    let (parts, body) = response.into_parts();
    let mut response = Response::new(parts.status);
    response.headers = from_map(&parts.headers);
    response.body = Incoming::body(body, stay);
    response
}

/// Lines whose name or value HTTP/2 cannot carry are left out.
pub(super) fn to_map(headers: &Headers) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers.iter() {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            // Framing is HTTP/2's own.
            if name != http::header::CONTENT_LENGTH && name != http::header::HOST {
                map.append(name, value);
            }
        }
    }
    map
}

pub(super) fn from_map(map: &HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in map {
        headers.push(name.as_str().as_bytes(), value.as_bytes());
    }
    headers
}
