//! A back end that says who it is and what it was asked.
//!
//! `/bytes/N` answers N bytes, `/gate` answers when the test opens the gate, `/status/N` answers that code, and a request
//! to upgrade gets a WebSocket that says everything again.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// A back end; it lives as long as the test's runtime.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    /// Has a permit per request that waits at the gate.
    pub(crate) arrived: Arc<Semaphore>,
    /// Give it a permit, and one request at the gate is answered.
    pub(crate) gate: Arc<Semaphore>,
}

impl Backend {
    pub(crate) async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let (arrived, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let site = Arc::new(Site { name, arrived: Arc::clone(&arrived), gate: Arc::clone(&gate) });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&site)));
            }
        });
        Self { address, arrived, gate }
    }

    /// As a server of a service.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

struct Site {
    name: &'static str,
    arrived: Arc<Semaphore>,
    gate: Arc<Semaphore>,
}

/// Serves one connection; whoever is at its other end may go at any time.
async fn serve(mut stream: TcpStream, site: Arc<Site>) {
    let mut read = Vec::new();
    loop {
        // Looked at and left there, because a WebSocket's own reader wants to see the head, too.
        let mut seen = [0; 8192];
        let Ok(length @ 1..) = stream.peek(&mut seen).await else { return };
        let text = String::from_utf8_lossy(&seen[..length]).into_owned();
        if text.to_ascii_lowercase().contains("\r\nupgrade: websocket\r\n") {
            return say_again(stream).await;
        }
        let mut part = vec![0; length];
        if stream.read_exact(&mut part).await.is_err() {
            return;
        }
        read.extend_from_slice(&part);
        while let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            read.drain(..end + 4);
            if answer(&mut stream, &site, &head).await.is_err() {
                return;
            }
        }
    }
}

async fn say_again(stream: TcpStream) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if !(message.is_text() || message.is_binary()) || socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn answer(stream: &mut TcpStream, site: &Site, head: &str) -> std::io::Result<()> {
    let path = head.split(' ').nth(1).unwrap_or("/");
    let number = |prefix: &str| path.strip_prefix(prefix).and_then(|number| number.parse::<usize>().ok());
    if let Some(mut left) = number("/bytes/") {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {left}\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let block = vec![b'x'; 65536];
        while left > 0 {
            let size = left.min(block.len());
            stream.write_all(&block[..size]).await?;
            left -= size;
        }
        return Ok(());
    }
    if path == "/gate" {
        site.arrived.add_permits(1);
        site.gate.acquire().await.expect("nobody closes the gate").forget();
    }
    let status = number("/status/").unwrap_or(200);
    let body = format!("{}\n{head}\n", site.name);
    let answer = format!("HTTP/1.1 {status} Told\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(answer.as_bytes()).await
}
