//! Workers: one thread with one single-threaded runtime per core. Each accepts for every entry point on sockets of its
//! own, and a connection never leaves the worker that accepted it.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::LocalSet;
use trafficcop_observe::Observer;
use trafficcop_snapshot::Live;

use crate::accept;
use crate::connections::{Budget, Connections};
use crate::drain::Closing;
use crate::entry::EntryPoint;
use crate::http::Traffic;
use crate::overload::Overload;
use crate::udp;

/// A lasting trouble is told no more often than this.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// How long a connection without a request may stay when another process has taken over.
pub(crate) const LAST_REQUEST: Duration = Duration::from_secs(3);

/// Where a worker's connections of one entry point come from.
pub(crate) enum Source {
    /// A socket of its own.
    Own(StdListener),
    /// One acceptor for all workers hands them over.
    Handed(mpsc::Receiver<StdStream>),
    /// Datagrams instead: a socket of its own.
    Datagrams(std::net::UdpSocket),
}

/// What a worker is given to serve.
pub(crate) struct Job {
    pub(crate) entry: Arc<EntryPoint>,
    /// Where the entry point stands in a snapshot.
    pub(crate) position: usize,
    pub(crate) source: Source,
    /// Where HTTP/3 comes in, on the one worker that serves it.
    #[cfg(feature = "http3")]
    pub(crate) quic: Option<crate::http3::Arrival>,
}

/// What all workers share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) live: Arc<Live>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) challenges: trafficcop_tls::Challenges,
    pub(crate) budget: Arc<Budget>,
    pub(crate) overload: Arc<Overload>,
    /// True: stop.
    pub(crate) stop: watch::Receiver<bool>,
    /// Whether somebody else accepts on the same sockets by the time of stopping.
    pub(crate) handed_over: Arc<AtomicBool>,
}

/// A running worker.
pub(crate) struct Worker {
    pub(crate) thread: JoinHandle<()>,
    /// Fires once it accepts; fails if it could not begin.
    pub(crate) ready: oneshot::Receiver<io::Result<()>>,
    /// Fails once it has ended.
    pub(crate) ended: oneshot::Receiver<()>,
}

/// Starts worker `number`.
pub(crate) fn start(number: usize, jobs: Vec<Job>, shared: Shared) -> io::Result<Worker> {
    let (tell_ready, ready) = oneshot::channel();
    let (tell_ended, ended) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
        let _tell_ended = tell_ended;
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let _nobody_waits = tell_ready.send(Err(error));
                return;
            }
        };
        let local = LocalSet::new();
        local.block_on(&runtime, async move {
            let mut entries = Vec::new();
            for job in jobs {
                #[cfg(feature = "http3")]
                if let Some(arrival) = job.quic {
                    match crate::http3::Quic::new(arrival) {
                        Ok(quic) => {
                            let (live, observer) = (Arc::clone(&shared.live), Arc::clone(&shared.observer));
                            let (position, entry) = (job.position, Arc::clone(&job.entry));
                            let (challenges, overload) = (shared.challenges.clone(), Arc::clone(&shared.overload));
                            let traffic =
                                Traffic { worker: number, live, position, entry, observer, challenges, overload };
                            entries.push(tokio::task::spawn_local(crate::http3::serve(traffic, quic, shared.clone())));
                        }
                        Err(error) => {
                            let _nobody_waits = tell_ready.send(Err(error));
                            return;
                        }
                    }
                }
                match Incoming::new(job.source) {
                    Ok(incoming) => {
                        let entry = serve(number, job.entry, job.position, incoming, shared.clone());
                        entries.push(tokio::task::spawn_local(entry));
                    }
                    Err(error) => {
                        let _nobody_waits = tell_ready.send(Err(error));
                        return;
                    }
                }
            }
            let _nobody_waits = tell_ready.send(Ok(()));
            for entry in entries {
                if let Err(error) = entry.await {
                    tracing::error!(worker = number, %error, "An entry point ended early.");
                }
            }
        });
    })?;
    Ok(Worker { thread, ready, ended })
}

/// Connections as they come.
enum Incoming {
    Own(TcpListener),
    Handed(mpsc::Receiver<StdStream>),
    Datagrams(Rc<UdpSocket>),
}

impl Incoming {
    fn new(source: Source) -> io::Result<Self> {
        Ok(match source {
            Source::Own(listener) => Self::Own(TcpListener::from_std(listener)?),
            Source::Handed(streams) => Self::Handed(streams),
            Source::Datagrams(socket) => Self::Datagrams(Rc::new(UdpSocket::from_std(socket)?)),
        })
    }

    async fn next(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        match self {
            Self::Own(listener) => listener.accept().await,
            Self::Handed(streams) => {
                let Some(stream) = streams.recv().await else { return std::future::pending().await };
                let peer = stream.peer_addr()?;
                Ok((TcpStream::from_std(stream)?, peer))
            }
            Self::Datagrams(_) => std::future::pending().await,
        }
    }
}

