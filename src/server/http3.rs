//! HTTP/3: QUIC by quinn, frames and header compression by h3; requests, answers, TLS options and deadlines are ours.
//!
//! One endpoint of an entry point lives on one worker. With a socket per worker the system would choose among them by
//! the client's address, so a client that moves to another network, or behind a NAT that forgets, would reach a worker
//! that does not know its connection. What must hold: the same bounds as for other versions; a client that shows no
//! address of its own costs little while many do so.

mod answer;
mod received;
mod relay;
mod session;

use std::cell::Cell;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, EndpointConfig, Incoming, Runtime, ServerConfig, TokioRuntime, TransportConfig};
use rustls::pki_types::CertificateDer;
use tokio::task::JoinSet;
use trafficcop_exchange::{ConnectionInfo, Reason, StatusCode, TlsInfo, Version};

use crate::accept::{Counted, canonical};
use crate::connections::Connections;
use crate::drain::Closing;
use crate::http::{Requests, Traffic};
use crate::workers::{LAST_REQUEST, Shared};
pub(crate) use relay::Passage;
use relay::Relayed;
use session::{ByName, Shaken};

/// Requests at the same time on one connection, as Traefik allows.
const STREAMS: u32 = 100;
/// Streams of the protocol itself: control, and two of header compression; some more are tolerated.
const OWN_STREAMS: u32 = 8;
/// Bytes of a request's body that may be under way to us, and of all requests of a connection.
const STREAM_WINDOW: u32 = 1 << 20;
const WINDOW: u32 = 4 << 20;
/// Bytes of answers that a slow client has not acknowledged.
const SEND_WINDOW: u64 = 4 << 20;
/// Handshakes at the same time from which on a client has to show first that its address is its own.
const RETRY_FROM: usize = 64;
/// First packets that wait to be looked at, and bytes that come behind them.
const WAITING: usize = 1024;
const WAITING_BYTES: u64 = 8 << 20;
/// How long a handshake or a head may take where the settings set no limit, and a goodbye in any case.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where datagrams come in, and what is shared with processes before and after this one.
pub(crate) struct Arrival {
    pub(crate) socket: UdpSocket,
    pub(crate) passage: Arc<Passage>,
}

/// An endpoint and what its connections are made of.
pub(crate) struct Quic {
    endpoint: Endpoint,
    socket: Arc<Relayed>,
    config: ServerConfig,
    plain: Arc<QuicServerConfig>,
}

impl Quic {
    /// To be called on the worker that is to serve it.
    pub(crate) fn new(arrival: Arrival) -> io::Result<Self> {
        let plain = session::plain().ok_or_else(|| io::Error::other("no cipher suite for QUIC"))?;
        let crypto: Arc<dyn quinn::crypto::ServerConfig> = Arc::clone(&plain) as _;
        let mut config = ServerConfig::with_crypto(crypto);
        let mut transport = TransportConfig::default();
        transport
            .max_concurrent_bidi_streams(STREAMS.into())
            .max_concurrent_uni_streams(OWN_STREAMS.into())
            .stream_receive_window(STREAM_WINDOW.into())
            .receive_window(WINDOW.into())
            .send_window(SEND_WINDOW)
            .datagram_receive_buffer_size(None);
        config
            .transport_config(Arc::new(transport))
            .migration(true)
            .max_incoming(WAITING)
            .incoming_buffer_size_total(WAITING_BYTES);
        let Arrival { socket, passage } = arrival;
        let mut ids = EndpointConfig::default();
        ids.cid_generator(passage.generator());
        let socket = Relayed::new(TokioRuntime.wrap_udp_socket(socket)?, passage)?;
        let shared = Arc::clone(&socket) as _;
        let endpoint = Endpoint::new_with_abstract_socket(ids, Some(config.clone()), shared, Arc::new(TokioRuntime))?;
        Ok(Self { endpoint, socket, config, plain })
    }
}

