//! [`Exporter`]: a thread that gathers what is handed over and sends it together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use crate::ExportError;
use crate::wire::Wire;

/// What is sent together at most.
const MOST: usize = 512;
/// And how long the first of them waits for others.
const WAIT: Duration = Duration::from_secs(1);
/// How often the thread looks whether somebody wants everything to be sent.
const LOOK: Duration = Duration::from_millis(100);
/// How long it rests after each look at what was handed over: who is busy wakes it for many and not for one.
const REST: Duration = Duration::from_millis(20);
/// Pauses before a batch is tried again; then it is lost.
const AGAIN: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// A hold on the thread. It ends when nobody can hand over anything any more.
pub struct Exporter {
    asked: SyncSender<SyncSender<()>>,
    lost: Arc<AtomicU64>,
}

impl Exporter {
    pub(crate) fn start<T: Send + 'static>(
        name: &'static str,
        items: Receiver<T>,
        wire: Wire,
        encode: impl Fn(&[T]) -> Vec<u8> + Send + 'static,
    ) -> Result<Self, ExportError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (asked, asks) = sync_channel(1);
        let lost = Arc::new(AtomicU64::new(0));
        let work = Work { name, wire, runtime, lost: Arc::clone(&lost), is_told: false };
        std::thread::Builder::new().name(name.to_owned()).spawn(move || work.run(&items, &asks, encode))?;
        Ok(Self { asked, lost })
    }

    /// Has everything sent that was handed over, waiting at most `patience`. Not for threads that carry traffic.
    pub fn flush(&self, patience: Duration) {
        let (done, is_done) = sync_channel(1);
        match self.asked.try_send(done) {
            Ok(()) | Err(TrySendError::Full(_)) => {
                let _late_or_gone = is_done.recv_timeout(patience);
            }
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    /// What could not be sent since the start.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

struct Work {
    name: &'static str,
    wire: Wire,
    runtime: tokio::runtime::Runtime,
    lost: Arc<AtomicU64>,
    /// The trouble that lasts was said already.
    is_told: bool,
}

impl Work {
    fn run<T>(mut self, items: &Receiver<T>, asks: &Receiver<SyncSender<()>>, encode: impl Fn(&[T]) -> Vec<u8>) {
        let mut batch: Vec<T> = Vec::new();
        let mut since = Instant::now();
        loop {
            let ended = match items.recv_timeout(if batch.is_empty() { LOOK } else { Duration::ZERO }) {
                Ok(item) => {
                    if batch.is_empty() {
                        since = Instant::now();
                    }
                    batch.push(item);
                    batch.extend(items.try_iter());
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            let done = asks.try_recv().ok();
            if done.is_some() {
                batch.extend(items.try_iter());
            }
            if batch.len() >= MOST || (!batch.is_empty() && (since.elapsed() >= WAIT || done.is_some() || ended)) {
                let is_last = done.is_some() || ended;
                for part in batch.chunks(MOST) {
                    self.send(part.len(), &encode(part), is_last);
                }
                batch.clear();
            }
            if let Some(done) = done {
                let _nobody_waits = done.try_send(());
            }
            if ended {
                return;
            }
            std::thread::sleep(REST);
        }
    }

    /// Sends, and tries again unless the process is about to end.
    fn send(&mut self, count: usize, request: &[u8], is_last: bool) {
        let mut pauses = if is_last { [].iter() } else { AGAIN.iter() };
        loop {
            match self.runtime.block_on(self.wire.send(request.to_vec())) {
                Ok(()) => {
                    self.is_told = false;
                    return;
                }
                Err(error) => {
                    if let Some(pause) = pauses.next() {
                        std::thread::sleep(*pause);
                        continue;
                    }
                    self.lost.fetch_add(count as u64, Ordering::Relaxed);
                    if !self.is_told {
                        // Not to the log that may be the one that cannot be sent.
                        tracing::error!(target: "otlp", what = self.name, error, "The collector does not take what is sent; it is lost and counted.");
                    }
                    self.is_told = true;
                    return;
                }
            }
        }
    }
}
