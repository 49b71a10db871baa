//! [`Server`]: all entry points on all workers, from start to stop.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use trafficcop_config::EntryAddress;
use trafficcop_config::address::BadAddress;
use trafficcop_config::settings::Settings;
use trafficcop_observe::{Nobody, Observer};
use trafficcop_snapshot::Live;

use crate::connections::Budget;
use crate::drain::Stopping;
use crate::entry::{BadEntryPoint, EntryPoint};
use crate::inherited::{Inherited, Kept, Purpose, Socket};
use crate::listen;
use crate::overload::Overload;
use crate::workers::{self, Job, Shared, Source, Worker};

/// Files that are not connections: sockets that listen, logs, what providers watch.
const RESERVED_FILES: u64 = 128;
/// Connections that may wait for one worker where one acceptor serves all.
const HANDED_OVER: usize = 128;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("entryPoints.{entry_point}.address: {source}")]
    Address { entry_point: String, source: BadAddress },
    #[error("entryPoints.{entry_point}.{source}")]
    Settings { entry_point: String, source: BadEntryPoint },
    #[error("entry point {entry_point} cannot listen on {address}: {source}")]
    Listen { entry_point: String, address: EntryAddress, source: io::Error },
    #[error("cannot start a worker: {0}")]
    Worker(io::Error),
}

/// What the server is given beside its settings.
pub struct Options {
    /// Single-threaded workers; see [`worker_count`].
    pub workers: usize,
    /// Set when [`Server::shutdown`] begins.
    pub stopping: Stopping,
    /// Told of every exchange.
    pub observer: Arc<dyn Observer>,
    /// Answers of the TLS challenge.
    pub challenges: trafficcop_tls::Challenges,
    /// Sockets that listen already.
    pub inherited: Inherited,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: worker_count(),
            stopping: Stopping::default(),
            observer: Arc::new(Nobody),
            challenges: trafficcop_tls::Challenges::default(),
            inherited: Inherited::default(),
        }
    }
}

/// `TRAFFICCOP_WORKERS`, or one per core that this process may use.
pub fn worker_count() -> usize {
    let asked = std::env::var("TRAFFICCOP_WORKERS").ok().and_then(|count| count.parse().ok());
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.filter(|count| *count > 0).unwrap_or_else(cores).min(1024)
}

/// Running entry points.
pub struct Server {
    workers: Vec<Worker>,
    acceptors: Vec<JoinHandle<io::Result<()>>>,
    addresses: BTreeMap<String, SocketAddr>,
    stop: watch::Sender<bool>,
    stopping: Stopping,
    kept: Kept,
    handed_over: Arc<AtomicBool>,
}

