//! [`Pusher`]: sends the metrics to a StatsD server or a Datadog agent, at each interval what was counted since the last; or
//! hands them to a sender with a form of its own.
//!
//! What must hold: a receiver that is slow, gone or was never there costs traffic nothing. What could not be sent is
//! counted, told once, and not tried again: the next interval has its own.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use super::lines::Lines;
use super::series::Shard;
use super::{Metrics, Present, Sink, World, families};

/// A datagram is no longer than this, so that it fits an Ethernet frame.
const DATAGRAM: usize = 1432;
/// How long a local agent may hold up the thread.
const PATIENCE: Duration = Duration::from_secs(1);
/// Intervals are no shorter.
const SHORTEST: Duration = Duration::from_millis(100);

/// Whose lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Without labels: each metric is one number.
    StatsD,
    /// With labels as tags.
    Datadog,
}

/// Who gets the metrics.
pub enum Target {
    Lines(Destination),
    Sink { interval: Duration, sink: Box<dyn Sink> },
}

impl Target {
    fn interval(&self) -> Duration {
        match self {
            Self::Lines(to) => to.interval,
            Self::Sink { interval, .. } => *interval,
        }
    }
}

/// Where to, and how often.
pub struct Destination {
    pub dialect: Dialect,
    /// host:port over UDP; for Datadog also `unix://path`, `unixgram://path`, `unixstream://path`.
    pub address: String,
    /// Put before every name, with a dot.
    pub prefix: String,
    pub interval: Duration,
}

/// A hold on the thread that sends; it ends with this.
pub struct Pusher {
    last: SyncSender<SyncSender<()>>,
    metrics: Arc<Metrics>,
}

impl Pusher {
    /// Starts the thread.
    pub fn start(metrics: Arc<Metrics>, world: impl World, target: Target) -> io::Result<Self> {
        let (last, asked) = sync_channel(1);
        let work = Work { metrics: Arc::clone(&metrics), world: Box::new(world), target };
        std::thread::Builder::new().name("metrics-push".to_owned()).spawn(move || work.run(&asked))?;
        Ok(Self { last, metrics })
    }

    /// Sends what was counted so far, waiting at most `patience`. Not for threads that carry traffic.
    pub fn flush(&self, patience: Duration) {
        let (done, is_done) = sync_channel(1);
        if self.last.try_send(done).is_ok() {
            let _late_or_gone = is_done.recv_timeout(patience);
        }
    }

    /// How many times nothing or not all could be sent.
    pub fn failures(&self) -> u64 {
        self.metrics.failures()
    }
}

struct Work {
    metrics: Arc<Metrics>,
    world: Box<dyn World>,
    target: Target,
}

impl Work {
    fn run(mut self, asked: &Receiver<SyncSender<()>>) {
        let (mut before, mut reloads, mut is_told) = (Shard::default(), 0, false);
        loop {
            let done = match asked.recv_timeout(self.target.interval().max(SHORTEST)) {
                Ok(done) => Some(done),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            match self.send(&mut before, &mut reloads) {
                Ok(()) => is_told = false,
                Err(error) => {
                    self.metrics.failures.fetch_add(1, Ordering::Relaxed);
                    if !is_told {
                        let address = match &self.target {
                            Target::Lines(to) => &to.address,
                            Target::Sink { .. } => "the collector",
                        };
                        tracing::error!(%error, address, "Metrics cannot be sent; what is lost is not sent again.");
                    }
                    is_told = true;
                }
            }
            if let Some(done) = done {
                let _nobody_waits = done.try_send(());
            }
        }
    }

    /// Once.
    fn send(&mut self, before: &mut Shard, reloads: &mut u64) -> io::Result<()> {
        let present = self.world.present();
        match &mut self.target {
            Target::Lines(to) => send(to, &lines(&self.metrics, &present, to, before, reloads)),
            Target::Sink { sink, .. } => sink.take(&families::read(&self.metrics, &present)).map_err(io::Error::other),
        }
    }
}

/// What was counted since `before`, which becomes now.
fn lines(
    metrics: &Metrics,
    present: &Present,
    target: &Destination,
    before: &mut Shard,
    reloads: &mut u64,
) -> Vec<String> {
    let (now, _) = metrics.read(present);
    let mut lines = Lines::new(target.dialect, &target.prefix);
    let count = metrics.reloads.load(Ordering::Relaxed);
    lines.counter("config.reload.total", &[], count.saturating_sub(*reloads));
    *reloads = count;
    lines.world(metrics, present);
    if metrics.by_entry_point {
        lines.scopes("entrypoint", None, &now.entry_points, &before.entry_points);
    }
    if metrics.by_router {
        lines.scopes("router", Some("service"), &now.routers, &before.routers);
    }
    if metrics.by_service {
        lines.scopes("service", None, &now.services, &before.services);
    }
    *before = now;
    lines.finish()
}

fn send(target: &Destination, lines: &[String]) -> io::Result<()> {
    let mut packets = vec![String::new()];
    for line in lines {
        if packets.last().is_some_and(|packet| !packet.is_empty() && packet.len() + line.len() > DATAGRAM) {
            packets.push(String::new());
        }
        if let Some(packet) = packets.last_mut() {
            packet.push_str(line);
        }
    }
    packets.retain(|packet| !packet.is_empty());
    let local = |scheme| target.address.strip_prefix(scheme).filter(|_| target.dialect == Dialect::Datadog);
    if let Some(path) = local("unixstream://") {
        return stream(path, &packets);
    }
    if let Some(path) = local("unixgram://") {
        return datagrams(path, &packets);
    }
    if let Some(path) = local("unix://") {
        // As Datadog's clients do: try what is usual, then the other.
        return datagrams(path, &packets).or_else(|_| stream(path, &packets));
    }
    let to = target.address.to_socket_addrs()?.next().ok_or_else(|| io::Error::other("the name has no address"))?;
    let from: SocketAddr =
        if to.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(from)?;
    socket.connect(to)?;
    packets.iter().try_for_each(|packet| socket.send(packet.as_bytes()).map(drop))
}

fn datagrams(path: &str, packets: &[String]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.connect(path)?;
    packets.iter().try_for_each(|packet| socket.send(packet.as_bytes()).map(drop))
}

fn stream(path: &str, packets: &[String]) -> io::Result<()> {
    use io::Write as _;
    let mut socket = UnixStream::connect(path)?;
    socket.set_write_timeout(Some(PATIENCE))?;
    packets.iter().try_for_each(|packet| socket.write_all(packet.as_bytes()))
}
