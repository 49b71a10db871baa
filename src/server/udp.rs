//! UDP entry points: datagrams of one client address are a session, which has one server until it falls silent.
//!
//! What must hold: the number of sessions and what waits in each are bounded; datagrams beyond that are dropped, as a
//! network may. All datagrams of a client come to the same worker, which the system sees to by its address.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::Instant;
use trafficcop_exchange::UdpService;

use crate::connections::Connections;
use crate::http::Traffic;

/// The largest datagram.
const LARGEST: usize = 65_535;
/// Datagrams that wait while a session is being opened.
const WAITING: usize = 16;
/// How long finding a server may take.
const OPENING: Duration = Duration::from_secs(5);

thread_local! {
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; LARGEST].into());
}

type Sessions = Rc<RefCell<HashMap<SocketAddr, Rc<Session>>>>;

/// One client address and its server.
struct Session {
    /// Towards the server, once it is known.
    server: OnceCell<UdpSocket>,
    waiting: RefCell<Vec<Box<[u8]>>>,
    /// When something last came from either side.
    touched: Cell<Instant>,
    /// Who is asked about every datagram, if anybody.
    limit: Option<(Arc<dyn UdpService>, SocketAddr)>,
}

impl Session {
    fn take(&self, datagram: &[u8]) {
        if self.limit.as_ref().is_some_and(|(service, client)| !service.passes(*client)) {
            return;
        }
        self.touched.set(Instant::now());
        if let Some(server) = self.server.get() {
            // No room in the socket: dropped, as a network may.
            let _sent = server.try_send(datagram);
            return;
        }
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() < WAITING {
            waiting.push(datagram.into());
        }
    }
}

/// Takes a session out of the table when it ends, however it ends.
struct Listed {
    sessions: Sessions,
    client: SocketAddr,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.sessions.borrow_mut().remove(&self.client);
    }
}

/// Serves datagrams until it is dropped.
pub(crate) async fn serve(traffic: &Traffic, socket: Rc<UdpSocket>, connections: &Connections, timeout: Duration) {
    let sessions = Sessions::default();
    loop {
        if let Err(error) = socket.readable().await {
            tracing::error!(entry_point = %traffic.entry.name, %error, "Cannot receive datagrams.");
            return;
        }
        // So many, then others get their turn.
        for _ in 0..64 {
            let received = BUFFER.with_borrow_mut(|buffer| {
                let (len, client) = socket.try_recv_from(buffer)?;
                deliver(traffic, &socket, &sessions, connections, timeout, client, &buffer[..len]);
                Ok::<_, io::Error>(())
            });
            // Other errors are of an earlier answer that did not arrive.
            if received.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
                break;
            }
        }
        tokio::task::yield_now().await;
    }
}

fn deliver(
    traffic: &Traffic,
    socket: &Rc<UdpSocket>,
    sessions: &Sessions,
    connections: &Connections,
    timeout: Duration,
    client: SocketAddr,
    datagram: &[u8],
) {
    if let Some(session) = sessions.borrow().get(&client) {
        session.take(datagram);
        return;
    }
    let current = traffic.live.current(traffic.worker);
    let service = traffic.entry_of(&current).and_then(|entry| entry.udp.as_ref());
    let canonical = SocketAddr::new(client.ip().to_canonical(), client.port());
    let Some(address) = service.and_then(|service| service.pick(canonical)) else { return };
    if !connections.has_room() {
        tracing::debug!(entry_point = %traffic.entry.name, "Too many sessions: a datagram was dropped.");
        return;
    }
    let session = Rc::new(Session {
        server: OnceCell::new(),
        // What opens the session was asked about with it.
        waiting: RefCell::new(vec![datagram.into()]),
        touched: Cell::new(Instant::now()),
        limit: service.filter(|service| service.is_limited()).map(|service| (Arc::clone(service), canonical)),
    });
    sessions.borrow_mut().insert(client, Rc::clone(&session));
    let listed = Listed { sessions: Rc::clone(sessions), client };
    let socket = Rc::clone(socket);
    connections.spawn(async move {
        let _listed = listed;
        if let Err(error) = run(&session, &address, &socket, client, timeout).await {
            tracing::debug!(peer = %client, server = %address, %error, "A UDP session broke off.");
        }
    });
}

/// Finds the server, sends what waits, and brings its answers back until both sides are silent.
async fn run(
    session: &Session,
    address: &str,
    socket: &UdpSocket,
    client: SocketAddr,
    timeout: Duration,
) -> io::Result<()> {
    let opened = tokio::time::timeout(OPENING, open(address)).await??;
    let server = session.server.get_or_init(|| opened);
    for datagram in session.waiting.take() {
        // As in `take`: what finds no room is dropped, and the session goes on.
        let _sent = server.try_send(&datagram);
    }
    loop {
        let silent_at = session.touched.get() + timeout;
        tokio::select! {
            ready = server.readable() => ready?,
            () = tokio::time::sleep_until(silent_at) => {
                if session.touched.get() + timeout <= Instant::now() {
                    return Ok(());
                }
                continue;
            }
        }
        let answered = BUFFER.with_borrow_mut(|buffer| {
            let len = server.try_recv(buffer)?;
            session.touched.set(Instant::now());
            match socket.try_send_to(&buffer[..len], client) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
                other => other.map(drop),
            }
        });
        if let Err(error) = answered
            && error.kind() != io::ErrorKind::WouldBlock
        {
            return Err(error);
        }
    }
}

async fn open(address: &str) -> io::Result<UdpSocket> {
    let mut found = tokio::net::lookup_host(address).await?;
    let server = found.next().ok_or_else(|| io::Error::other("the server's host has no address"))?;
    let own: SocketAddr =
        if server.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(own).await?;
    socket.connect(server).await?;
    socket.writable().await?;
    Ok(socket)
}
