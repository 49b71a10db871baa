//! Back ends that are not there yet: what stands below `mocks` in the files of the folder.
//!
//! ```yaml
//! mocks:
//!   users:
//!     address: 127.0.0.1:9001
//!     status: 404
//!     routes:
//!       /users: {body: '[{"id": 1}]', headers: {Content-Type: application/json}, delay: 200ms}
//! ```
//!
//! A route is the beginning of a path; the longest that fits counts. What a route does not say, the mock does; one that says no body
//! answers what it was asked. Changes count from the next request on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration as Span, SystemTime};

use parking_lot::Mutex;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::LocalSet;
use trafficcop_config::Duration;
use trafficcop_config::read::{Format, document};
use trafficcop_exchange::{Body, Interim, Request, Response, StatusCode};
use trafficcop_h1::Handler;

use super::Shared;

/// Files that are looked at; a folder with more is not one of configuration.
const MOST_FILES: usize = 1000;

/// A mock, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Mock {
    address: String,
    status: Option<u16>,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    delay: Option<Duration>,
    routes: BTreeMap<String, Answer>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    status: Option<u16>,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    delay: Option<Duration>,
}

/// Those of a folder.
pub(super) struct Mocks {
    folder: PathBuf,
    /// The files as they were read last, and when each was changed.
    files: Vec<(PathBuf, SystemTime)>,
    running: BTreeMap<String, (String, Shared<Mock>)>,
}

impl Mocks {
    pub(super) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), files: Vec::new(), running: BTreeMap::new() }
    }

    /// Starts what is new and changes what has changed; says what it did.
    pub(super) fn follow(&mut self) -> String {
        let files = self.seen();
        if files == self.files {
            return String::new();
        }
        self.files = files;
        let mut text = String::new();
        for (path, _) in self.files.clone() {
            if let Err(error) = self.read(&path, &mut text) {
                let _memory_takes_all = writeln!(text, "! mocks: {}: {error}", path.display());
            }
        }
        text
    }

    /// The folder's own files; what lies below it has none.
    fn seen(&self) -> Vec<(PathBuf, SystemTime)> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten().take(MOST_FILES);
        let file = |entry: std::fs::DirEntry| {
            let path = entry.path();
            Format::of(&path).filter(|format| *format != Format::Json)?;
            Some((path, entry.metadata().ok()?.modified().ok()?))
        };
        let mut files: Vec<_> = entries.filter_map(file).collect();
        files.sort();
        files
    }

    fn read(&mut self, path: &Path, told: &mut String) -> Result<(), String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        if !text.lines().any(|line| line.starts_with("mocks:") || line.starts_with("[mocks")) {
            return Ok(());
        }
        let format = Format::of(path).unwrap_or(Format::Yaml);
        let node = document(&text, format, &path.to_string_lossy()).map_err(|errors| errors.to_string())?;
        let Some(mocks) = node.get("mocks") else { return Ok(()) };
        let mocks: BTreeMap<String, Mock> = mocks.decode().map_err(|errors| errors.to_string())?;
        for (name, mock) in mocks {
            match self.running.get(&name) {
                Some((address, running)) if *address == mock.address => *running.lock() = mock,
                _ => {
                    let address = mock.address.clone();
                    let shared: Shared<Mock> = Arc::new(Mutex::new(mock));
                    let bound = start(name.clone(), &address, Arc::clone(&shared))
                        .map_err(|error| format!("{name} at {address}: {error}"))?;
                    let _memory_takes_all = writeln!(told, "-- mock {name} answers at http://{bound}");
                    self.running.insert(name, (address, shared));
                }
            }
        }
        Ok(())
    }
}

/// Serves one on a thread of its own, as long as the process lives.
fn start(name: String, address: &str, mock: Shared<Mock>) -> std::io::Result<std::net::SocketAddr> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(format!("mock-{name}")).spawn(move || {
        LocalSet::new().block_on(&runtime, async move {
            match TcpListener::from_std(listener) {
                Ok(listener) => {
                    crate::demo::accept(listener, Rc::new(Server { name, mock }), &trafficcop_h1::Drain::new()).await;
                }
                Err(error) => tracing::error!(%error, "A mock cannot listen."),
            }
        });
    })?;
    Ok(bound)
}

struct Server {
    name: String,
    mock: Shared<Mock>,
}

impl Handler for Server {
    async fn call(&self, request: Request, _: Interim) -> Response {
        let (answer, delay) = {
            let mock = self.mock.lock();
            let path = request.target.path();
            let route = mock.routes.iter().filter(|(start, _)| path.starts_with(start.as_str()));
            let route = route.max_by_key(|(start, _)| start.len()).map(|(_, answer)| answer);
            let none = Answer::default();
            let route = route.unwrap_or(&none);
            let headers = if route.headers.is_empty() { &mock.headers } else { &route.headers };
            let delay = route.delay.or(mock.delay).and_then(Duration::positive).unwrap_or(Span::ZERO);
            let answer = Answer {
                status: route.status.or(mock.status),
                headers: headers.clone(),
                body: route.body.clone().or_else(|| mock.body.clone()),
                delay: None,
            };
            (answer, delay)
        };
        tokio::time::sleep(delay).await;
        let status = answer.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
        let mut response = Response::new(status);
        for (name, value) in answer.headers {
            response.headers.append(name, value);
        }
        if !response.headers.contains("Content-Type") {
            response.headers.append("Content-Type", "text/plain; charset=utf-8");
        }
        let asked = || format!("mock {}: {} {}\n", self.name, request.method, request.target.to_uri());
        response.body = Body::from(answer.body.unwrap_or_else(asked));
        response
    }
}
