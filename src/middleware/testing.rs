//! What the tests of the kinds share: requests, exchanges, and a service that records what reaches it.

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use trafficcop_config::read::{Format, document};
use trafficcop_exchange::{
    Body, Chain, ConnectionInfo, Exchange, LocalBoxFuture, Method, Request, Response, Service, StatusCode, Target,
};

use crate::{BuildError, ChainBuilder, Parts, find};

/// A request for `uri` to the host `a.test`.
pub(crate) fn request(method: Method, uri: &str) -> Request {
    let mut request = Request::new(method, Target::parse(Bytes::copy_from_slice(uri.as_bytes())));
    request.host = Bytes::from_static(b"a.test");
    request
}

/// An exchange of a client at 10.0.0.1 on a plain entry point.
pub(crate) fn exchange() -> Exchange {
    from("10.0.0.1")
}

/// An exchange of a client at this address.
pub(crate) fn from(peer: &str) -> Exchange {
    let peer = std::net::SocketAddr::new(peer.parse().expect("an address"), 1234);
    let local = std::net::SocketAddr::from(([127, 0, 0, 1], 80));
    let mut exchange = Exchange::new(Rc::new(ConnectionInfo::new("web".into(), peer, local, None)));
    exchange.canonical_host = "a.test".into();
    exchange
}

/// A service that answers with what it was made of and remembers what it saw.
pub(crate) struct Origin {
    pub(crate) answer: fn(usize) -> Response,
    pub(crate) seen: Mutex<Vec<Seen>>,
}

/// What reached the service: method, request URI, headers, body.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: String,
    pub(crate) host: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Origin {
    /// Answers 200 with the body `ok`.
    pub(crate) fn ok() -> Arc<Self> {
        Self::answering(|_| {
            let mut response = Response::new(StatusCode::OK);
            response.body = Body::from("ok");
            response
        })
    }

    /// `answer` gets the number of the call, from 0.
    pub(crate) fn answering(answer: fn(usize) -> Response) -> Arc<Self> {
        Arc::new(Self { answer, seen: Mutex::default() })
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panics while it holds this").clone()
    }
}

impl Service for Origin {
    fn call<'a>(&'a self, mut req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let body = req.body.collect(u64::MAX).await.unwrap_or_default();
            let headers =
                req.headers.iter().map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()));
            let seen = Seen {
                method: req.method.clone(),
                uri: req.target.to_uri(),
                host: req.host_str().to_owned(),
                headers: headers.collect(),
                body,
            };
            let number = {
                let mut all = self.seen.lock().expect("no test panics while it holds this");
                all.push(seen);
                all.len() - 1
            };
            let response = (self.answer)(number);
            cx.origin_status = Some(response.status);
            response
        })
    }
}

/// Builds `kind` with settings written as YAML (flow style is handy) before `origin`.
pub(crate) fn chain(kind: &str, settings: &str, origin: Arc<dyn Service>) -> Result<Chain, BuildError> {
    let node = document(settings, Format::Yaml, "test.yml")?;
    let mut parts = Nothing { service: Arc::clone(&origin) };
    let mut builder = ChainBuilder::new("m@test", "test", "r@test", &mut parts);
    (find(kind).expect("the kind is in the registry").build)(&node, &mut builder)?;
    Ok(Chain::new(builder.finish(), origin))
}

/// Runs one request through a chain on a current-thread runtime with its own local set.
pub(crate) fn run(chain: &Chain, request: Request, exchange: &mut Exchange) -> Response {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, chain.run(request, exchange))
}

/// Parts in which every service and client is the one given, and no other middleware exists.
struct Nothing {
    service: Arc<dyn Service>,
}

impl Parts for Nothing {
    fn middleware(&mut self, name: &str) -> Result<Vec<trafficcop_exchange::Step>, BuildError> {
        Err(BuildError::Reference(format!("middleware \"{name}\" does not exist")))
    }
    fn service(&mut self, _: &str) -> Result<Arc<dyn Service>, BuildError> {
        Ok(Arc::clone(&self.service))
    }
    fn client(
        &mut self,
        _: &str,
        _: Option<&trafficcop_config::dynamic::tcp::TlsClient>,
    ) -> Result<Arc<dyn Service>, BuildError> {
        Ok(Arc::clone(&self.service))
    }
}
