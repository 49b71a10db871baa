//! [`Live`]: the swap.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::Snapshot;

/// The snapshot in force, for every worker. Each worker counts its own references, so that requests on different cores
/// do not fight for one counter.
pub struct Live {
    workers: Box<[ArcSwap<Lease>]>,
}

/// One worker's hold on a snapshot.
struct Lease(Arc<Snapshot>);

/// The snapshot as one request sees it, from its start to the end of its response body.
#[derive(Clone)]
pub struct Current(Arc<Lease>);

impl Deref for Current {
    type Target = Arc<Snapshot>;
    fn deref(&self) -> &Arc<Snapshot> {
        &self.0.0
    }
}

impl Live {
    /// For workers 0 to `workers - 1`.
    pub fn new(workers: usize, first: &Arc<Snapshot>) -> Arc<Self> {
        let lease = || ArcSwap::from_pointee(Lease(Arc::clone(first)));
        Arc::new(Self { workers: (0..workers.max(1)).map(|_| lease()).collect() })
    }

    /// What `worker` is to use for a request that begins now. Worker numbers wrap around, so that a thread which is no
    /// worker may ask with any number.
    pub fn current(&self, worker: usize) -> Current {
        Current(self.workers[worker % self.workers.len()].load_full())
    }

    /// Every worker sees `next` at its next request.
    pub fn swap(&self, next: &Arc<Snapshot>) {
        for worker in &self.workers {
            worker.store(Arc::new(Lease(Arc::clone(next))));
        }
    }
}
