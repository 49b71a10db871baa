//! Asking a server how it is, over HTTP.
//!
//! Probes run on the control plane and open a connection each, so that they also see a server that has stopped
//! listening. They carry what Go's client carries, since servers are used to it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::timeout;
use trafficcop_config::dynamic::http::HealthCheck;
use url::Url;

use super::grpc;
use crate::http::Transport;
use crate::http::connect::{Protocol, dial};
use crate::http::failure::ConnectError;
use crate::http::server_url::ServerUrl;
use crate::http::stream::Stream;
use crate::http::transport::{Endpoint, Manners};

const MOST_REDIRECTS: usize = 10;

/// How one server is asked.
pub(super) struct Probe {
    manners: Arc<Manners>,
    endpoint: Arc<Endpoint>,
    url: Url,
    is_grpc: bool,
    method: Method,
    /// 0: anything from 200 to 399.
    status: i64,
    /// Instead of the server's own name.
    hostname: Option<HeaderValue>,
    headers: Vec<(HeaderName, HeaderValue)>,
    follows_redirects: bool,
    timeout: Duration,
}

/// Why a server is not well.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwell {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("no HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("received error status code: {0}")]
    Status(StatusCode),
    #[error("received error status code: {found} expected status code: {expected}")]
    OtherStatus { found: StatusCode, expected: i64 },
    #[error("{0}")]
    Grpc(String),
    #[error("the settings of the health check are not usable: {0}")]
    Unusable(String),
    #[error("the redirection leads nowhere: {0}")]
    Redirect(String),
}

