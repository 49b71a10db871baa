//! Learning from the traffic: a server that fails too often within a window is taken out for as long as the window.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use trafficcop_balancer::Candidate;
use trafficcop_config::dynamic::http::PassiveHealthCheck;

/// More failures than this need not be remembered.
const MOST_REMEMBERED: usize = 10_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Passive {
    service: Box<str>,
    window: Duration,
    most_failures: usize,
    /// Then it is the active check that brings a server back.
    has_active: bool,
    records: Box<[Record]>,
    control: Handle,
}

/// The failures of one server. The lock is taken only by failures and by the success that follows them.
#[derive(Debug, Default)]
struct Record {
    has_failures: AtomicBool,
    failures: Mutex<VecDeque<Instant>>,
}

impl Passive {
    pub(crate) fn new(
        service: &str,
        settings: &PassiveHealthCheck,
        servers: usize,
        has_active: bool,
        control: Handle,
    ) -> Self {
        Self {
            service: service.into(),
            window: settings.failure_window.positive().unwrap_or(Duration::from_secs(10)),
            most_failures: usize::try_from(settings.max_failed_attempts).unwrap_or(1).clamp(1, MOST_REMEMBERED),
            has_active,
            records: std::iter::repeat_with(Record::default).take(servers).collect(),
            control,
        }
    }

    /// Takes down how a request to that server went.
    pub(crate) fn learn(&self, index: usize, candidate: &Candidate, was_well: bool) {
        let record = &self.records[index];
        if was_well {
            if record.has_failures.swap(false, Ordering::Relaxed) {
                record.failures.lock().clear();
            }
            return;
        }
        if self.fail(record, Instant::now()) && candidate.status.set(false) {
            tracing::warn!(service = %self.service, url = %candidate.name, "Server fails too often, it is taken out.");
            if !self.has_active {
                let (status, window) = (Arc::clone(&candidate.status), self.window);
                self.control.spawn(async move {
                    tokio::time::sleep(window).await;
                    status.set(true);
                });
            }
        }
    }

    /// Says whether that was one failure too many.
    fn fail(&self, record: &Record, now: Instant) -> bool {
        record.has_failures.store(true, Ordering::Relaxed);
        let mut failures = record.failures.lock();
        while failures.front().is_some_and(|first| now.duration_since(*first) >= self.window) {
            failures.pop_front();
        }
        if failures.len() == self.most_failures {
            failures.pop_front();
        }
        failures.push_back(now);
        failures.len() >= self.most_failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trafficcop_balancer::Status;

    fn passive(attempts: i64, window: i64) -> (Passive, Candidate) {
        let settings = PassiveHealthCheck {
            failure_window: trafficcop_config::Duration::from_millis(window),
            max_failed_attempts: attempts,
        };
        let candidate = Candidate::new("http://a", 1.0, false, Status::leaf());
        (Passive::new("s@file", &settings, 1, false, Handle::current()), candidate)
    }

    #[tokio::test(start_paused = true)]
    async fn out_for_as_long_as_the_window() {
        let (passive, server) = passive(2, 500);
        passive.learn(0, &server, false);
        assert!(server.status.is_up());
        passive.learn(0, &server, false);
        assert!(!server.status.is_up());
        tokio::time::sleep(Duration::from_millis(499)).await;
        assert!(!server.status.is_up());
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert!(server.status.is_up());
    }

    #[tokio::test]
    async fn a_success_wipes_the_slate() {
        let (passive, server) = passive(2, 60_000);
        for _ in 0..4 {
            passive.learn(0, &server, false);
            passive.learn(0, &server, true);
        }
        assert!(server.status.is_up());
    }

    #[tokio::test]
    async fn old_failures_do_not_count() {
        let (passive, _server) = passive(2, 1000);
        let start = Instant::now();
        assert!(!passive.fail(&passive.records[0], start));
        assert!(!passive.fail(&passive.records[0], start + Duration::from_secs(1)));
        assert!(passive.fail(&passive.records[0], start + Duration::from_millis(1500)));
    }
}
