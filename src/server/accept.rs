//! A new connection, up to the point where it speaks HTTP: PROXY header, TLS or not, handshake, which version.
//!
//! What must hold: each of these steps has a deadline, and none of them holds a buffer while it waits. Raw TCP routes
//! come in here: after the PROXY header for those that need no byte, after the first bytes for the others.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use trafficcop_exchange::{ConnectionInfo, TlsInfo};
use trafficcop_h1 as h1;
use trafficcop_router::tcp::hello::{self, ClientHello, Hello};
use trafficcop_snapshot::{TcpRoute, TcpTls};

use crate::connections::Arrival;
use crate::drain::Closing;
use crate::http::{Requests, Traffic};
use crate::http2::{self, PREFACE};
use crate::prefixed::Prefixed;
use crate::proxy_protocol::{self, Verdict};
use crate::tcp;

/// The first byte of a TLS record that begins a handshake.
const HANDSHAKE: u8 = 0x16;
/// How much is read at once while finding out what a connection speaks.
const PEEK: usize = 16 * 1024;
/// How long a handshake may take where the settings set no limit.
const HANDSHAKE_TIME: Duration = Duration::from_mins(1);

thread_local! {
    /// The worker's own; a connection borrows it for one read.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; PEEK].into());
}

/// Where a connection comes from and goes to, as far as anybody says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
}

/// An open connection, as the observer hears of it; told even if the connection is cut.
pub(crate) struct Counted(Rc<Traffic>);

impl Counted {
    pub(crate) fn new(traffic: &Rc<Traffic>) -> Self {
        traffic.observer.connected(&traffic.entry.name);
        Self(Rc::clone(traffic))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.observer.disconnected(&self.0.entry.name);
    }
}

/// Serves one connection to its end.
pub(crate) async fn connection(
    traffic: Rc<Traffic>,
    stream: TcpStream,
    peer: SocketAddr,
    closing: Closing,
    arrival: Arrival,
) {
    let local = stream.local_addr().unwrap_or(peer);
    let _counted = Counted::new(&traffic);
    let ends = Ends { peer: canonical(peer), local: canonical(local) };
    let mut stream = stream;
    let found = tokio::select! {
        found = find_out(&traffic, &mut stream, ends) => found,
        () = closing.token().cancelled() => return,
    };
    let Some(Opening { ends, prefix, way }) = found else { return };
    match way {
        Way::Tcp { route, asks_postgres } => {
            Box::pin(raw(traffic, route, Prefixed::new(prefix, stream), ends, asks_postgres, arrival)).await;
        }
        Way::Https => Box::pin(secure(traffic, Prefixed::new(prefix, stream), ends, closing, arrival)).await,
        Way::Http => {
            arrival.is_through();
            plain(traffic, prefix, stream, ends, closing).await;
        }
    }
}

/// What the beginning of a connection said.
struct Opening {
    ends: Ends,
    /// What was read of it.
    prefix: Bytes,
    way: Way,
}

enum Way {
    Http,
    Https,
    Tcp { route: Arc<TcpRoute>, asks_postgres: bool },
}

/// Serves a raw connection; its TLS ends here unless the route passes it through.
async fn raw(
    traffic: Rc<Traffic>,
    route: Arc<TcpRoute>,
    stream: Prefixed<TcpStream>,
    ends: Ends,
    asks_postgres: bool,
    arrival: Arrival,
) {
    let Some(_permits) = tcp::admit(&route, ends) else { return };
    let Some(TcpTls::Options(options)) = &route.tls else {
        arrival.is_through();
        return tcp::serve(&route, Box::new(stream), ends, asks_postgres).await;
    };
    let patience = traffic.entry.http1.read_timeout.unwrap_or(HANDSHAKE_TIME);
    match tokio::time::timeout(patience, handshake(&traffic, stream, ends, Some(options))).await {
        Ok(Ok(Some((stream, _)))) => {
            arrival.is_through();
            tcp::serve(&route, Box::new(stream), ends, false).await;
        }
        Ok(Ok(None)) => {}
        Ok(Err(error)) => tracing::debug!(peer = %ends.peer, %error, "TLS handshake failed."),
        Err(_) => tracing::debug!(peer = %ends.peer, "TLS handshake took too long."),
    }
}