impl Probe {
    pub(super) fn new(
        settings: &HealthCheck,
        server: &ServerUrl,
        transport: &Transport,
        timeout: Duration,
    ) -> Result<Self, Unwell> {
        let bad = Unwell::Unusable;
        if Url::parse(&settings.path).is_ok() || settings.path.starts_with("//") {
            return Err(bad(format!("path must be a relative URL, got: {:?}", settings.path)));
        }
        let host = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.to_string() };
        let scheme = if settings.scheme.is_empty() { server.scheme.name() } else { settings.scheme.as_str() };
        let port = u16::try_from(settings.port).ok().filter(|port| *port > 0);
        // Joined as http, since only then are paths resolved alike; the scheme plays no part in it.
        let base = Url::parse(&format!("http://{host}:{}{}", port.unwrap_or(server.port), server.path));
        let url = base.and_then(|base| base.join(&settings.path)).map_err(|error| bad(error.to_string()))?;
        let own = match port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{}", String::from_utf8_lossy(&server.authority)),
        };
        let mut headers = Vec::new();
        for (name, value) in &settings.headers {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_bad| bad(format!("{name:?} is no header name")))?;
            let value = HeaderValue::from_str(value).map_err(|_bad| bad(format!("{value:?} is no header value")))?;
            if name != header::HOST {
                headers.push((name, value));
            }
        }
        let method = if settings.method.is_empty() { "GET" } else { &settings.method };
        let hostname = (!settings.hostname.is_empty()).then(|| HeaderValue::from_str(&settings.hostname));
        Ok(Self {
            manners: Arc::clone(&transport.manners),
            endpoint: Endpoint::new(
                ServerUrl::parse(&own).map_err(|error| bad(error.to_string()))?,
                &transport.manners,
            ),
            url,
            is_grpc: settings.mode == "grpc",
            method: method.parse().map_err(|_bad| bad(format!("{method:?} is no method")))?,
            status: settings.status,
            hostname: hostname.transpose().map_err(|_bad| bad(format!("{:?} is no host", settings.hostname)))?,
            headers,
            follows_redirects: settings.follow_redirects.unwrap_or(true),
            timeout,
        })
    }

    pub(super) async fn run(&self) -> Result<(), Unwell> {
        let asked = async { if self.is_grpc { grpc::check(&self.endpoint).await } else { self.ask().await } };
        timeout(self.timeout, asked).await.unwrap_or(Err(Unwell::Late(self.timeout)))
    }

    async fn ask(&self) -> Result<(), Unwell> {
        let mut endpoint = Arc::clone(&self.endpoint);
        let mut url = self.url.clone();
        let mut method = self.method.clone();
        let mut hostname = self.hostname.as_ref();
        let mut referer: Option<String> = None;
        for redirects in 0.. {
            let response = self.send(&endpoint, &url, method.clone(), hostname, referer.as_deref()).await?;
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let is_followed =
                self.follows_redirects && matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            let (true, Some(location)) = (is_followed, location) else { return self.judge(response.status()) };
            if redirects == MOST_REDIRECTS {
                break;
            }
            if response.status().as_u16() < 304 && method != Method::HEAD {
                method = Method::GET;
            }
            let nowhere = |_error| Unwell::Redirect(location.to_owned());
            let scheme = endpoint.url.scheme.name();
            let was_relative = Url::parse(location).is_err();
            hostname = hostname.filter(|_| was_relative);
            referer = Some(format!("{scheme}://{}", &url[url::Position::BeforeHost..]));
            url = url.join(location).map_err(nowhere)?;
            let next = if was_relative {
                format!("{scheme}://{}", &url[url::Position::BeforeHost..url::Position::AfterPort])
            } else {
                url.to_string()
            };
            let next = ServerUrl::parse(&next).map_err(|_bad| Unwell::Redirect(location.to_owned()))?;
            endpoint = Endpoint::new(next, &self.manners);
        }
        Err(Unwell::Redirect(format!("stopped after {MOST_REDIRECTS} redirects")))
    }

    fn judge(&self, found: StatusCode) -> Result<(), Unwell> {
        match self.status {
            0 if (200..400).contains(&found.as_u16()) => Ok(()),
            0 => Err(Unwell::Status(found)),
            expected if expected == i64::from(found.as_u16()) => Ok(()),
            expected => Err(Unwell::OtherStatus { found, expected }),
        }
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        url: &Url,
        method: Method,
        hostname: Option<&HeaderValue>,
        referer: Option<&str>,
    ) -> Result<http::Response<hyper::body::Incoming>, Unwell> {
        let (stream, protocol) = dial(endpoint, false).await?;
        let own = HeaderValue::from_maybe_shared(endpoint.url.authority.clone());
        let host = hostname.cloned().unwrap_or(own.unwrap_or(HeaderValue::from_static("")));
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let mut request = Request::new(Empty::<Bytes>::new());
        if method != Method::HEAD {
            request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        *request.method_mut() = method;
        let agent = HeaderValue::from_static(match protocol {
            Protocol::Http1 => "Go-http-client/1.1",
            Protocol::Http2 => "Go-http-client/2.0",
        });
        request.headers_mut().insert(header::USER_AGENT, agent);
        if let Some(referer) = referer.and_then(|referer| HeaderValue::from_str(referer).ok()) {
            request.headers_mut().insert(header::REFERER, referer);
        }
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        let unsendable = |_error: http::Error| Unwell::Redirect(path.to_owned());
        match protocol {
            Protocol::Http1 => {
                *request.uri_mut() = Uri::builder().path_and_query(path).build().map_err(unsendable)?;
                request.headers_mut().insert(header::HOST, host);
                http1(stream, request).await
            }
            Protocol::Http2 => {
                let uri = Uri::builder().scheme("https").authority(host.as_bytes()).path_and_query(path);
                *request.uri_mut() = uri.build().map_err(unsendable)?;
                let (mut sender, connection) =
                    hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
                let _driver = Ending(tokio::spawn(async move { drop(connection.await) }));
                Ok(sender.send_request(request).await?)
            }
        }
    }
}

async fn http1(
    stream: Stream,
    request: Request<Empty<Bytes>>,
) -> Result<http::Response<hyper::body::Incoming>, Unwell> {
    let (mut sender, connection) =
        hyper::client::conn::http1::Builder::new().title_case_headers(true).handshake(TokioIo::new(stream)).await?;
    let _driver = Ending(tokio::spawn(async move { drop(connection.await) }));
    Ok(sender.send_request(request).await?)
}

/// A task that ends with whoever waits for it: nothing but the head of an answer is wanted.
pub(super) struct Ending(pub(super) tokio::task::JoinHandle<()>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}