/// One entry point's HTTP/3, from start to stop.
pub(crate) async fn serve(traffic: Traffic, quic: Quic, shared: Shared) {
    let (accept_grace, grace) = (traffic.entry.accept_grace, traffic.entry.grace);
    let ending = Ending { closing: Closing::default(), gentle: shared.handed_over };
    let Ending { closing, gentle } = &ending;
    let mut stop = shared.stop;
    let connections = Connections::new(shared.budget);
    let across = Arc::new(traffic.clone());
    let traffic = Rc::new(traffic);
    let stopped = async {
        let _stopped_or_nobody_left_to_say_so = stop.wait_for(|stop| *stop).await;
        if !gentle.load(Ordering::Relaxed) {
            tokio::time::sleep(accept_grace).await;
        }
    };
    let shaking = Rc::new(Cell::new(0));
    let accepting = async {
        while let Some(incoming) = quic.endpoint.accept().await {
            if !connections.has_room() {
                incoming.refuse();
            } else if shaking.get() >= RETRY_FROM && incoming.may_retry() && !incoming.remote_address_validated() {
                let _cannot_fail = incoming.retry();
            } else {
                let ends = ends(&incoming, &quic.endpoint);
                let mut config = quic.config.clone();
                let (traffic_across, plain) = (Arc::clone(&across), Arc::clone(&quic.plain));
                config.crypto = Arc::new(ByName { traffic: traffic_across, local: ends.1.ip(), plain });
                let seat = Shaking::new(&shaking);
                let connection = connection(Rc::clone(&traffic), incoming, config, ends, seat, ending.clone());
                connections.spawn(connection);
            }
        }
    };
    tokio::pin!(accepting);
    tokio::select! {
        () = stopped => {}
        () = &mut accepting => {}
    }
    let is_handed_over = gentle.load(Ordering::Relaxed);
    if is_handed_over {
        quic.socket.hand_over();
    } else {
        quic.endpoint.set_server_config(None);
    }
    closing.start();
    let ended = tokio::time::timeout(grace, connections.all_ended());
    let ended = tokio::select! {
        ended = ended => ended,
        // What comes to this process after a handover is for it: a client that showed its address here.
        () = accepting, if is_handed_over => Ok(()),
    };
    if ended.is_err() {
        connections.cut();
    }
    quic.endpoint.close(h3::error::Code::H3_NO_ERROR.value().try_into().unwrap_or_default(), b"");
    // The last packets say goodbye; a client that hears them need not wait for its time-out.
    let _enough = tokio::time::timeout(Duration::from_millis(200), quic.endpoint.wait_idle()).await;
}

/// How connections learn that they are to end. Clones are the same.
#[derive(Clone)]
struct Ending {
    closing: Closing,
    /// Whether another process takes what is new.
    gentle: Arc<AtomicBool>,
}

