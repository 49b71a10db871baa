//! What the tests of this floor share: an exchange, requests, and servers on loopback that do as they are told.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use trafficcop_config::dynamic::http::{LoadBalancer, Server, ServersTransport};
use trafficcop_exchange::{Body, ConnectionInfo, Exchange, Method, Request, Response, Service, Target};

use super::{Forwarding, Servers, Transport};

/// An exchange with the client 192.0.2.1.
pub(crate) fn exchange() -> Exchange {
    Exchange::new(Rc::new(ConnectionInfo::new(
        Arc::from("web"),
        ([192, 0, 2, 1], 4711).into(),
        ([192, 0, 2, 2], 80).into(),
        None,
    )))
}

pub(crate) fn request(method: Method, target: &'static str) -> Request {
    let mut request = Request::new(method, Target::parse(Bytes::from_static(target.as_bytes())));
    request.host = Bytes::from_static(b"a.test");
    request
}

/// Runs a test as a worker runs: one thread, local tasks.
pub(crate) async fn worker<T>(test: impl Future<Output = T>) -> T {
    tokio::task::LocalSet::new().run_until(test).await
}

/// What a server does with one request.
pub(crate) enum Act {
    Answer(String),
    /// And then the connection ends.
    LastAnswer(String),
    Close,
    /// Nothing at all.
    Silence,
}

/// 200 with that body.
pub(crate) fn ok(body: &str) -> Act {
    Act::Answer(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

pub(crate) struct Backend {
    pub(crate) url: String,
    connections: Rc<Cell<usize>>,
    seen: Rc<RefCell<Vec<String>>>,
    /// Accepting and every connection.
    tasks: Rc<RefCell<JoinSet<()>>>,
}

impl Backend {
    /// `act` gets the number of the connection and of the request on it, both from 1, and the request.
    pub(crate) async fn start(act: impl Fn(usize, usize, &str) -> Act + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let backend = Self { url, connections: Rc::default(), seen: Rc::default(), tasks: Rc::default() };
        let (connections, seen, act) = (Rc::clone(&backend.connections), Rc::clone(&backend.seen), Rc::new(act));
        let tasks = Rc::clone(&backend.tasks);
        backend.tasks.borrow_mut().spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.set(connections.get() + 1);
                let conversation = converse(stream, connections.get(), Rc::clone(&act), Rc::clone(&seen));
                tasks.borrow_mut().spawn_local(conversation);
            }
        });
        backend
    }

    /// As a process that is killed: nobody listens any more, and every connection ends.
    pub(crate) async fn kill(&self) {
        let mut tasks = self.tasks.take();
        tasks.shutdown().await;
    }

    pub(crate) async fn answering(body: &'static str) -> Self {
        Self::start(move |_, _, _| ok(body)).await
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.get()
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.borrow().clone()
    }
}

async fn converse(
    mut stream: TcpStream,
    connection: usize,
    act: Rc<impl Fn(usize, usize, &str) -> Act>,
    seen: Rc<RefCell<Vec<String>>>,
) {
    for number in 1.. {
        let Some(request) = read_request(&mut stream).await else { return };
        seen.borrow_mut().push(request.clone());
        match act(connection, number, &request) {
            Act::Answer(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            Act::LastAnswer(answer) => return stream.write_all(answer.as_bytes()).await.unwrap(),
            Act::Close => return,
            Act::Silence => std::future::pending().await,
        }
    }
}

/// Head and body, as far as they came.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            let is_whole = match length {
                Some(length) => body.len() >= length.parse().unwrap(),
                None => !head.contains("Transfer-Encoding: chunked") || body.ends_with("\r\n\r\n"),
            };
            if is_whole {
                return Some(text);
            }
        }
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}

/// A port on which nobody listens.
pub(crate) async fn closed_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

pub(crate) fn settings(urls: &[&str]) -> LoadBalancer {
    let server = |url: &&str| Server { url: (*url).to_owned(), ..Server::default() };
    LoadBalancer { servers: urls.iter().map(server).collect(), ..LoadBalancer::default() }
}

pub(crate) fn build(settings: &LoadBalancer) -> Arc<Servers> {
    build_with(settings, &ServersTransport { max_idle_conns_per_host: 200, ..ServersTransport::default() })
}

pub(crate) fn build_with(settings: &LoadBalancer, transport: &ServersTransport) -> Arc<Servers> {
    let transport = Transport::new(transport).unwrap();
    let forwarding = Forwarding { not_append_x_forwarded_for: false };
    Servers::new("s@file", settings, transport, &forwarding, &Handle::current()).unwrap()
}

pub(crate) fn servers(urls: &[&str]) -> Arc<Servers> {
    build(&settings(urls))
}

/// Status and body of the answer.
pub(crate) async fn ask(service: &dyn Service, request: Request) -> (u16, String) {
    ask_in(service, request, &mut exchange()).await
}

pub(crate) async fn ask_in(service: &dyn Service, request: Request, cx: &mut Exchange) -> (u16, String) {
    let mut response = service.call(request, cx).await;
    let body = text(&mut response).await;
    (response.status.as_u16(), body)
}

pub(crate) async fn get(service: &dyn Service) -> (u16, String) {
    ask(service, request(Method::GET, "/")).await
}

pub(crate) async fn text(response: &mut Response) -> String {
    String::from_utf8(response.body.collect(1 << 30).await.unwrap().to_vec()).unwrap()
}

pub(crate) fn with_body(mut request: Request, body: impl Into<Body>) -> Request {
    request.body = body.into();
    request
}
