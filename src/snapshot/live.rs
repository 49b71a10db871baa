//! [`Live`]: the swap.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use arc_swap::ArcSwap;

use crate::Snapshot;

/// Leases that may wait for the reaper. More can only end at once if requests of thousands of snapshots end at once;
/// then a worker drops one itself.
const WAITING: usize = 4096;

/// The snapshot in force, for every worker. Each worker counts its own references, so that requests on different cores
/// do not fight for one counter.
pub struct Live {
    workers: Box<[ArcSwap<Lease>]>,
    reaper: SyncSender<Arc<Snapshot>>,
}

/// One worker's hold on a snapshot. It ends with the worker's last request that uses it; what then is to be taken apart
/// may be large, and is taken apart by a thread of its own, never by the worker.
struct Lease {
    /// None only while it is being dropped.
    snapshot: Option<Arc<Snapshot>>,
    reaper: SyncSender<Arc<Snapshot>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(snapshot) = self.snapshot.take() {
            // Full or gone: then it is dropped here, which is slow and not wrong.
            let _late = self.reaper.try_send(snapshot);
        }
    }
}

/// The snapshot as one request sees it, from its start to the end of its response body.
#[derive(Clone)]
pub struct Current(Arc<Lease>);

impl Deref for Current {
    type Target = Arc<Snapshot>;
    fn deref(&self) -> &Arc<Snapshot> {
        self.0.snapshot.as_ref().expect("it is taken out only when the lease is dropped")
    }
}

impl Live {
    /// For workers 0 to `workers - 1`. Starts the thread that takes old snapshots apart; it ends with the last lease.
    pub fn new(workers: usize, first: &Arc<Snapshot>) -> std::io::Result<Arc<Self>> {
        let (reaper, old) = sync_channel(WAITING);
        std::thread::Builder::new().name("reaper".to_owned()).spawn(move || reap(&old))?;
        let workers = (0..workers.max(1)).map(|_| ArcSwap::from(lease(first, &reaper))).collect();
        Ok(Arc::new(Self { workers, reaper }))
    }

    /// What `worker` is to use for a request that begins now. Worker numbers wrap around, so that a thread which is no
    /// worker may ask with any number.
    pub fn current(&self, worker: usize) -> Current {
        Current(self.workers[worker % self.workers.len()].load_full())
    }

    /// Every worker sees `next` at its next request.
    pub fn swap(&self, next: &Arc<Snapshot>) {
        for worker in &self.workers {
            worker.store(lease(next, &self.reaper));
        }
    }
}

fn lease(snapshot: &Arc<Snapshot>, reaper: &SyncSender<Arc<Snapshot>>) -> Arc<Lease> {
    Arc::new(Lease { snapshot: Some(Arc::clone(snapshot)), reaper: reaper.clone() })
}

fn reap(old: &Receiver<Arc<Snapshot>>) {
    while let Ok(snapshot) = old.recv() {
        drop(snapshot);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use trafficcop_merger::Merged;
    use trafficcop_tls::TlsState;

    use super::*;
    use crate::Report;

    fn empty() -> Arc<Snapshot> {
        let merged = Merged::default();
        let (tls, _) = TlsState::build(&merged.tls, None);
        let (merged, report) = (Arc::new(merged), Arc::new(Report::default()));
        Arc::new(Snapshot { entries: Box::new([]), tls: Arc::new(tls), merged, report })
    }

    #[test]
    fn every_worker_sees_the_swap_and_requests_keep_what_they_began_with() {
        let (first, second) = (empty(), empty());
        let live = Live::new(2, &first).unwrap();
        let in_flight = live.current(0);
        live.swap(&second);
        assert!(Arc::ptr_eq(&in_flight, &first));
        assert!((0..4).all(|worker| Arc::ptr_eq(&live.current(worker), &second)));
    }

    #[test]
    fn the_last_request_lets_the_old_snapshot_go_on_another_thread() {
        /// Tells on which thread it is dropped.
        struct Told(SyncSender<Option<String>>);
        impl Drop for Told {
            fn drop(&mut self) {
                self.0.send(std::thread::current().name().map(str::to_owned)).expect("the test waits for it");
            }
        }
        impl crate::Servers for Told {
            fn status(&self) -> Vec<(String, bool)> {
                Vec::new()
            }
        }
        let (tell, told) = sync_channel(1);
        let merged = Arc::new(Merged::default());
        let (tls, _) = TlsState::build(&merged.tls, None);
        let report = crate::ObjectReport { servers: Some(Arc::new(Told(tell))), ..crate::ObjectReport::default() };
        let services = BTreeMap::from([(trafficcop_config::Name::qualify("a", "b"), report)]);
        let http = crate::Protocol { services, ..crate::Protocol::default() };
        let report = Arc::new(Report { http, ..Report::default() });
        let first = Arc::new(Snapshot { entries: Box::new([]), tls: Arc::new(tls), merged, report });

        let live = Live::new(1, &first).unwrap();
        drop(first);
        let in_flight = live.current(0);
        live.swap(&empty());
        assert!(told.try_recv().is_err(), "a request still uses it");
        drop(in_flight);
        assert_eq!(told.recv().unwrap().as_deref(), Some("reaper"));
    }
}
