//! A back end that tells what it was asked: for the demo, the compose examples and the tests.
//!
//! `/status/404` answers that code, `/bytes/1000000` so many bytes, `/slow/500` after so many milliseconds; every other
//! path answers the request's own head.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::{LocalSet, spawn_local};
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Interim, Request, Response, StatusCode, reply};
use trafficcop_h1::{Drain, Handler, ServeOptions, serve};

/// Runs one in the foreground until the process is told to end.
pub(super) fn alone(args: &[&str]) -> io::Result<()> {
    let (mut name, mut port) = (hostname(), 80);
    let mut words = args.iter();
    while let (Some(option), Some(value)) = (words.next(), words.next()) {
        match *option {
            "--name" => (*value).clone_into(&mut name),
            "--port" => port = value.parse().map_err(|_| io::Error::other(format!("{value} is not a port")))?,
            other => return Err(io::Error::other(format!("unknown option {other}"))),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (connections, drain) = (LocalSet::new(), Drain::new());
    connections.block_on(&runtime, async {
        let listener = TcpListener::bind(("0.0.0.0", port)).await?;
        let mut stop = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            _ = stop.recv() => Ok::<_, io::Error>(()),
            () = accept(listener, Rc::new(Echo { name }), &drain) => Ok(()),
        }
    })?;
    drain.start();
    // What is open may finish; what does not finish in time is cut.
    let _cut = runtime.block_on(tokio::time::timeout(Duration::from_secs(10), connections));
    Ok(())
}

/// Starts one on a free port of its own thread; it lives as long as the process.
pub(super) fn start(name: &'static str) -> io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(format!("echo-{name}")).spawn(move || {
        LocalSet::new().block_on(&runtime, async move {
            match TcpListener::from_std(listener) {
                Ok(listener) => accept(listener, Rc::new(Echo { name: name.to_owned() }), &Drain::new()).await,
                Err(error) => tracing::error!(%error, "The embedded back end cannot listen."),
            }
        });
    })?;
    Ok(address)
}

/// Serves what connects, for as long as it is polled.
pub(crate) async fn accept(listener: TcpListener, echo: Rc<impl Handler + 'static>, drain: &Drain) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _late_only = stream.set_nodelay(true);
        let (echo, drain) = (Rc::clone(&echo), drain.clone());
        spawn_local(async move {
            let _ended = serve(stream, Bytes::new(), &ServeOptions::default(), &drain, &*echo).await;
        });
    }
}

fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "backend".to_owned(), |name| name.trim().to_owned())
}

struct Echo {
    name: String,
}

impl Handler for Echo {
    async fn call(&self, request: Request, _: Interim) -> Response {
        let path = request.target.path().to_owned();
        match path.strip_prefix('/').and_then(|path| path.split_once('/')) {
            Some(("status", code)) => reply::status_text(
                code.parse().ok().and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or_default(),
            ),
            Some(("slow", millis)) => {
                tokio::time::sleep(Duration::from_millis(millis.parse().unwrap_or(100))).await;
                self.head(&request)
            }
            Some(("bytes", count)) => {
                let mut response = Response::new(StatusCode::OK);
                let left = count.parse().unwrap_or(0);
                response.headers.append("Content-Length", left.to_string());
                response.body = Body::stream(Zeros { left });
                response
            }
            _ => self.head(&request),
        }
    }
}

impl Echo {
    fn head(&self, request: &Request) -> Response {
        let mut text = format!("Name: {}\n", self.name);
        let _fits = writeln!(text, "{} {} {:?}", request.method, request.target.to_uri(), request.version);
        let _fits = writeln!(text, "Host: {}", request.host_str());
        for (name, value) in request.headers.iter() {
            let _fits = writeln!(text, "{name}: {}", String::from_utf8_lossy(value));
        }
        let mut response = Response::new(StatusCode::OK);
        response.headers.append("Content-Type", "text/plain; charset=utf-8");
        response.body = Body::from(text);
        response
    }
}

/// So many zero bytes.
struct Zeros {
    left: u64,
}

impl BodyStream for Zeros {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
        let size = self.left.min(ZEROS.len() as u64);
        self.left -= size;
        Poll::Ready((size > 0).then(|| Ok(Frame::Data(Bytes::from_static(&ZEROS[..size as usize])))))
    }

    fn remaining(&self) -> Option<u64> {
        Some(self.left)
    }
}