impl Server {
    /// Opens every entry point and serves it. When this returns, all of them accept. `live` must know as many
    /// workers as `options` says.
    ///
    /// To be called on the runtime of the control plane, which it never blocks for long.
    pub async fn start(settings: &Settings, live: &Arc<Live>, mut options: Options) -> Result<Self, StartError> {
        let count = options.workers.max(1);
        let (mut jobs, mut acceptors, mut addresses) = (Vec::new(), Vec::new(), BTreeMap::new());
        jobs.resize_with(count, Vec::new);
        let (mut kept, handed_over) = (Kept::default(), Arc::new(AtomicBool::new(false)));
        for (position, (name, entry)) in settings.entry_points.iter().enumerate() {
            let address = entry.listen().map_err(|source| StartError::Address { entry_point: name.clone(), source })?;
            let mut compiled = EntryPoint::new(name, entry, settings.core.reason_header)
                .map_err(|source| StartError::Settings { entry_point: name.clone(), source })?;
            compiled.pages = settings.core.explain_pages.then(|| Arc::new(settings.clone()));
            let failed = |source| StartError::Listen { entry_point: name.clone(), address: address.clone(), source };
            let named = options.inherited.named(name);
            if address.udp {
                let mut sockets = options.inherited.datagrams(name, &address).map_err(failed)?;
                if sockets.is_empty() {
                    sockets = listen::datagrams(&address, count, entry.reuse_port).map_err(failed)?;
                }
                sockets.iter().try_for_each(|one| kept.keep(Purpose::Udp, named.as_ref(), one)).map_err(failed)?;
                let entry = Arc::new(compiled);
                let local = sockets.first().map(std::net::UdpSocket::local_addr).transpose().map_err(failed)?;
                addresses.extend(local.map(|local| (name.clone(), local)));
                // There may be more than workers: another number of them opened these.
                for (turn, socket) in sockets.into_iter().enumerate() {
                    jobs[turn % count].push(Job {
                        entry: Arc::clone(&entry),
                        position,
                        source: Source::Datagrams(socket),
                        #[cfg(feature = "http3")]
                        quic: None,
                    });
                }
                continue;
            }
            let mut listeners = options.inherited.listeners(name, &address).map_err(failed)?;
            if listeners.is_empty() {
                listeners = listen::listen(&address, count, entry.reuse_port).map_err(failed)?;
            }
            listeners.iter().try_for_each(|one| kept.keep(Purpose::Tcp, named.as_ref(), one)).map_err(failed)?;
            let local = listeners.first().map(std::net::TcpListener::local_addr).transpose().map_err(failed)?;
            addresses.extend(local.map(|local| (name.clone(), local)));
            #[cfg(feature = "http3")]
            let mut quic = None;
            #[cfg(feature = "http3")]
            if let (Some(http3), Some(local)) = (&entry.http3, local) {
                let inherited = options.inherited.quic(name, &address).map_err(failed)?;
                let opened = || listen::listen_quic(local, entry.reuse_port).map(|socket| (socket, Vec::new()));
                let (socket, relays) = inherited.map_or_else(opened, Ok).map_err(failed)?;
                let passage = Arc::new(crate::http3::Passage::new(relays));
                kept.keep_quic(named.as_ref(), &socket, &passage).map_err(failed)?;
                quic = Some(crate::http3::Arrival { socket, passage });
                compiled.advertise(http3, local.port());
            }
            #[cfg(not(feature = "http3"))]
            if entry.http3.is_some() {
                tracing::warn!(entry_point = %name, "HTTP/3 is not in this build.");
            }
            let entry = Arc::new(compiled);
            for (worker, source) in sources(listeners, count, &mut acceptors).into_iter().enumerate() {
                jobs[worker].push(Job {
                    entry: Arc::clone(&entry),
                    position,
                    source,
                    // Another worker for each entry point, so that they share the load.
                    #[cfg(feature = "http3")]
                    quic: if worker == position % count { quic.take() } else { None },
                });
            }
        }
        let budget = Budget::new(usize::try_from(most_connections()).unwrap_or(usize::MAX));
        let (stop, stopped) = watch::channel(false);
        let (live, observer) = (Arc::clone(live), Arc::clone(&options.observer));
        let overload = Overload::start(&settings.core, count);
        let shared = Shared {
            live,
            observer,
            challenges: options.challenges.clone(),
            budget,
            overload,
            stop: stopped,
            handed_over: Arc::clone(&handed_over),
        };
        let mut workers = Vec::new();
        for (number, jobs) in jobs.into_iter().enumerate() {
            workers.push(workers::start(number, jobs, shared.clone()).map_err(StartError::Worker)?);
        }
        for worker in &mut workers {
            let began = (&mut worker.ready).await;
            began.unwrap_or_else(|_| Err(io::Error::other("it ended at once"))).map_err(StartError::Worker)?;
        }
        Ok(Self { workers, acceptors, addresses, stop, stopping: options.stopping, kept, handed_over })
    }

    /// The sockets that are listened on, for the process after this one.
    pub fn sockets(&self) -> io::Result<Vec<Socket>> {
        self.kept.copies()
    }

    /// Stops, since another process accepts on the same sockets: nobody is told that anything ends, and connections
    /// that wait for a request get a while to be asked for the last time.
    pub async fn hand_over(self) {
        self.handed_over.store(true, Ordering::Relaxed);
        for acceptor in &self.acceptors {
            acceptor.abort();
        }
        self.end().await;
    }

    /// Where an entry point listens: tells the port that port 0 became.
    pub fn local_addr(&self, entry_point: &str) -> Option<SocketAddr> {
        self.addresses.get(entry_point).copied()
    }

    /// Stops: the health endpoint says so at once, requests are accepted for `requestAcceptGraceTimeout`, those in
    /// flight have `graceTimeOut` to finish, then connections are cut. Returns when all workers have ended.
    pub async fn shutdown(self) {
        self.stopping.set();
        self.end().await;
    }

    async fn end(self) {
        // As long as one copy is open, the system takes connections.
        drop(self.kept);
        let _workers_are_gone = self.stop.send(true);
        for worker in self.workers {
            let _always_an_error = worker.ended.await;
            let joined = tokio::task::spawn_blocking(move || worker.thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("A worker panicked.");
            }
        }
        for acceptor in self.acceptors {
            acceptor.abort();
        }
    }
}

/// Half of the files we may open, as nearly every connection has another one towards a server.
fn most_connections() -> u64 {
    (listen::open_files().saturating_sub(RESERVED_FILES) / 2).max(64)
}

/// One source per worker.
fn sources(
    mut listeners: Vec<std::net::TcpListener>,
    workers: usize,
    acceptors: &mut Vec<JoinHandle<io::Result<()>>>,
) -> Vec<Source> {
    if listeners.len() == workers {
        return listeners.into_iter().map(Source::Own).collect();
    }
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..workers).map(|_| mpsc::channel(HANDED_OVER)).unzip();
    for listener in listeners.drain(..) {
        let senders = senders.clone();
        acceptors.push(tokio::spawn(workers::hand_over(listener, senders)));
    }
    receivers.into_iter().map(Source::Handed).collect()
}
