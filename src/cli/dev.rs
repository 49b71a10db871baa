//! `trafficcop dev`: routes on this machine by the files of a folder, and says of each request what became of it.
//!
//! The files are watched. Entry points are those of the settings file among them, on this machine only and on ports that
//! anybody may open; mock back ends are those below `mocks`. Browsers are told in the words of `explain` why there is no
//! answer of a server. Everything else of the settings file (providers, certificates, logs) is left out.

mod lines;
mod mocks;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use trafficcop_config::settings::api::LiveTail;
use trafficcop_config::settings::{Api, EntryPoint, Settings};
use trafficcop_observe::log;
use trafficcop_provider::Provider as _;
use trafficcop_provider_file::{File, Settings as Watched, Source};

use super::source;
use crate::App;
use crate::diagnose::Style;

/// How often what happened is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Names of a settings file.
const NAMES: [&str; 6] =
    ["traefik.yml", "traefik.yaml", "traefik.toml", "trafficcop.yml", "trafficcop.yaml", "trafficcop.toml"];
const USAGE: &str = "usage: trafficcop dev [FOLDER] [--port 8000] [--api-port 8080]";

/// What was asked for.
struct Asked {
    folder: PathBuf,
    port: u16,
    api_port: u16,
}

pub(super) fn run(words: &[String]) -> ExitCode {
    match Asked::read(words).and_then(|asked| develop(&asked).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => super::refuse(&format!("dev: {message}")),
    }
}

impl Asked {
    fn read(words: &[String]) -> Result<Self, String> {
        let mut asked = Self { folder: ".".into(), port: 8000, api_port: 8080 };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let place = match name {
                "--port" => &mut asked.port,
                "--api-port" => &mut asked.api_port,
                _ if name.starts_with('-') => return Err(USAGE.to_owned()),
                _ => {
                    asked.folder = word.into();
                    continue;
                }
            };
            let value = value.or_else(|| words.next().cloned()).ok_or(USAGE)?;
            *place = value.parse().map_err(|_| format!("{value} is not a port"))?;
        }
        if !asked.folder.is_dir() {
            return Err(format!("{} is no folder", asked.folder.display()));
        }
        Ok(asked)
    }
}

fn develop(asked: &Asked) -> io::Result<()> {
    // What is wrong with the files is told as lines of ours.
    log::init(&log::Options { level: "FATAL".to_owned(), ..log::Options::default() })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (settings, file) = settings(asked)?;
        let names: Vec<String> = settings.entry_points.keys().cloned().collect();
        let app = App::start(settings).await.map_err(io::Error::other)?;
        let watched = Watched { source: Source::Among(asked.folder.clone()), watch: true, log_templates: false };
        let publisher = app.publisher("file");
        tokio::spawn(async move {
            let watching = async { File::new(watched)?.run(&publisher).await };
            if let Err(error) = watching.await {
                tracing::error!(%error, "The folder is watched no longer.");
            }
        });
        let style = Style::of(io::stdout().is_terminal());
        let mut out = io::stdout();
        writeln!(out, "Files: {} (watched)", asked.folder.display())?;
        if let Some(file) = file {
            writeln!(out, "Entry points: as in {}, on this machine only", file.display())?;
        }
        for name in &names {
            if let Some(address) = app.address(name) {
                let what = if name == "traefik" { "/dashboard/" } else { "" };
                writeln!(out, "  {name:<12} http://{address}{what}")?;
            }
        }
        writeln!(out, "Stop it with Ctrl-C.\n")?;
        tokio::select! {
            told = tell(&app, &asked.folder, style) => told?,
            stopped = tokio::signal::ctrl_c() => stopped?,
        }
        app.stop().await;
        Ok(())
    })
}

/// Says what happens, as it happens.
async fn tell(app: &App, folder: &Path, style: Style) -> io::Result<()> {
    let mut mocks = mocks::Mocks::of(folder);
    let mut told = lines::Told::default();
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        let mut text = mocks.follow();
        text.push_str(&told.configuration(&app.live().current(0), style));
        if let Some(tail) = app.tail() {
            text.push_str(&told.requests(&tail, style));
        }
        if !text.is_empty() {
            io::stdout().write_all(text.as_bytes())?;
        }
    }
}

/// Settings of our own, with the entry points of the folder's settings file.
fn settings(asked: &Asked) -> io::Result<(Settings, Option<PathBuf>)> {
    let file = NAMES.iter().map(|name| asked.folder.join(name)).find(|path| path.is_file());
    let loaded = file.as_ref().map(|file| source::from_file(file)).transpose();
    let theirs = loaded.map_err(io::Error::other)?.map(|loaded| loaded.settings);
    let mut settings = Settings::default();
    let mut points: BTreeMap<String, EntryPoint> = BTreeMap::new();
    if let Some(theirs) = &theirs {
        settings.core = theirs.core.clone();
        points.extend(theirs.entry_points.iter().map(|(name, point)| (name.clone(), point.clone())));
    }
    points.remove("traefik");
    points.retain(|_, point| !point.address.ends_with("/udp"));
    if points.is_empty() {
        points.insert("web".to_owned(), EntryPoint::default());
    }
    let mut next = asked.port;
    let mut taken = vec![asked.api_port];
    for point in points.values_mut() {
        let port = point.address.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
        // The first one is where it is asked for; others keep a port that anybody may open.
        let wanted = match port {
            Some(port) if port >= 1024 && next != asked.port => port,
            _ => next,
        };
        let port = free(wanted, &taken)?;
        taken.push(port);
        next = if port == 0 { 0 } else { port + 1 };
        point.address = format!("127.0.0.1:{port}");
        point.http3 = None;
    }
    let api = format!("127.0.0.1:{}", free(asked.api_port, &[])?);
    points.insert("traefik".to_owned(), EntryPoint { address: api, ..EntryPoint::default() });
    settings.entry_points = points.into_iter().collect();
    settings.api = Some(Api { insecure: true, live_tail: Some(LiveTail::default()), ..Api::default() });
    settings.core.reason_header = true;
    settings.core.explain_pages = true;
    Ok((settings, file))
}

/// This port, or the next that nobody has. 0 stays 0: any.
fn free(wanted: u16, taken: &[u16]) -> io::Result<u16> {
    if wanted == 0 {
        return Ok(0);
    }
    (wanted..=wanted.saturating_add(100))
        .filter(|port| !taken.contains(port))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or_else(|| io::Error::other(format!("neither port {wanted} nor the hundred behind it is free")))
}

/// What the thread of a mock looks at, and we change.
type Shared<T> = Arc<parking_lot::Mutex<T>>;