/// Reads as much as is needed to know what the connection speaks. None: it closed, or took too long.
async fn find_out(traffic: &Traffic, stream: &mut TcpStream, mut ends: Ends) -> Option<Opening> {
    let limits = &traffic.entry.http1;
    let patience = limits.read_timeout.or(limits.idle_timeout);
    let deadline = patience.map(|patience| Instant::now() + patience);
    let mut read = BytesMut::new();
    let mut header_done = traffic.entry.proxy_protocol.is_none();
    let mut is_postgres = false;
    loop {
        if header_done
            && !is_postgres
            && let Some(route) = tcp::at_once(traffic, ends.peer.ip())
        {
            return Some(Opening { ends, prefix: read.freeze(), way: Way::Tcp { route, asks_postgres: false } });
        }
        let bytes = match deadline {
            Some(deadline) => timeout_at(deadline, read_some(stream, &mut read)).await.ok()?,
            None => read_some(stream, &mut read).await,
        };
        if bytes.ok()? == 0 {
            return None;
        }
        if !header_done {
            match proxy_protocol::read(&read) {
                Verdict::More => continue,
                Verdict::Absent => {}
                Verdict::Malformed => {
                    tracing::debug!(peer = %ends.peer, "Malformed PROXY header.");
                    return None;
                }
                Verdict::Header { len, addresses } => {
                    let _header = read.split_to(len);
                    let trusted = traffic.entry.proxy_protocol.as_ref();
                    if trusted.is_some_and(|trusted| trusted.contains(ends.peer.ip()))
                        && let Some(told) = addresses
                    {
                        ends = Ends { peer: canonical(told.source), local: canonical(told.destination) };
                    }
                }
            }
            header_done = true;
        }
        if !is_postgres && read.starts_with(&tcp::POSTGRES) && tcp::has_tls_routes(traffic) {
            let _request = read.split_to(tcp::POSTGRES.len());
            let answered = async { stream.write_all(b"S").await };
            match deadline {
                Some(deadline) => timeout_at(deadline, answered).await.ok()?.ok()?,
                None => answered.await.ok()?,
            }
            is_postgres = true;
        }
        match way(traffic, &read, ends, is_postgres) {
            Seen::More => {}
            Seen::Found(way) => return Some(Opening { ends, prefix: read.freeze(), way }),
            Seen::Nowhere => return None,
        }
    }
}

/// What the bytes so far say about the way of a connection.
enum Seen {
    More,
    Found(Way),
    /// It is closed.
    Nowhere,
}

fn way(traffic: &Traffic, read: &[u8], ends: Ends, is_postgres: bool) -> Seen {
    let is_beginning_of = |whole: &[u8]| read.len() < whole.len() && whole.starts_with(read);
    let client = ends.peer.ip();
    if read.is_empty() {
        return Seen::More;
    }
    if read.first() == Some(&HANDSHAKE) {
        if !tcp::has_tls_routes(traffic) {
            return if is_postgres { Seen::Nowhere } else { Seen::Found(Way::Https) };
        }
        let hello: ClientHello = match hello::read(read) {
            Hello::Incomplete => return Seen::More,
            Hello::Found(hello) => hello,
            Hello::NotTls | Hello::Broken => return Seen::Nowhere,
        };
        if is_postgres {
            let Some(route) = tcp::postgres(traffic, &hello, client) else { return Seen::Nowhere };
            let asks_postgres = matches!(route.tls, Some(TcpTls::Passthrough));
            return Seen::Found(Way::Tcp { route, asks_postgres });
        }
        if traffic.challenges.expects(&hello.server_name, hello.alpn.iter().map(Vec::as_slice)) {
            return Seen::Found(Way::Https);
        }
        let route = tcp::secure(traffic, &hello, client);
        return Seen::Found(route.map_or(Way::Https, |route| Way::Tcp { route, asks_postgres: false }));
    }
    if is_postgres {
        return Seen::Nowhere;
    }
    if is_beginning_of(&tcp::POSTGRES) && tcp::has_tls_routes(traffic) {
        return Seen::More;
    }
    match tcp::plain(traffic, client) {
        Some(route) => Seen::Found(Way::Tcp { route, asks_postgres: false }),
        None if is_beginning_of(PREFACE) => Seen::More,
        None => Seen::Found(Way::Http),
    }
}

/// Waits for bytes and appends them; 0 at the end of the stream.
async fn read_some(stream: &TcpStream, into: &mut BytesMut) -> io::Result<usize> {
    loop {
        stream.readable().await?;
        let read = BUFFER.with_borrow_mut(|buffer| {
            let read = stream.try_read(buffer)?;
            into.extend_from_slice(&buffer[..read]);
            Ok(read)
        });
        match read {
            Err(error) if io::Error::kind(&error) == io::ErrorKind::WouldBlock => {}
            other => return other,
        }
    }
}

