//! Runs the router until it is told to stop.

use std::io;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use trafficcop_config::settings::{Loaded, Log, Settings, Source};
use trafficcop_observe::log;

use super::systemd::Systemd;
use super::upgrade::HANDED_OVER;
use super::{health, init};
use crate::upgrade::{Predecessor, Successor};
use crate::{App, diagnose, upgrade};

/// Threads of the control plane; traffic has its own.
const CONTROL_THREADS: usize = 2;

/// Starts everything and waits for SIGINT or SIGTERM; then stops gracefully, or at once at the second signal. At SIGUSR2
/// hands over to a new process, if that becomes ready.
pub(super) fn run(loaded: Loaded, systemd: &Systemd) -> ExitCode {
    let log = loaded.settings.log.clone().unwrap_or_default();
    if let Err(error) = start_log(&log) {
        return super::refuse(&format!("trafficcop: the log cannot be started: {error}"));
    }
    diagnose::announce(&loaded);
    match run_on_control_plane(loaded, systemd) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("Command error: {error}");
            // Whoever started us may not see the log.
            if log.file_path.is_empty() { ExitCode::FAILURE } else { super::refuse(&format!("trafficcop: {error}")) }
        }
    }
}

fn run_on_control_plane(loaded: Loaded, systemd: &Systemd) -> io::Result<ExitCode> {
    upgrade::remember_program();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(CONTROL_THREADS).thread_name("control").enable_all().build()?;
    runtime.block_on(serve(loaded, systemd))
}

async fn serve(loaded: Loaded, systemd: &Systemd) -> io::Result<ExitCode> {
    let mut signals = Signals::new()?;
    let source = match &loaded.source {
        Source::File(file) => file.to_string(),
        Source::Flags => "flags".to_owned(),
        Source::Variables => "environment variables".to_owned(),
        Source::Defaults => "defaults".to_owned(),
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "Settings come from {source}.");
    let settings = loaded.settings.clone();
    let predecessor = Predecessor::find();
    let inherited = match &predecessor {
        Some(predecessor) => predecessor.sockets()?,
        None => systemd.sockets(),
    };
    let started = Box::pin(App::start_with(loaded.settings, inherited, predecessor.is_some())).await;
    let app = started.map_err(io::Error::other)?;
    tracing::info!("Server is ready.");
    if let Some(predecessor) = &predecessor {
        predecessor.ready();
    }
    systemd.ready();
    let taken_over_by = tokio::select! {
        next = until_the_end(&mut signals, &app) => next,
        () = watch_over(&settings, systemd) => None,
    };
    let Some(next) = taken_over_by else {
        systemd.stopping();
        tracing::info!("Stopping. Requests in flight may finish; a second signal ends them.");
        tokio::select! {
            () = app.stop() => tracing::info!("Stopped."),
            () = signals.stop() => tracing::warn!("Stopped at once."),
        }
        return Ok(ExitCode::SUCCESS);
    };
    systemd.is_now(next);
    if let Err(error) = std::fs::write("/proc/self/comm", HANDED_OVER) {
        tracing::debug!(%error, "This process keeps its name.");
    }
    tracing::info!(pid = next, "Handed over. Requests in flight may finish.");
    if init::is_first() {
        tokio::spawn(app.hand_over());
        return init::stay(next).await;
    }
    tokio::select! {
        () = app.hand_over() => tracing::info!("Stopped."),
        () = signals.stop() => tracing::warn!("Stopped at once."),
    }
    Ok(ExitCode::SUCCESS)
}

/// Until a signal means the end, or another process has taken over: its number.
async fn until_the_end(signals: &mut Signals, app: &App) -> Option<u32> {
    let successor = Successor::default();
    let mut starting: Option<JoinHandle<Result<u32, String>>> = None;
    loop {
        let started = async {
            match &mut starting {
                Some(task) => task.await.unwrap_or_else(|error| Err(error.to_string())),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            started = started => {
                starting = None;
                match started {
                    Ok(number) => return Some(number),
                    Err(why) => tracing::error!("The new process does not take over, this one serves on: {why}."),
                }
            }
            told = signals.next() => match told {
                Told::Stop => {
                    successor.end();
                    return None;
                }
                Told::Reopen => app.reopen_logs(),
                Told::Upgrade if starting.is_some() => tracing::warn!("A new process is being started already."),
                Told::Upgrade => match app.sockets() {
                    Ok(sockets) => {
                        tracing::info!("Starting a new process that shall take over.");
                        let successor = successor.clone();
                        starting = Some(tokio::task::spawn_blocking(move || successor.start(&sockets)));
                    }
                    Err(error) => tracing::error!(%error, "The listening sockets cannot be handed over."),
                },
            }
        }
    }
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
        limits: log::Limits {
            size: u64::try_from(settings.max_size).unwrap_or(0),
            age: u64::try_from(settings.max_age).unwrap_or(0),
            backups: usize::try_from(settings.max_backups).unwrap_or(0),
            compress: settings.compress,
        },
    };
    log::init(&options).map(drop)
}

/// What a signal asks for.
enum Told {
    Stop,
    /// Logs are to be opened anew.
    Reopen,
    Upgrade,
}

/// The signals that the process listens to.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Taken so that it does not end the process: the file provider acts on it.
    hangup: Signal,
    reopen: Signal,
    upgrade: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            reopen: signal(SignalKind::user_defined1())?,
            upgrade: signal(SignalKind::user_defined2())?,
        })
    }

    async fn next(&mut self) -> Told {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return Told::Stop,
                _ = self.terminate.recv() => return Told::Stop,
                _ = self.hangup.recv() => {}
                _ = self.reopen.recv() => return Told::Reopen,
                _ = self.upgrade.recv() => return Told::Upgrade,
            }
        }
    }

    /// Waits for a signal that means the end.
    async fn stop(&mut self) {
        while !matches!(self.next().await, Told::Stop) {}
    }
}
