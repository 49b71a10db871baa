//! Active checks of TCP servers: can they be connected to, and do they say what is expected?

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use trafficcop_balancer::Status;
use trafficcop_config::dynamic::tcp::HealthCheck;

use super::transport::Transport;

const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The checks of one load balancer; they end with it.
pub(super) struct Checks([JoinHandle<()>; 2]);

struct Plan {
    service: Box<str>,
    send: Box<str>,
    expect: Box<str>,
    timeout: Duration,
    transport: Arc<Transport>,
    servers: Vec<(String, Arc<Status>)>,
}

impl Checks {
    /// The first round comes after one interval; until then every server counts as up.
    pub(super) fn start(
        service: &str,
        settings: &HealthCheck,
        mut servers: Vec<(String, Arc<Status>)>,
        transport: &Arc<Transport>,
        control: &Handle,
    ) -> Self {
        let interval = settings.interval.positive().unwrap_or(DEFAULT_INTERVAL);
        let unhealthy = settings.unhealthy_interval.map_or(interval, |it| it.positive().unwrap_or(DEFAULT_INTERVAL));
        if let Ok(port) = u16::try_from(settings.port)
            && port > 0
        {
            for (address, _) in &mut servers {
                let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
                *address = format!("{host}:{port}");
            }
        }
        let plan = Arc::new(Plan {
            service: service.into(),
            send: settings.send.as_str().into(),
            expect: settings.expect.as_str().into(),
            timeout: settings.timeout.positive().unwrap_or(DEFAULT_TIMEOUT),
            transport: Arc::clone(transport),
            servers,
        });
        Self([control.spawn(rounds(Arc::clone(&plan), interval, true)), control.spawn(rounds(plan, unhealthy, false))])
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
async fn rounds(plan: Arc<Plan>, interval: Duration, those_up: bool) {
    let mut ticks = interval_at(Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        for (address, status) in plan.servers.iter().filter(|(_, status)| status.is_up() == those_up) {
            let asked = tokio::time::timeout(plan.timeout, plan.ask(address)).await;
            let result = asked.unwrap_or_else(|late| Err(late.into()));
            let has_changed = status.set(result.is_ok());
            match result {
                Ok(()) if has_changed => tracing::info!(service = %plan.service, %address, "Server is up again."),
                Err(error) if has_changed => {
                    tracing::warn!(service = %plan.service, %address, %error, "Health check failed, the server is down.");
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
}

impl Plan {
    async fn ask(&self, address: &str) -> io::Result<()> {
        let mut stream = self.transport.open(address).await?;
        stream.write_all(self.send.as_bytes()).await?;
        if self.expect.is_empty() {
            return Ok(());
        }
        let mut heard = vec![0; self.expect.len()];
        stream.read_exact(&mut heard).await?;
        if heard == self.expect.as_bytes() { Ok(()) } else { Err(io::Error::other("the server said something else")) }
    }
}
