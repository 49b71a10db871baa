//! Against a fake engine, which can do what a real one does at bad moments only; and against a real one.

mod fake;
mod losses;
mod real;
mod rotation;
mod versions;
mod ways;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use trafficcop_config::settings::discovery::Docker as Settings;
use trafficcop_provider::{Event, Provider, Publisher};

use crate::Docker;

/// A provider at work and what it publishes.
struct Watched {
    events: mpsc::Receiver<Event>,
    work: JoinHandle<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.work.abort();
    }
}

impl Watched {
    fn start(settings: &Settings, version: Option<&str>) -> Self {
        let (send, events) = mpsc::channel(64);
        let mut docker = Docker::with_version(settings, version.map(str::to_owned)).unwrap();
        let publisher = Publisher::new(Docker::NAME, send, Arc::new(|_, _| Ok(())));
        let work = tokio::spawn(async move { docker.run(&publisher).await.unwrap() });
        Self { events, work }
    }

    /// The next configuration, one line per router, service and problem.
    async fn next(&mut self) -> Vec<String> {
        let event = timeout(Duration::from_secs(10), self.events.recv()).await.expect("nothing was published");
        let Some(Event::Configuration { configuration, problems, .. }) = event else { panic!("{event:?}") };
        let http = configuration.http.clone().unwrap_or_default();
        let mut lines: Vec<String> = http
            .routers
            .iter()
            .map(|(name, router)| format!("{name}: {} -> {}", *router.rule, router.service))
            .collect();
        for (name, service) in &http.services {
            let servers =
                service.load_balancer.iter().flat_map(|balancer| &balancer.servers).map(|server| server.url.as_str());
            lines.push(format!("{name} = {}", servers.collect::<Vec<_>>().join(" ")));
        }
        lines.extend(problems.0.iter().map(|problem| format!("! {problem}")));
        lines
    }

    /// Waits until this is published; whatever comes before is passed over.
    async fn until(&mut self, expected: &[&str]) {
        let mut last = Vec::new();
        for _ in 0..64 {
            last = self.next().await;
            if last == expected {
                return;
            }
        }
        panic!("{expected:?} was not published, the last was {last:?}");
    }
}
