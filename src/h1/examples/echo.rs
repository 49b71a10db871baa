//! The engine alone, to measure it: answers every request with 200 bytes, or forwards it to the ports in
//! `BENCH_BACKENDS` (separated by commas) in turn. Listens on `BENCH_HTTP` (a port, 8080 when unset); this is
//! what `shared/bench/compare --spike h1=PATH` starts.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use trafficcop_exchange::{Body, Interim, Request, Response, StatusCode, reply};
use trafficcop_h1::{CallOptions, Connection, Drain, Handler, ServeOptions, serve};

type Idle = Rc<RefCell<Vec<Connection<TcpStream>>>>;

struct Worker {
    backends: Vec<(SocketAddr, Idle)>,
    turn: Cell<usize>,
    options: CallOptions,
    peer: String,
}

impl Worker {
    async fn forward(&self, mut request: Request, interim: Interim) -> Response {
        let turn = self.turn.get();
        self.turn.set(turn + 1);
        let (address, idle) = &self.backends[turn % self.backends.len()];
        request.headers.retain(|name, _| !name.eq_ignore_ascii_case("connection"));
        request.headers.push(b"X-Forwarded-For", self.peer.as_bytes());
        request.headers.push(b"X-Forwarded-Proto", b"http");
        let kept = std::iter::from_fn(|| idle.borrow_mut().pop()).find_map(|mut kept| kept.is_usable().then_some(kept));
        let connection = match kept {
            Some(kept) => kept,
            None => match TcpStream::connect(address).await {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    Connection::new(stream)
                }
                Err(_) => return reply::status_text(StatusCode::BAD_GATEWAY),
            },
        };
        let home = {
            let idle = idle.clone();
            move |connection| idle.borrow_mut().push(connection)
        };
        match connection.call(request, &self.options, &interim, home).await {
            Ok(mut response) => {
                response.headers.remove("connection");
                response
            }
            Err(_) => reply::status_text(StatusCode::BAD_GATEWAY),
        }
    }
}

impl Handler for Worker {
    async fn call(&self, request: Request, interim: Interim) -> Response {
        if self.backends.is_empty() {
            let mut response = Response::new(StatusCode::OK);
            response.body = Body::Full(Bytes::from_static(&[b'x'; 200]));
            return response;
        }
        self.forward(request, interim).await
    }
}

fn main() -> std::io::Result<()> {
    let port: u16 = std::env::var("BENCH_HTTP").ok().and_then(|port| port.parse().ok()).unwrap_or(8080);
    let backends = std::env::var("BENCH_BACKENDS").unwrap_or_default();
    let backends = backends.split(',').filter_map(|port| Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?))));
    let worker = Rc::new(Worker {
        backends: backends.map(|address| (address, Idle::default())).collect(),
        turn: Cell::new(0),
        options: CallOptions::default(),
        peer: "127.0.0.1".to_owned(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let (drain, options) = (Drain::new(), Rc::new(ServeOptions::default()));
        loop {
            let (stream, _) = listener.accept().await?;
            let _ = stream.set_nodelay(true);
            let (worker, drain, options) = (worker.clone(), drain.clone(), options.clone());
            tokio::task::spawn_local(async move {
                let _ = serve(stream, Bytes::new(), &options, &drain, &*worker).await;
            });
        }
    })
}
