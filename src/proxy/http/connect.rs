//! Opening a connection to a server: name, address, TLS, and the proxy of the environment on the way.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use super::environment_proxy::Via;
use super::failure::ConnectError;
use super::server_url::{Scheme, ServerUrl};
use super::stream::Stream;
use super::transport::Endpoint;

/// How long the addresses of the preferred family have for themselves.
const HEAD_START: Duration = Duration::from_millis(300);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Silence after which the kernel asks whether the server is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// The head of a proxy's answer to CONNECT.
const LONGEST_PROXY_ANSWER: usize = 16 * 1024;

/// What the server turned out to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Opens a connection. With `http1_only`, HTTP/2 is not offered.
pub(crate) async fn dial(endpoint: &Endpoint, http1_only: bool) -> Result<(Stream, Protocol), ConnectError> {
    let manners = &*endpoint.manners;
    let url = &endpoint.url;
    if url.scheme == Scheme::Unknown || (url.scheme == Scheme::H2c && !manners.http2) {
        return Err(ConnectError::Unusable("the scheme of the server's URL is not supported"));
    }
    let first_hop = endpoint.via.as_ref().map_or(url, |via| &via.proxy);
    let connecting = open(first_hop);
    let mut tcp = match manners.dial_timeout {
        Some(limit) => timeout(limit, connecting).await.map_err(|_late| ConnectError::Timeout)??,
        None => connecting.await?,
    };
    if url.scheme != Scheme::Https {
        let by_prior_knowledge = url.scheme == Scheme::H2c && !http1_only;
        let protocol = if by_prior_knowledge { Protocol::Http2 } else { Protocol::Http1 };
        return Ok((Stream::plain(tcp), protocol));
    }
    let secured = async {
        if let Some(via) = &endpoint.via {
            tunnel(&mut tcp, via, url).await?;
        }
        let tls = manners.tls.as_ref().ok_or(ConnectError::Unusable("no TLS settings"))?;
        let config = if http1_only { &tls.http1 } else { &tls.any };
        let name = match &manners.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(url.host.to_string())
                .map_err(|_bad| ConnectError::Unusable("the server's host cannot be a name in TLS"))?,
        };
        TlsConnector::from(Arc::clone(config)).connect(name, tcp).await.map_err(ConnectError::Handshake)
    };
    let tls = timeout(HANDSHAKE_TIMEOUT, secured).await.map_err(|_late| ConnectError::HandshakeTimeout)??;
    let protocol = match tls.get_ref().1.alpn_protocol() {
        Some(b"h2") => Protocol::Http2,
        _ => Protocol::Http1,
    };
    Ok((Stream::tls(tls), protocol))
}

/// A TCP connection to the host of `url`, whichever of its addresses answers.
async fn open(url: &ServerUrl) -> Result<TcpStream, ConnectError> {
    let tcp = if let Some(ip) = url.ip {
        TcpStream::connect(SocketAddr::new(ip, url.port)).await.map_err(ConnectError::Connect)?
    } else {
        let found = tokio::net::lookup_host((&*url.host, url.port)).await.map_err(ConnectError::Resolve)?;
        by_family(found).await?
    };
    // Without either the connection works, only less well.
    let _best_effort = tcp.set_nodelay(true);
    let keep_alive = socket2::TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE);
    let _best_effort = socket2::SockRef::from(&tcp).set_tcp_keepalive(&keep_alive);
    Ok(tcp)
}

/// Tries the family of the first address; after a head start, or when it has failed, the other one as well.
async fn by_family(found: impl Iterator<Item = SocketAddr>) -> Result<TcpStream, ConnectError> {
    let found: Vec<SocketAddr> = found.collect();
    let Some(first) = found.first() else {
        return Err(ConnectError::Resolve(io::Error::new(io::ErrorKind::NotFound, "the name has no address")));
    };
    let (preferred, other): (Vec<_>, Vec<_>) = found.iter().partition(|address| address.is_ipv4() == first.is_ipv4());
    let preferred = one_by_one(preferred);
    if other.is_empty() {
        return preferred.await;
    }
    tokio::pin!(preferred);
    let failed = tokio::select! {
        result = &mut preferred => match result {
            Ok(tcp) => return Ok(tcp),
            Err(error) => Some(error),
        },
        () = sleep(HEAD_START) => None,
    };
    let other = one_by_one(other);
    if let Some(error) = failed {
        return other.await.map_err(|_second| error);
    }
    tokio::pin!(other);
    tokio::select! {
        result = &mut preferred => match result {
            Ok(tcp) => Ok(tcp),
            Err(error) => other.await.map_err(|_second| error),
        },
        result = &mut other => match result {
            Ok(tcp) => Ok(tcp),
            Err(_second) => preferred.await,
        },
    }
}

async fn one_by_one(addresses: Vec<SocketAddr>) -> Result<TcpStream, ConnectError> {
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failed = error,
        }
    }
    Err(ConnectError::Connect(failed))
}

/// Asks the proxy for a way through to the server.
async fn tunnel(tcp: &mut TcpStream, via: &Via, server: &ServerUrl) -> Result<(), ConnectError> {
    let host = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.to_string() };
    let target = format!("{host}:{}", server.port);
    let mut asked = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(authorization) = &via.authorization {
        asked.push_str("Proxy-Authorization: ");
        asked.push_str(authorization);
        asked.push_str("\r\n");
    }
    asked.push_str("\r\n");
    tcp.write_all(asked.as_bytes()).await.map_err(ConnectError::Connect)?;
    let mut answer = Vec::new();
    // One byte at a time: what follows the head belongs to TLS.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == LONGEST_PROXY_ANSWER {
            return Err(ConnectError::Proxy("its answer is too long".into()));
        }
        answer.push(tcp.read_u8().await.map_err(ConnectError::Connect)?);
    }
    let line = String::from_utf8_lossy(&answer);
    let line = line.lines().next().unwrap_or_default();
    match line.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(ConnectError::Proxy(line.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn any_address_that_answers_will_do() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let closed6: SocketAddr = ([0, 0, 0, 0, 0, 0, 0, 1], closed.port()).into();
        for found in [vec![open], vec![closed, open], vec![closed6, open], vec![open, closed6]] {
            let tcp = by_family(found.clone().into_iter()).await;
            assert_eq!(tcp.unwrap().peer_addr().unwrap(), open, "{found:?}");
        }
        for found in [vec![], vec![closed], vec![closed6, closed]] {
            assert!(by_family(found.into_iter()).await.is_err());
        }
    }
}