async fn plain(traffic: Rc<Traffic>, prefix: Bytes, stream: TcpStream, ends: Ends, closing: Closing) {
    let requests = Requests::new(Rc::clone(&traffic), info(&traffic, ends, None));
    if prefix.starts_with(PREFACE) {
        let io = Prefixed::new(prefix, stream);
        Box::pin(http2::serve(io, &traffic.entry, Rc::new(requests), closing.token())).await;
    } else {
        http1(stream, prefix, &traffic, &requests, &closing).await;
    }
}

async fn secure(traffic: Rc<Traffic>, stream: Prefixed<TcpStream>, ends: Ends, closing: Closing, arrival: Arrival) {
    let patience = traffic.entry.http1.read_timeout.unwrap_or(HANDSHAKE_TIME);
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(patience, handshake(&traffic, stream, ends, None)) => shaken,
        () = closing.token().cancelled() => return,
    };
    let (stream, tls) = match shaken {
        Ok(Ok(Some(shaken))) => shaken,
        Ok(Ok(None)) => return,
        Ok(Err(error)) => {
            tracing::debug!(peer = %ends.peer, %error, "TLS handshake failed.");
            return;
        }
        Err(_) => {
            tracing::debug!(peer = %ends.peer, "TLS handshake took too long.");
            return;
        }
    };
    arrival.is_through();
    let speaks_http2 = tls.alpn.as_deref() == Some(b"h2");
    let requests = Requests::new(Rc::clone(&traffic), info(&traffic, ends, Some(Arc::new(tls))));
    if speaks_http2 {
        http2::serve(stream, &traffic.entry, Rc::new(requests), closing.token()).await;
    } else {
        http1(stream, Bytes::new(), &traffic, &requests, &closing).await;
    }
}

/// Shakes hands under the options that the server name leads to. None: those options are broken, or it was
/// a challenge, so nothing is said.
async fn handshake(
    traffic: &Traffic,
    stream: Prefixed<TcpStream>,
    ends: Ends,
    options: Option<&Arc<str>>,
) -> io::Result<Option<(TlsStream<Prefixed<TcpStream>>, TlsInfo)>> {
    let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
    if let Some(challenge) = traffic.challenges.find(&start.client_hello()) {
        start.into_stream(challenge).await?;
        return Ok(None);
    }
    let server_name: Option<Box<str>> = start.client_hello().server_name().map(|name| name.to_ascii_lowercase().into());
    let resolved = {
        let current = traffic.live.current(traffic.worker);
        let Some(entry) = traffic.entry_of(&current) else { return Ok(None) };
        let of_host = || entry.tls_options.find(server_name.as_deref().unwrap_or(""));
        let options = options.map_or_else(of_host, |options| &**options);
        current.tls.resolve(options, &start.client_hello(), ends.local.ip())
    };
    let Some(resolved) = resolved else {
        tracing::debug!(server_name = server_name.as_deref(), "The TLS options of this name are broken.");
        return Ok(None);
    };
    let stream = start.into_stream(resolved.config).await?;
    let session = stream.get_ref().1;
    let tls = TlsInfo {
        version: match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "1.3",
            _ => "1.2",
        },
        cipher: session
            .negotiated_cipher_suite()
            .map_or("", |suite| trafficcop_tls::parameters::cipher_name(suite.suite())),
        server_name,
        alpn: session.alpn_protocol().map(Bytes::copy_from_slice),
        client_certificates: session
            .peer_certificates()
            .map(|chain| chain.iter().map(|certificate| Bytes::copy_from_slice(certificate)).collect())
            .unwrap_or_default(),
        options: resolved.options,
    };
    Ok(Some((stream, tls)))
}

async fn http1<Io>(io: Io, prefix: Bytes, traffic: &Traffic, requests: &Requests, closing: &Closing)
where
    Io: AsyncRead + AsyncWrite + Unpin + 'static,
{
    match h1::serve(io, prefix, &traffic.entry.http1, closing.http1(), requests).await {
        Ok(served) => tracing::trace!(requests = served.requests, end = ?served.end, "Connection ended."),
        Err(error) => tracing::debug!(%error, "Connection failed."),
    }
}

fn info(traffic: &Traffic, ends: Ends, tls: Option<Arc<TlsInfo>>) -> ConnectionInfo {
    ConnectionInfo::new(Arc::clone(&traffic.entry.name), ends.peer, ends.local, tls)
}

/// An IPv4 address that came in over an IPv6 socket is an IPv4 address.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
