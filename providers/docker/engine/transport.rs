//! How bollard's requests reach the engine: one transport for sockets, TCP, TLS and SSH.
//!
//! Connections are kept for the next request. What must hold: nothing but GET and HEAD of the endpoints that a read-only
//! socket proxy allows ever leaves this file.

use std::sync::{Arc, Mutex, PoisonError};

use bollard::BollardRequest;
use bollard::errors::Error;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, HeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::sync::Notify;

use super::Endpoint;
use super::dial::dial;

/// Idle connections kept.
const MAX_IDLE: usize = 8;

type Sender = SendRequest<Empty<Bytes>>;

/// See the module. Clones share the connections.
#[derive(Clone)]
pub(super) struct Transport(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    tls: Option<Arc<ClientConfig>>,
    authorization: Option<HeaderValue>,
    /// Put before every path but that of a ping: `/v1.41`.
    version: Mutex<String>,
    idle: Mutex<Vec<Sender>>,
    /// The engine has begun to answer a request for events.
    listening: Notify,
}

impl Transport {
    pub(super) fn new(endpoint: Endpoint, tls: Option<Arc<ClientConfig>>, authorization: Option<HeaderValue>) -> Self {
        Self(Arc::new(Inner {
            endpoint,
            tls,
            authorization,
            version: Mutex::default(),
            idle: Mutex::default(),
            listening: Notify::new(),
        }))
    }

    /// From now on requests are made in this version of the API.
    pub(super) fn speak(&self, version: &str) {
        *self.0.version.lock().unwrap_or_else(PoisonError::into_inner) = format!("/v{version}");
    }

    /// Waits until the engine has answered the next request for events: what happens from then on will be told.
    pub(super) async fn listening(&self) {
        self.0.listening.notified().await;
    }

    /// Sends a request for `path` as it is.
    pub(super) async fn send(&self, method: Method, path: &str) -> Result<Response<Incoming>, Error> {
        self.0.send(method, path).await
    }

    /// Asks for `path` in the version agreed upon.
    pub(super) async fn ask(&self, path: &str) -> Result<Response<Incoming>, Error> {
        let version = self.0.version.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let path = path.replace('{', "%7B").replace('}', "%7D").replace('"', "%22");
        self.0.send(Method::GET, &format!("{version}{path}")).await
    }

    /// Sends a request of bollard's in the version agreed upon.
    pub(super) async fn carry(self, request: BollardRequest) -> Result<Response<Incoming>, Error> {
        let version = self.0.version.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let asked = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let path = unversioned(asked);
        let response = self.0.send(request.method().clone(), &format!("{version}{path}")).await?;
        if path.starts_with("/events") && response.status().is_success() {
            self.0.listening.notify_one();
        }
        Ok(response)
    }
}

/// The path without bollard's own idea of a version.
fn unversioned(path: &str) -> &str {
    let is_version =
        |step: &str| step.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    match path.strip_prefix("/v").and_then(|rest| rest.split_once('/')) {
        Some((version, _)) if is_version(version) => &path[version.len() + 2..],
        _ => path,
    }
}

impl Inner {
    async fn send(&self, method: Method, path: &str) -> Result<Response<Incoming>, Error> {
        if method != Method::GET && method != Method::HEAD {
            return Err(std::io::Error::other("only reading requests are sent to the engine").into());
        }
        // A connection that the engine closed meanwhile shows only when it is used; reading twice does no harm.
        if let Some(mut kept) = self.checkout()
            && let Ok(response) = kept.send_request(self.request(&method, path)?).await
        {
            self.keep(kept);
            return Ok(response);
        }
        let stream = dial(&self.endpoint, self.tls.as_ref()).await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let response = sender.send_request(self.request(&method, path)?).await?;
        self.keep(sender);
        Ok(response)
    }

    fn request(&self, method: &Method, path: &str) -> Result<Request<Empty<Bytes>>, Error> {
        let (prefix, host) = match &self.endpoint {
            Endpoint::Tcp { host, port, prefix, .. } if host.contains(':') => {
                (prefix.as_str(), format!("[{host}]:{port}"))
            }
            Endpoint::Tcp { host, port, prefix, .. } => (prefix.as_str(), format!("{host}:{port}")),
            Endpoint::Unix(_) | Endpoint::Ssh { .. } => ("", "docker".to_owned()),
        };
        let uri: Uri = format!("{prefix}{path}").parse().map_err(std::io::Error::other)?;
        let mut request = Request::builder().method(method.clone()).uri(uri).header(HOST, host);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        Ok(request.body(Empty::new()).map_err(std::io::Error::other)?)
    }

    fn checkout(&self) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|sender| !sender.is_closed());
        // One whose answer is still being read is not ready.
        let ready = idle.iter().position(Sender::is_ready)?;
        Some(idle.swap_remove(ready))
    }

    /// Dropping what does not fit closes it once its answer is read.
    fn keep(&self, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(sender);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::unversioned;

    #[test]
    fn versions_are_taken_off() {
        for (path, expected) in [
            ("/v1.53/containers/json?all=true", "/containers/json?all=true"),
            ("/containers/json", "/containers/json"),
            ("/v1/events", "/events"),
            ("/volumes/x", "/volumes/x"),
            ("/version", "/version"),
            ("/", "/"),
        ] {
            assert_eq!(unversioned(path), expected);
        }
    }
}
