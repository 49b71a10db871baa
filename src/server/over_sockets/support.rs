//! A server on a free port, services that tell what they saw, and plain clients.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use trafficcop_config::dynamic::tls;
use trafficcop_config::settings::{EntryPoint, Settings};
use trafficcop_exchange::{Exchange, LocalBoxFuture, Request, Response, RouteInfo, Service, StatusCode};
use trafficcop_merger::Merged;
use trafficcop_observe::{Observer, Outcome, Record};
use trafficcop_router::rule::parse_http;
use trafficcop_router::tcp::TcpTable;
use trafficcop_router::{Route as Ranked, RouteTable, Syntax, default_priority};
use trafficcop_snapshot::{Entry, Live, Report, Route, Snapshot, TlsOptionsByHost};
use trafficcop_tls::TlsState;

use crate::{Options, Server, Stopping};

/// Nothing in these tests takes so long unless it hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Answers with what it was asked: request line, host, then the headers given by name.
pub(super) struct Echo(pub(super) &'static [&'static str]);

impl Service for Echo {
    fn call<'a>(&'a self, mut req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let host = String::from_utf8_lossy(&req.host).into_owned();
            let mut text = format!("{} {} {host} {}\n", req.method, req.target.to_uri(), cx.connection.peer.ip());
            for name in self.0 {
                text.extend([name, ": ", req.headers.get_str(name).unwrap_or("-"), "\n"]);
            }
            if let Ok(body) = req.body.collect(1 << 20).await {
                text.push_str(&String::from_utf8_lossy(&body));
            }
            let mut response = Response::new(StatusCode::OK);
            response.body = text.into();
            response
        })
    }
}

/// Answers always the same.
pub(super) struct Says(pub(super) &'static str);

impl Service for Says {
    fn call<'a>(&'a self, _: Request, _: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        let mut response = Response::new(StatusCode::OK);
        response.body = Bytes::from_static(self.0.as_bytes()).into();
        Box::pin(std::future::ready(response))
    }
}

/// Panics.
pub(super) struct Broken;

impl Service for Broken {
    fn call<'a>(&'a self, _: Request, _: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(async { panic!("on purpose") })
    }
}

/// Says when it was asked, and answers when told.
#[derive(Default)]
pub(super) struct Held {
    pub(super) asked: Notify,
    pub(super) go: Notify,
}

impl Service for Held {
    fn call<'a>(&'a self, _: Request, _: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(async {
            self.asked.notify_one();
            self.go.notified().await;
            let mut response = Response::new(StatusCode::OK);
            response.body = "held".into();
            response
        })
    }
}

/// Keeps what it was told.
#[derive(Default)]
pub(super) struct Told {
    pub(super) outcomes: Mutex<Vec<(Option<String>, Outcome)>>,
    pub(super) count: AtomicUsize,
    pub(super) ended: Notify,
}

struct Teller(Arc<Told>);

impl Observer for Teller {
    fn started(&self, _: &Request, _: &Exchange) -> Option<Box<dyn Record>> {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        Some(Box::new(Self(Arc::clone(&self.0))))
    }
}

impl Record for Teller {
    fn finished(self: Box<Self>, exchange: &mut Exchange, outcome: &Outcome) {
        let router = exchange.route.as_ref().map(|route| route.router.to_string());
        self.0.outcomes.lock().push((router, *outcome));
        self.0.ended.notify_one();
    }
}

/// What an entry point shall serve: rule, whether over TLS, and what answers.
pub(super) type Routes = Vec<(&'static str, bool, Arc<dyn Service>)>;

pub(super) fn snapshot(routes: Routes, tls: &tls::Tls, options: &[(&str, &str)]) -> Arc<Snapshot> {
    let (mut http, mut https) = (Vec::new(), Vec::new());
    for (rule, secure, service) in routes {
        let parsed = parse_http(rule, Syntax::V3).unwrap();
        let info = RouteInfo {
            router: rule.into(),
            service: "s@file".into(),
            access_logs: true,
            metrics: true,
            tracing: true,
            detailed: false,
        };
        let route = Arc::new(Route { info: Arc::new(info), service, tls_options: "default".into() });
        let ranked = Ranked { rule: parsed, priority: default_priority(rule), precedence: 0, name: rule.into(), route };
        if secure { https.push(ranked) } else { http.push(ranked) }
    }
    let hosts = options.iter().map(|(host, name)| ((*host).to_owned(), Arc::from(*name)));
    let entry = Entry {
        name: "web".into(),
        http: RouteTable::build(http).into(),
        https: RouteTable::build(https).into(),
        tls_options: TlsOptionsByHost::new(hosts),
        https_for_all: false,
        disabled: None,
        tcp: TcpTable::build(Vec::new()),
        tcp_tls: TcpTable::build(Vec::new()),
        udp: None,
    };
    let (tls, _problems) = TlsState::build(tls, None);
    Arc::new(Snapshot {
        entries: [Arc::new(entry)].into(),
        tls: Arc::new(tls),
        merged: Arc::new(Merged::default()),
        report: Arc::new(Report::default()),
    })
}

/// A running server.
pub(super) struct Running {
    pub(super) server: Server,
    pub(super) live: Arc<Live>,
    pub(super) address: SocketAddr,
    pub(super) told: Arc<Told>,
    pub(super) stopping: Stopping,
}

pub(super) async fn start(snapshot: &Arc<Snapshot>, configure: impl FnOnce(&mut EntryPoint)) -> Running {
    let mut entry = EntryPoint { address: "127.0.0.1:0".into(), ..EntryPoint::default() };
    configure(&mut entry);
    let settings = Settings { entry_points: [("web".to_owned(), entry)].into(), ..Settings::default() };
    let live = Live::new(2, snapshot).unwrap();
    let told = Arc::new(Told::default());
    let stopping = Stopping::default();
    let options = Options {
        workers: 2,
        stopping: stopping.clone(),
        observer: Arc::new(Teller(Arc::clone(&told))),
        ..Options::default()
    };
    let server = Server::start(&settings, &live, options).await.unwrap();
    let address = server.local_addr("web").unwrap();
    Running { server, live, address, told, stopping }
}

/// Sends bytes and returns all that comes until the server closes.
pub(super) async fn talk(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    read_all(&mut stream).await
}

pub(super) async fn read_all(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let _reset_counts_as_end = read.expect("the server closes");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a request on a kept connection and reads its answer, which must be of known length.
pub(super) async fn ask(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin), request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut byte)).await.expect("an answer in time");
        read.unwrap_or_else(|error| panic!("{error}, after {:?}", String::from_utf8_lossy(&answer)));
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap();
    let length =
        head.to_lowercase().lines().find_map(|line| Some(line.strip_prefix("content-length: ")?.parse().unwrap()));
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    head + &String::from_utf8(body).unwrap()
}
