//! A small HTTP/1.1 client: one request per connection, the answer whole.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::soon;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and header lines.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header, by its name in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    /// The body, which has to be JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("the head of an answer ends");
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line holds a code");
        let mut answer = Self { status, head, body: String::new() };
        let body = &bytes[end + 4..];
        let is_chunked = answer.header("Transfer-Encoding").is_some_and(|coding| coding == "chunked");
        let body = if is_chunked { joined(body) } else { body.to_vec() };
        answer.body = String::from_utf8_lossy(&body).into_owned();
        answer
    }
}

/// The chunks of a body, joined.
fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").expect("a chunk has a size");
        let size = std::str::from_utf8(&rest[..end]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.expect("a size is a number");
        rest = &rest[end + 2..];
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

/// `GET` of a path of a host.
pub(crate) async fn get(address: SocketAddr, host: &str, path: &str) -> Answer {
    get_with(address, host, path, "").await
}

/// The same with further header lines, each with its line end.
pub(crate) async fn get_with(address: SocketAddr, host: &str, path: &str, lines: &str) -> Answer {
    ask_with("GET", address, host, path, lines).await
}

/// The same by another method, without a body.
pub(crate) async fn ask_with(method: &str, address: SocketAddr, host: &str, path: &str, lines: &str) -> Answer {
    let exchange = async {
        let mut stream = begin(method, address, host, path, &format!("Connection: close\r\n{lines}")).await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("the answer can be read");
        Answer::read(&bytes)
    };
    soon(&format!("{method} {host}{path}"), exchange).await
}

/// Sends a request and leaves the answer to the caller.
pub(crate) async fn send(address: SocketAddr, host: &str, path: &str, lines: &str) -> TcpStream {
    begin("GET", address, host, path, lines).await
}

async fn begin(method: &str, address: SocketAddr, host: &str, path: &str, lines: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("the router listens");
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n");
    stream.write_all(request.as_bytes()).await.expect("the request can be sent");
    stream
}