impl Ending {
    /// Handshakes of a process that stops are cut off; after a handover they are finished.
    async fn of_handshakes(&self) {
        self.closing.token().cancelled().await;
        if self.gentle.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    /// After a handover: from now on clients should go elsewhere, but what they sent already is answered.
    async fn announced(&self) {
        self.closing.token().cancelled().await;
        if !self.gentle.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    /// From now on only what was begun is finished.
    async fn come(&self, grace: Duration) {
        self.closing.token().cancelled().await;
        if self.gentle.load(Ordering::Relaxed) {
            tokio::time::sleep(LAST_REQUEST.min(grace / 2)).await;
        }
    }
}

/// A handshake under way; dropped when it is over.
struct Shaking(Rc<Cell<usize>>);

impl Shaking {
    fn new(count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self(Rc::clone(count))
    }
}

impl Drop for Shaking {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// The client and where it arrived.
fn ends(incoming: &Incoming, endpoint: &Endpoint) -> (SocketAddr, SocketAddr) {
    let peer = incoming.remote_address();
    let bound = endpoint.local_addr().unwrap_or(peer);
    let local = incoming.local_ip().map_or(bound, |ip| SocketAddr::new(ip, bound.port()));
    (canonical(peer), canonical(local))
}

/// Serves one connection to its end.
async fn connection(
    traffic: Rc<Traffic>,
    incoming: Incoming,
    config: ServerConfig,
    (peer, local): (SocketAddr, SocketAddr),
    shaking: Shaking,
    ending: Ending,
) {
    let _counted = Counted::new(&traffic);
    let patience = traffic.entry.http1.read_timeout.unwrap_or(PATIENCE);
    let Ok(connecting) = incoming.accept_with(Arc::new(config)) else { return };
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(patience, connecting) => shaken,
        () = ending.of_handshakes() => return,
    };
    drop(shaking);
    let connection = match shaken {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return tracing::debug!(%peer, %error, "QUIC handshake failed."),
        Err(_) => return tracing::debug!(%peer, "QUIC handshake took too long."),
    };
    let Some(tls) = tls_info(&connection) else { return };
    let entry_point = Arc::clone(&traffic.entry.name);
    let info = ConnectionInfo::new(entry_point, peer, local, Some(Arc::new(tls)));
    let requests = Rc::new(Requests::new(Rc::clone(&traffic), info));
    if let Err(error) = requests_of(connection, &traffic, &requests, &ending).await {
        tracing::debug!(%error, "HTTP/3 connection ended.");
        if matches!(&error, h3::error::ConnectionError::Local { .. }) && !error.is_h3_no_error() {
            requests.not_understood(Version::HTTP_3, Reason::BadFrames, StatusCode::BAD_REQUEST);
        }
    }
}

async fn requests_of(
    connection: quinn::Connection,
    traffic: &Traffic,
    requests: &Rc<Requests>,
    ending: &Ending,
) -> Result<(), h3::error::ConnectionError> {
    let mut builder = h3::server::builder();
    builder.max_field_section_size(traffic.entry.http1.max_head_bytes as u64);
    let gone = connection.clone();
    let mut connection: h3::server::Connection<_, Bytes> = builder.build(h3_quinn::Connection::new(connection)).await?;
    // Dropped with the connection, and with it everything that its requests were doing.
    let mut answering = JoinSet::new();
    let (mut is_used, mut is_announced, mut is_over) = (false, false, false);
    let over = ending.come(traffic.entry.grace);
    tokio::pin!(over);
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted? {
                Some(resolver) => {
                    is_used = true;
                    answering.spawn_local(answer::answer(resolver, Rc::clone(requests), traffic.entry.http1.clone()));
                }
                None => break,
            },
            Some(_) = answering.join_next() => {}
            // GOAWAY: new requests go to another connection. What its client sent before it heard that is answered.
            () = ending.announced(), if is_used && !is_announced => {
                is_announced = true;
                connection.shutdown(STREAMS as usize).await?;
            }
            () = &mut over, if !is_over => {
                is_over = true;
                connection.shutdown(0).await?;
            }
        }
        if is_over && answering.is_empty() {
            break;
        }
    }
    while answering.join_next().await.is_some() {}
    // What was written last has yet to arrive; clients that were told to go close by themselves.
    let _enough = tokio::time::timeout(PATIENCE, gone.closed()).await;
    Ok(())
}

/// What the handshake settled.
fn tls_info(connection: &quinn::Connection) -> Option<TlsInfo> {
    let shaken = connection.handshake_data()?.downcast::<Shaken>().ok()?;
    let certificates = connection.peer_identity().and_then(|any| any.downcast::<Vec<CertificateDer<'static>>>().ok());
    let client_certificates = certificates.map(|chain| chain.iter().map(|one| Bytes::copy_from_slice(one)).collect());
    Some(TlsInfo {
        version: "1.3",
        cipher: shaken.cipher,
        server_name: shaken.server_name,
        alpn: Some(Bytes::from_static(b"h3")),
        client_certificates: client_certificates.unwrap_or_default(),
        options: shaken.options,
    })
}
