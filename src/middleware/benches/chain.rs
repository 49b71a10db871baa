//! What a usual chain costs: `headers`, `stripPrefix`, `rateLimit`, `ipAllowList` and `compress` with nothing to compress,
//! beside the same service without any.

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use trafficcop_config::dynamic::tcp::TlsClient;
use trafficcop_config::read::{Format, document};
use trafficcop_exchange::{
    Chain, ConnectionInfo, Exchange, Headers, LocalBoxFuture, Method, Request, Response, Service, StatusCode, Step,
    Target,
};
use trafficcop_middleware::{BuildError, ChainBuilder, Parts, find};

const FIVE: [(&str, &str); 5] = [
    ("headers", "{customRequestHeaders: {X-From: proxy}, customResponseHeaders: {X-Proxy: cop}, frameDeny: true}"),
    ("stripPrefix", "{prefixes: [/api]}"),
    ("rateLimit", "{average: 1000000000, burst: 1000000000}"),
    ("ipAllowList", "{sourceRange: [10.0.0.0/8, 127.0.0.0/8]}"),
    ("compress", "{}"),
];

/// A request as a client sends it; `/api/200` is what remains of it in the end.
const HEAD: &[u8] = b"User-AgentxAccept*/*Accept-Encodinggzip, br";

/// Answers at once.
struct Ready;

impl Service for Ready {
    fn call<'a>(&'a self, _: Request, _: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        let mut response = Response::new(StatusCode::OK);
        response.headers.push(b"Content-Type", b"text/plain");
        response.headers.push(b"Content-Length", b"200");
        response.body = Bytes::from_static(&[b'x'; 200]).into();
        Box::pin(std::future::ready(response))
    }
}

/// These five need nothing else.
struct Nothing;

impl Parts for Nothing {
    fn middleware(&mut self, name: &str) -> Result<Vec<Step>, BuildError> {
        Err(BuildError::invalid(name))
    }
    fn service(&mut self, name: &str) -> Result<Arc<dyn Service>, BuildError> {
        Err(BuildError::invalid(name))
    }
    fn client(&mut self, url: &str, _: Option<&TlsClient>) -> Result<Arc<dyn Service>, BuildError> {
        Err(BuildError::invalid(url))
    }
}

fn chain(kinds: &[(&str, &str)]) -> Chain {
    let mut steps = Vec::new();
    for (kind, settings) in kinds {
        let node = document(settings, Format::Yaml, "bench.yml").expect("the settings are YAML");
        let mut parts = Nothing;
        let mut builder = ChainBuilder::new("m@bench", "bench", "r@bench", &mut parts);
        (find(kind).expect("the kind is in the registry").build)(&node, &mut builder).expect("the settings are right");
        steps.extend(builder.finish());
    }
    Chain::new(steps, Arc::new(Ready))
}

fn request(accepts: bool) -> Request {
    let mut request = Request::new(Method::GET, Target::parse(Bytes::from_static(b"/api/200")));
    request.host = Bytes::from_static(b"a.test");
    let mut headers = Headers::over(Bytes::from_static(HEAD));
    headers.push_read(0..10, 10..11);
    headers.push_read(11..17, 17..20);
    if accepts {
        headers.push_read(20..35, 35..43);
    }
    request.headers = headers;
    request
}

fn five(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (peer, local) = ("10.0.0.1:1234".parse().expect("an address"), "127.0.0.1:80".parse().expect("an address"));
    let connection = Rc::new(ConnectionInfo::new("web".into(), peer, local, None));
    let mut measure = |name: &str, kinds: &[(&str, &str)], accepts: bool| {
        let chain = chain(kinds);
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut exchange = Exchange::new(Rc::clone(&connection));
                black_box(runtime.block_on(chain.run(request(accepts), &mut exchange)))
            });
        });
    };
    measure("no middleware", &[], false);
    measure("five middlewares", &FIVE, false);
    measure("five middlewares, of a client that accepts gzip", &FIVE, true);
    for one in FIVE {
        measure(one.0, &[one], true);
    }
}

criterion_group! { name = benches; config = Criterion::default().sample_size(50); targets = five }
criterion_main!(benches);
