//! Runs the router until it is told to stop.

use std::io;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};
use trafficcop_config::settings::{Loaded, Log, Settings, Source};
use trafficcop_observe::log;

use super::health;
use super::systemd::Systemd;
use crate::{App, diagnose};

/// Threads of the control plane; traffic has its own.
const CONTROL_THREADS: usize = 2;

/// Starts everything and waits for SIGINT or SIGTERM; then stops gracefully, or at once at the second signal.
pub(super) fn run(loaded: Loaded, systemd: &Systemd) -> ExitCode {
    let log = loaded.settings.log.clone().unwrap_or_default();
    if let Err(error) = start_log(&log) {
        return super::refuse(&format!("trafficcop: the log cannot be started: {error}"));
    }
    diagnose::announce(&loaded);
    match run_on_control_plane(loaded, systemd) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("Command error: {error}");
            // Whoever started us may not see the log.
            if log.file_path.is_empty() { ExitCode::FAILURE } else { super::refuse(&format!("trafficcop: {error}")) }
        }
    }
}

fn run_on_control_plane(loaded: Loaded, systemd: &Systemd) -> io::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(CONTROL_THREADS).thread_name("control").enable_all().build()?;
    runtime.block_on(serve(loaded, systemd))
}

async fn serve(loaded: Loaded, systemd: &Systemd) -> io::Result<()> {
    let mut signals = Signals::new()?;
    let source = match &loaded.source {
        Source::File(file) => file.to_string(),
        Source::Flags => "flags".to_owned(),
        Source::Variables => "environment variables".to_owned(),
        Source::Defaults => "defaults".to_owned(),
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "Settings come from {source}.");
    let settings = loaded.settings.clone();
    let app = App::start(loaded.settings).await.map_err(io::Error::other)?;
    tracing::info!("Server is ready.");
    systemd.ready();
    tokio::select! {
        () = signals.stop(|| app.reopen_logs()) => {}
        () = watch_over(&settings, systemd) => {}
    }
    systemd.stopping();
    tracing::info!("Stopping. Requests in flight may finish; a second signal ends them.");
    tokio::select! {
        () = app.stop() => tracing::info!("Stopped."),
        () = signals.stop(|| {}) => tracing::warn!("Stopped at once."),
    }
    Ok(())
}

/// Tells systemd that we live, as long as the health endpoint (if there is one) answers.
async fn watch_over(settings: &Settings, systemd: &Systemd) {
    let Some(interval) = systemd.interval() else { return std::future::pending().await };
    let mut ticks = tokio::time::interval(interval);
    loop {
        ticks.tick().await;
        let settings = settings.clone();
        let well = settings.ping.is_none()
            || tokio::task::spawn_blocking(move || health::is_well(&settings)).await.is_ok_and(|well| well);
        if well {
            systemd.alive();
        } else {
            tracing::error!("The health endpoint does not answer; systemd is not told that the router lives.");
        }
    }
}

fn start_log(settings: &Log) -> io::Result<()> {
    let options = log::Options {
        level: settings.level.clone(),
        json: settings.format == "json",
        no_color: settings.no_color,
        file: (!settings.file_path.is_empty()).then(|| settings.file_path.clone().into()),
    };
    log::init(&options).map(drop)
}

/// The signals that the process listens to.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Taken so that they do not end the process: the file provider acts on the one, the access log on the other.
    others: [Signal; 2],
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            others: [signal(SignalKind::hangup())?, signal(SignalKind::user_defined1())?],
        })
    }

    /// Waits for a signal that means the end. `reopen`: called when logs are to be opened anew.
    async fn stop(&mut self, reopen: impl Fn()) {
        let [hangup, moved] = &mut self.others;
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = hangup.recv() => {}
                _ = moved.recv() => reopen(),
            }
        }
    }
}
