//! An engine of our own: it knows the containers it is told of and answers on a Unix socket.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::JoinSet;
use trafficcop_config::settings::discovery::Docker as Settings;

/// What the engine, or the proxy before it, answers to whoever asks for a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manners {
    Open,
    /// `/_ping` is refused.
    NoPing,
    /// So is `/version`.
    Silent,
    /// `/events` is refused.
    NoEvents,
}

pub(super) struct World {
    pub(super) oldest: &'static str,
    pub(super) newest: &'static str,
    pub(super) manners: Manners,
    containers: BTreeMap<String, Value>,
    pub(super) requests: Vec<String>,
    /// Containers whose inspections are answered only when told so.
    held: BTreeMap<String, Arc<Notify>>,
    /// Values of the `Authorization` headers seen.
    pub(super) credentials: Vec<String>,
}

/// The engine. It can be shut down, which ends every connection, and opened again.
pub(super) struct Engine {
    folder: TempDir,
    pub(super) world: Arc<Mutex<World>>,
    events: broadcast::Sender<String>,
    /// How many connections follow the events.
    followers: watch::Sender<usize>,
    /// How many inspections were held back.
    waiting: watch::Sender<usize>,
    service: Option<JoinSet<()>>,
}

impl Engine {
    pub(super) fn start(oldest: &'static str, newest: &'static str, manners: Manners) -> Self {
        let world = World {
            oldest,
            newest,
            manners,
            containers: BTreeMap::new(),
            requests: Vec::new(),
            held: BTreeMap::new(),
            credentials: Vec::new(),
        };
        let mut engine = Self {
            folder: tempfile::tempdir().unwrap(),
            world: Arc::new(Mutex::new(world)),
            events: broadcast::channel(256).0,
            followers: watch::channel(0).0,
            waiting: watch::channel(0).0,
            service: None,
        };
        engine.open();
        engine
    }

    pub(super) fn modern() -> Self {
        Self::start("1.24", "1.52", Manners::Open)
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    pub(super) fn settings(&self) -> Settings {
        Settings { endpoint: format!("unix://{}", self.socket().display()), ..Settings::default() }
    }

    pub(super) fn open(&mut self) {
        let listener = UnixListener::bind(self.socket()).unwrap();
        let (world, events) = (Arc::clone(&self.world), self.events.clone());
        let counts = (self.followers.clone(), self.waiting.clone());
        let mut service = JoinSet::new();
        service.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&world), events.clone(), counts.clone()));
            }
        });
        self.service = Some(service);
    }

    /// Ends every connection and refuses new ones.
    pub(super) async fn shut(&mut self) {
        if let Some(mut service) = self.service.take() {
            service.shutdown().await;
        }
        self.followers.send_replace(0);
        std::fs::remove_file(self.socket()).unwrap();
    }

    /// Waits until somebody follows the events.
    pub(super) async fn followed(&self) {
        self.followers.subscribe().wait_for(|count| *count > 0).await.unwrap();
    }

    /// A running container with one exposed port, at an address of its own.
    pub(super) fn put(&self, id: &str, address: &str, labels: &[(&str, &str)]) {
        self.put_with(id, address, labels, |_| {});
    }

    pub(super) fn put_with(&self, id: &str, address: &str, labels: &[(&str, &str)], change: impl FnOnce(&mut Value)) {
        let labels: BTreeMap<_, _> = labels.iter().copied().collect();
        let mut container = json!({
            "Id": id,
            "Name": format!("/{id}"),
            "Created": "2026-01-02T03:04:05.678Z",
            "State": {"Status": "running", "Running": true},
            "Config": {"Labels": labels},
            "HostConfig": {"NetworkMode": "bridge"},
            "NetworkSettings": {"Ports": {"80/tcp": null}, "Networks": {"bridge": {"IPAddress": address}}},
        });
        change(&mut container);
        self.world.lock().unwrap().containers.insert(id.to_owned(), container);
    }

    pub(super) fn take(&self, id: &str) {
        self.world.lock().unwrap().containers.remove(id);
    }

    pub(super) fn tell(&self, id: &str, action: &str) {
        self.tell_with(id, action, &json!({}));
    }

    pub(super) fn tell_with(&self, id: &str, action: &str, attributes: &Value) {
        let event = json!({"Type": "container", "Action": action, "Actor": {"ID": id, "Attributes": attributes}, "scope": "local", "time": 1});
        let _nobody_follows = self.events.send(event.to_string());
    }

    /// Answers inspections of this container only when told so, with what they would have answered at once.
    pub(super) fn hold(&self, id: &str) -> Arc<Notify> {
        Arc::clone(self.world.lock().unwrap().held.entry(id.to_owned()).or_default())
    }

    /// Waits until an inspection is held back.
    pub(super) async fn held(&self) {
        self.waiting.subscribe().wait_for(|count| *count > 0).await.unwrap();
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.world.lock().unwrap().requests.clone()
    }
}

