//! [`Overload`]: when there is too much to do, new requests are told so at once instead of making all of them late.
//!
//! Two bounds: requests at once, and memory. A request past either is answered 503 with `Retry-After`. What must hold: a
//! worker that has next to nothing to do always serves, however much memory something else holds.

use std::cell::Cell;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use trafficcop_config::settings::Core;
use trafficcop_exchange::{Response, StatusCode, reply};

/// So often memory is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Requests that a worker serves even when memory is short.
const FEW: usize = 16;

thread_local! {
    /// Requests of this worker that have no answer yet.
    static IN_FLIGHT: Cell<usize> = const { Cell::new(0) };
}

/// See the module. One for all workers.
#[derive(Debug)]
pub(crate) struct Overload {
    most_per_worker: usize,
    is_short_of_memory: AtomicBool,
}

/// A request that is worked on.
pub(crate) struct Seat(());

impl Drop for Seat {
    fn drop(&mut self) {
        IN_FLIGHT.set(IN_FLIGHT.get() - 1);
    }
}

impl Overload {
    /// To be called on the runtime of the control plane, where memory is watched as long as the server runs.
    pub(crate) fn start(settings: &Core, workers: usize) -> Arc<Self> {
        let most = usize::try_from(settings.max_requests).ok().filter(|most| *most > 0).unwrap_or(usize::MAX);
        let overload = Arc::new(Self {
            most_per_worker: most.div_ceil(workers.max(1)),
            is_short_of_memory: AtomicBool::new(false),
        });
        let asked = u64::try_from(settings.memory_limit).ok().filter(|bytes| *bytes > 0);
        if let Some(limit) = asked.or_else(limit_of_group) {
            let watched = Arc::downgrade(&overload);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(LOOK).await;
                    let Some(overload) = watched.upgrade() else { return };
                    overload.look(resident(), limit);
                }
            });
        }
        overload
    }

    /// Short from nine tenths of the limit on, until there is some distance again.
    fn look(&self, resident: u64, limit: u64) {
        let was_short = self.is_short_of_memory.load(Ordering::Relaxed);
        let bound = limit / 100 * if was_short { 85 } else { 90 };
        let is_short = resident > bound;
        if is_short != was_short {
            self.is_short_of_memory.store(is_short, Ordering::Relaxed);
            if is_short {
                tracing::warn!(resident, limit, "Short of memory: new requests are turned away.");
            } else {
                tracing::info!(resident, limit, "Enough memory again.");
            }
        }
    }

    /// Takes one more request of this worker on. None: there are too many.
    pub(crate) fn enter(&self) -> Option<Seat> {
        let open = IN_FLIGHT.get();
        let is_too_much =
            open >= self.most_per_worker || (open >= FEW && self.is_short_of_memory.load(Ordering::Relaxed));
        if is_too_much {
            return None;
        }
        IN_FLIGHT.set(open + 1);
        Some(Seat(()))
    }
}

/// What is told a request that is turned away.
pub(crate) fn turned_away() -> Response {
    let mut response = reply::error(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
    response.headers.append("Retry-After", "1");
    response
}

/// What this process's control group may use, if that is bounded.
fn limit_of_group() -> Option<u64> {
    let files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limit = files.iter().find_map(|file| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok())?;
    // Version 1 says "no limit" with a number that no machine has.
    (limit < 1 << 60).then_some(limit)
}

/// Bytes of this process that are in memory; 0 where that cannot be known.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overload(most_per_worker: usize) -> Overload {
        Overload { most_per_worker, is_short_of_memory: AtomicBool::new(false) }
    }

    #[test]
    fn no_more_than_the_bound_at_once() {
        let overload = overload(2);
        let first = overload.enter();
        let _second = overload.enter().unwrap();
        assert!(overload.enter().is_none());
        drop(first);
        assert!(overload.enter().is_some());
    }

    #[test]
    fn short_of_memory_a_few_are_served() {
        let overload = overload(usize::MAX);
        overload.look(910, 1000);
        let few: Vec<_> = (0..FEW).map(|_| overload.enter().unwrap()).collect();
        assert!(overload.enter().is_none());
        overload.look(870, 1000);
        assert!(overload.enter().is_none(), "still too near");
        overload.look(840, 1000);
        assert!(overload.enter().is_some());
        drop(few);
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(resident() > 100_000);
    }
}
