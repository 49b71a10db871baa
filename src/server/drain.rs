//! Stopping: requests are still accepted for a while, then connections are told to end, then they are cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;
use trafficcop_h1::Drain;

/// Whether the process was told to stop; the health endpoint answers by it. Clones are the same flag.
#[derive(Clone, Debug, Default)]
pub struct Stopping(Arc<AtomicBool>);

impl Stopping {
    /// A flag that others hold already.
    pub fn from_flag(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }

    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Tells the connections of one entry point on one worker to end. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closing {
    http1: Drain,
    others: CancellationToken,
}

impl Closing {
    /// Answers from now on are the last of their connections.
    pub(crate) fn announce(&self) {
        self.http1.announce();
    }

    pub(crate) fn start(&self) {
        self.others.cancel();
        self.http1.start();
    }

    /// For HTTP/1.1 connections, which have a way of their own.
    pub(crate) fn http1(&self) -> &Drain {
        &self.http1
    }

    /// For all others, and for those that speak nothing yet.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.others
    }
}
