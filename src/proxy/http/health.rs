//! Whether servers are well: asked regularly (active), and learnt from the traffic (passive).

mod grpc;
mod passive;
mod probe;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use trafficcop_balancer::Status;
use trafficcop_config::dynamic::http::HealthCheck;

use super::Transport;
use super::server_url::ServerUrl;
use crate::BuildError;

pub(crate) use passive::Passive;
use probe::{Probe, Unwell};

const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The active checks of one service; they end when this is dropped.
#[derive(Debug)]
pub(crate) struct Checks([JoinHandle<()>; 2]);

struct Checked {
    url: String,
    status: Arc<Status>,
    /// Or why there is none: such a server fails its checks.
    probe: Result<Probe, Unwell>,
    /// Results in a row that speak against its present state.
    against: AtomicU32,
}

/// How many results in a row change the state of a server.
#[derive(Clone, Copy, Debug)]
struct Thresholds {
    fails: u32,
    passes: u32,
}

impl Checked {
    /// Takes down a result; says whether it has changed the state.
    fn learn(&self, is_well: bool, thresholds: Thresholds) -> bool {
        let is_up = self.status.is_up();
        if is_well == is_up {
            self.against.store(0, Ordering::Relaxed);
            return false;
        }
        let needed = if is_up { thresholds.fails } else { thresholds.passes };
        if self.against.fetch_add(1, Ordering::Relaxed) + 1 < needed {
            return false;
        }
        self.against.store(0, Ordering::Relaxed);
        self.status.set(is_well)
    }
}

impl Checks {
    /// The first round comes after one interval; until then every server counts as up.
    pub(crate) fn start(
        service: &str,
        settings: &HealthCheck,
        servers: &[(String, Arc<Status>)],
        transport: &Transport,
        control: &Handle,
    ) -> Result<Self, BuildError> {
        let interval = settings.interval.positive().unwrap_or(DEFAULT_INTERVAL);
        let unhealthy_interval =
            settings.unhealthy_interval.map_or(interval, |interval| interval.positive().unwrap_or(DEFAULT_INTERVAL));
        let threshold = |count: i64| u32::try_from(count).unwrap_or(1).max(1);
        let thresholds = Thresholds { fails: threshold(settings.fails), passes: threshold(settings.passes) };
        let timeout = settings.timeout.positive().unwrap_or(DEFAULT_TIMEOUT);
        let mut checked: Vec<Checked> = Vec::new();
        for (url, status) in servers {
            if checked.iter().all(|known| known.url != *url) {
                let probe = Probe::new(settings, &ServerUrl::parse(url)?, transport, timeout);
                checked.push(Checked {
                    url: url.clone(),
                    status: Arc::clone(status),
                    probe,
                    against: AtomicU32::new(0),
                });
            }
        }
        let checked: Arc<[Checked]> = checked.into();
        let service: Arc<str> = service.into();
        let healthy = control.spawn(rounds(Arc::clone(&service), Arc::clone(&checked), interval, thresholds, true));
        let unhealthy = control.spawn(rounds(service, checked, unhealthy_interval, thresholds, false));
        Ok(Self([healthy, unhealthy]))
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// Asks those that are up, or those that are down, one after the other.
async fn rounds(
    service: Arc<str>,
    servers: Arc<[Checked]>,
    interval: Duration,
    thresholds: Thresholds,
    those_up: bool,
) {
    let mut ticks = interval_at(Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let due: Vec<&Checked> = servers.iter().filter(|server| server.status.is_up() == those_up).collect();
        for server in due {
            let asked;
            let result = match &server.probe {
                Ok(probe) => {
                    asked = probe.run().await;
                    asked.as_ref()
                }
                Err(unusable) => Err(unusable),
            };
            let has_changed = server.learn(result.is_ok(), thresholds);
            match result {
                Ok(()) if has_changed => tracing::info!(%service, url = %server.url, "Server is up again."),
                Err(error) if has_changed => {
                    tracing::warn!(%service, url = %server.url, %error, "Health check failed, the server is down.");
                }
                Err(error) => tracing::debug!(%service, url = %server.url, %error, "Health check failed again."),
                Ok(()) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_in_a_row_change_the_state() {
        let thresholds = Thresholds { fails: 3, passes: 2 };
        let probe = Err(Unwell::Grpc("unused".into()));
        let server = Checked { url: "http://a".into(), status: Status::leaf(), probe, against: AtomicU32::new(0) };
        let changes = |results: &[bool]| results.iter().map(|well| server.learn(*well, thresholds)).collect::<Vec<_>>();
        assert_eq!(changes(&[false, false, true, false, false]), [false; 5], "a success between starts anew");
        assert!(server.status.is_up());
        assert_eq!(changes(&[false, false]), [true, false]);
        assert!(!server.status.is_up());
        assert_eq!(changes(&[true, false, true, true]), [false, false, false, true]);
        assert!(server.status.is_up());
    }
}