async fn serve(
    stream: UnixStream,
    world: Arc<Mutex<World>>,
    events: broadcast::Sender<String>,
    (followers, waiting): (watch::Sender<usize>, watch::Sender<usize>),
) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut request = String::new();
        while let Ok(read) = stream.read_line(&mut request).await {
            if read == 0 {
                return;
            }
            if request.ends_with("\r\n\r\n") {
                break;
            }
        }
        let line = request.lines().next().unwrap_or_default();
        let (method, target) = line.split_once(' ').unwrap_or_default();
        let target = target.split(' ').next().unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default();
        world.lock().unwrap().requests.push(format!("{method} {path}"));
        let credentials = request.lines().filter_map(|line| line.strip_prefix("authorization: ").map(str::to_owned));
        world.lock().unwrap().credentials.extend(credentials);
        if path.ends_with("/events") && world.lock().unwrap().manners != Manners::NoEvents {
            let mut told = events.subscribe();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
            if stream.write_all(head.as_bytes()).await.is_err() {
                return;
            }
            followers.send_modify(|count| *count += 1);
            while let Ok(event) = told.recv().await {
                let chunk = format!("{:x}\r\n{event}\n\r\n", event.len() + 1);
                if stream.write_all(chunk.as_bytes()).await.is_err() {
                    return;
                }
            }
            return;
        }
        let (status, body) = world.lock().unwrap().answer(path);
        let id = path.split('/').rev().nth(1).unwrap_or_default();
        let held = world.lock().unwrap().held.get(id).map(Arc::clone);
        if let Some(held) = held {
            waiting.send_modify(|count| *count += 1);
            held.notified().await;
        }
        let newest = world.lock().unwrap().newest;
        let announced =
            if path == "/_ping" && status == 200 { format!("Api-Version: {newest}\r\n") } else { String::new() };
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{announced}Content-Length: {}\r\n\r\n",
            body.len()
        );
        let body = if method == "HEAD" { "" } else { &body };
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

fn number(version: &str) -> u32 {
    version.rsplit('.').next().unwrap().parse().unwrap()
}

impl World {
    fn answer(&self, path: &str) -> (u16, String) {
        let refused = (403, "Forbidden".to_owned());
        match path {
            "/_ping" if matches!(self.manners, Manners::Open | Manners::NoEvents) => return (200, "OK".to_owned()),
            "/version" if self.manners != Manners::Silent => {
                return (
                    200,
                    json!({"Version": "1", "ApiVersion": self.newest, "MinAPIVersion": self.oldest}).to_string(),
                );
            }
            "/_ping" | "/version" => return refused,
            _ => {}
        }
        let Some((version, rest)) = path.strip_prefix("/v").and_then(|path| path.split_once('/')) else {
            return refused;
        };
        if number(version) > number(self.newest) {
            let message =
                format!("client version {version} is too new. Maximum supported API version is {}", self.newest);
            return (400, json!({"message": message}).to_string());
        }
        if number(version) < number(self.oldest) {
            let message = format!(
                "client version {version} is too old. Minimum supported API version is {}, please upgrade",
                self.oldest
            );
            return (400, json!({"message": message}).to_string());
        }
        if rest == "containers/json" {
            let list: Vec<_> = self.containers.values().map(summary).collect();
            return (200, Value::Array(list).to_string());
        }
        let id = rest.strip_prefix("containers/").and_then(|rest| rest.strip_suffix("/json"));
        match id.and_then(|id| self.containers.get(id)) {
            Some(container) => (200, container.to_string()),
            None => (404, json!({"message": "No such container"}).to_string()),
        }
    }
}

fn summary(container: &Value) -> Value {
    json!({
        "Id": container["Id"],
        "Names": [container["Name"]],
        "Labels": container["Config"]["Labels"],
        "State": container["State"]["Status"],
        "Status": "Up 2 minutes",
        "HostConfig": container["HostConfig"],
        "NetworkSettings": {"Networks": container["NetworkSettings"]["Networks"]},
    })
}
