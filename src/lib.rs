//! TrafficCop: the wiring. Settings → providers → merger → snapshot → server.
//!
//! [`App`] is the whole router in one value, so that tests drive the same thing that the binary runs. The control plane
//! (providers, merging, building) runs on the runtime on which [`App::start`] is awaited; traffic runs on the server's own
//! workers.

#[cfg(feature = "acme")]
mod acme;
pub mod cli;
mod control;
pub mod demo;
pub mod diagnose;
mod exports;
mod internal;
mod last_good;
mod measured;
mod providers;
mod receivers;
mod staple;
mod upgrade;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use trafficcop_api::Window;
use trafficcop_config::settings::Settings;
use trafficcop_merger::Inbox;
use trafficcop_provider::Event;
use trafficcop_server::{Inherited, Options, Server, Socket, Stopping, worker_count};
use trafficcop_snapshot::{Builder, Environment, Live};

/// Events of providers that may wait; more make providers wait.
const EVENTS: usize = 256;

/// Why the router did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Server(#[from] trafficcop_server::StartError),
    #[error("cannot start the thread that takes old snapshots apart: {0}")]
    Reaper(std::io::Error),
}

/// A running router.
pub struct App {
    server: Server,
    live: Arc<Live>,
    events: mpsc::Sender<Event>,
    measured: measured::Measured,
    pushers: Vec<trafficcop_observe::metrics::Pusher>,
}

/// Where the last good configuration is kept, if it is.
fn last_good_file(settings: &Settings) -> Option<&Path> {
    Some(Path::new(&settings.providers.last_good)).filter(|path| !path.as_os_str().is_empty())
}

impl App {
    /// Starts everything; when this returns, every entry point listens.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        Box::pin(Self::start_with(settings, Inherited::default(), false)).await
    }

    /// Starts everything on sockets that listen already, as far as there are any. `when_told`: accepts only when every
    /// provider has spoken once, as another process serves until then.
    pub async fn start_with(settings: Settings, inherited: Inherited, when_told: bool) -> Result<Self, StartError> {
        let settings = Arc::new(settings);
        let (events, news) = mpsc::channel(EVENTS);
        let measured = measured::Measured::new(&settings);
        let (window, stopping) = (Window::default(), Stopping::default());
        #[cfg(not(feature = "acme"))]
        if !settings.certificates_resolvers.is_empty() {
            tracing::warn!("This build has no certificates by ACME: certificatesResolvers bring nothing.");
        }
        #[cfg(feature = "acme")]
        let acme = acme::Acme::new(&settings);
        let starter = providers::Starter {
            out: events.clone(),
            check: control::middleware_check(),
            states: measured.states().clone(),
            restored: last_good_file(&settings).map(last_good::read).unwrap_or_default(),
            #[cfg(feature = "acme")]
            acme: acme.clone(),
        };
        #[cfg_attr(not(feature = "acme"), allow(unused_mut))]
        let mut own = internal::services(&settings, &window, &stopping.flag(), &measured, &starter);
        #[cfg(feature = "acme")]
        own.insert("acme-http".into(), Arc::new(acme.stage.answers.clone()));
        let environment =
            Environment { settings: Arc::clone(&settings), internal: own, control: tokio::runtime::Handle::current() };
        let mut builder = Builder::new(environment);
        let internal = Arc::new(trafficcop_provider_internal::configuration(&settings));
        let first = [(Arc::from("internal"), internal)].into();
        let snapshot = builder.apply(&first);
        let workers = worker_count();
        let live = Live::new(workers, &snapshot).map_err(StartError::Reaper)?;
        window.open(&live);
        let challenges = {
            #[cfg(feature = "acme")]
            let shared = acme.stage.challenges.clone();
            #[cfg(not(feature = "acme"))]
            let shared = trafficcop_tls::Challenges::default();
            shared
        };
        let options = Options { workers, stopping, observer: measured.observer(), challenges, inherited };
        let (mut server, mut waiting) = (None, Some(options));
        if !when_told && let Some(options) = waiting.take() {
            server = Some(Server::start(&settings, &live, options).await?);
        }

        let pushers = measured.push(&settings, &window);
        let throttle = settings.providers.providers_throttle_duration;
        let inbox = Inbox::new(news, control::news, throttle, None);
        let (live_too, told) = (Arc::clone(&live), measured.clone());
        let (heard, told_by) = watch::channel(BTreeSet::new());
        let plane = control::Plane {
            inbox,
            heard,
            first,
            builder,
            live: live_too,
            measured: told,
            last_good: last_good_file(&settings).map(|path| last_good::LastGood::start(path.into())),
            #[cfg(feature = "acme")]
            acme: acme.clone(),
        };
        tokio::spawn(control::run(plane));
        if let Some(ocsp) = &settings.ocsp {
            tokio::spawn(staple::run(ocsp.clone(), Arc::clone(&live)));
        }
        providers::start(&settings, &starter);
        if let Some(options) = waiting {
            all_heard(measured.states(), told_by).await;
            server = Some(Server::start(&settings, &live, options).await?);
        }
        let Some(server) = server else { return Err(StartError::Reaper(std::io::Error::other("no server"))) };
        Ok(Self { server, live, events, measured, pushers })
    }

    /// Where an entry point listens; useful when its port was 0.
    pub fn address(&self, entry_point: &str) -> Option<SocketAddr> {
        self.server.local_addr(entry_point)
    }

    /// The last requests, if they are kept.
    pub fn tail(&self) -> Option<Arc<trafficcop_observe::Tail>> {
        self.measured.tail()
    }

    /// The snapshot in force.
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// A way to publish configuration beside the providers, for the demo and for tests.
    pub fn publisher(&self, name: &str) -> trafficcop_provider::Publisher {
        trafficcop_provider::Publisher::new(name, self.events.clone(), control::middleware_check())
    }

    /// Opens the access log's file anew, for whoever moved it away.
    pub fn reopen_logs(&self) {
        self.measured.reopen();
    }

    /// The sockets that are listened on, for another process.
    pub fn sockets(&self) -> std::io::Result<Vec<Socket>> {
        self.server.sockets()
    }

    /// Stops as [`App::stop`] does, but tells nobody: another process serves.
    pub async fn hand_over(self) {
        self.server.hand_over().await;
        let (measured, pushers) = (self.measured, self.pushers);
        let _written_or_too_late = tokio::task::spawn_blocking(move || measured.flush(&pushers)).await;
    }

    /// Stops gracefully: as long as the entry points' life cycle says.
    pub async fn stop(self) {
        self.server.shutdown().await;
        let (measured, pushers) = (self.measured, self.pushers);
        let _written_or_too_late = tokio::task::spawn_blocking(move || measured.flush(&pushers)).await;
    }
}

/// Until what every provider said first is in force. A provider that says nothing is waited for; whoever waits for us
/// knows for how long.
async fn all_heard(states: &trafficcop_provider::States, mut heard: watch::Receiver<BTreeSet<Arc<str>>>) {
    let missing = |heard: &BTreeSet<Arc<str>>| states.show().iter().any(|(name, _)| !heard.contains(name));
    let _the_control_plane_ended = heard.wait_for(|heard| !missing(heard)).await;
}