/// One entry point on one worker, from start to stop.
async fn serve(worker: usize, entry: Arc<EntryPoint>, position: usize, mut incoming: Incoming, shared: Shared) {
    let Shared { live, observer, challenges, budget, overload, mut stop, handed_over } = shared;
    let (accept_grace, mut grace) = (entry.accept_grace, entry.grace);
    let traffic = Rc::new(Traffic { worker, live, position, entry, observer, challenges, overload });
    let connections = Connections::new(budget);
    let closing = Closing::default();
    let stopped = async {
        let _stopped_or_nobody_left_to_say_so = stop.wait_for(|stop| *stop).await;
        if !handed_over.load(Ordering::Relaxed) {
            tokio::time::sleep(accept_grace).await;
        }
    };
    tokio::select! {
        () = stopped => {}
        () = accept(&mut incoming, &traffic, &connections, &closing) => {}
    }
    drop(incoming);
    if handed_over.load(Ordering::Relaxed) {
        // A connection that is closed while its client sends a request fails that request; so each gets a last one.
        let last = LAST_REQUEST.min(grace / 2);
        closing.announce();
        let _some_are_silent = tokio::time::timeout(last, connections.all_ended()).await;
        grace = grace.saturating_sub(last);
    }
    closing.start();
    if tokio::time::timeout(grace, connections.all_ended()).await.is_err() {
        let cut = connections.cut();
        tracing::debug!(entry_point = %traffic.entry.name, cut, "Connections were cut: the grace time is over.");
    }
}

async fn accept(incoming: &mut Incoming, traffic: &Rc<Traffic>, connections: &Connections, closing: &Closing) {
    if let Incoming::Datagrams(socket) = incoming {
        return udp::serve(traffic, Rc::clone(socket), connections, traffic.entry.udp_timeout).await;
    }
    let mut failures = Pace::default();
    let mut told: Option<Instant> = None;
    loop {
        if !connections.has_room() && !connections.end_oldest_newcomer() {
            if told.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
                tracing::warn!(entry_point = %traffic.entry.name, "Too many connections: new ones wait.");
                told = Some(Instant::now());
            }
            connections.room().await;
        }
        match incoming.next().await {
            Ok((stream, peer)) => {
                failures.reset();
                #[cfg(not(target_os = "linux"))]
                let _as_it_is_then = crate::listen::adopt(&stream);
                let (traffic, closing) = (Rc::clone(traffic), closing.clone());
                connections.spawn_newcomer(|arrival| accept::connection(traffic, stream, peer, closing, arrival));
            }
            // One connection's trouble, over before it began.
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                let pause = failures.next();
                tracing::error!(entry_point = %traffic.entry.name, %error, ?pause, "Cannot accept connections.");
                tokio::time::sleep(pause).await;
            }
        }
    }
}

fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | NotConnected)
}

/// How long to wait after failing to accept: 5 ms, doubled up to a second.
#[derive(Debug, Default)]
struct Pace(u32);

impl Pace {
    fn next(&mut self) -> Duration {
        let pause = Duration::from_millis(5 << self.0.min(8)).min(Duration::from_secs(1));
        self.0 += 1;
        pause
    }

    fn reset(&mut self) {
        self.0 = 0;
    }
}

/// Hands connections of one socket to all workers in turn; where the system does not do it.
pub(crate) async fn hand_over(listener: StdListener, workers: Vec<mpsc::Sender<StdStream>>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut failures = Pace::default();
    for turn in (0..workers.len()).cycle() {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) if is_of_the_peer(&error) => continue,
            Err(_) => {
                tokio::time::sleep(failures.next()).await;
                continue;
            }
        };
        failures.reset();
        if let Ok(stream) = stream.into_std()
            && workers[turn].send(stream).await.is_err()
        {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_are_handed_over_in_turn() {
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (senders, mut receivers): (Vec<_>, Vec<_>) = (0..2).map(|_| mpsc::channel(4)).unzip();
        let acceptor = tokio::spawn(hand_over(listener, senders));
        let mut clients = Vec::new();
        for turn in [0, 1, 0] {
            clients.push(TcpStream::connect(address).await.unwrap());
            let handed: StdStream = receivers[turn].recv().await.unwrap();
            assert_eq!(handed.peer_addr().unwrap(), clients.last().unwrap().local_addr().unwrap());
        }
        drop(receivers);
        clients.push(TcpStream::connect(address).await.unwrap());
        acceptor.await.unwrap().unwrap();
    }

    #[test]
    fn pauses_grow_up_to_a_second() {
        let mut pace = Pace::default();
        let pauses: Vec<_> = (0..12).map(|_| pace.next().as_millis()).collect();
        assert_eq!(pauses[..4], [5, 10, 20, 40]);
        assert_eq!(pauses[8..], [1000; 4]);
        pace.reset();
        assert_eq!(pace.next().as_millis(), 5);
    }
}
