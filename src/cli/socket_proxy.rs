//! `trafficcop socket-proxy`: the few questions that the Docker and Swarm providers ask, and nothing else, behind a socket of its own.
//!
//! So that the process that faces the internet never holds the engine's socket. What must hold: nothing that a client sends
//! reaches the engine but the method and the target of one allowed question; a connection carries one question.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::timeout;

const USAGE: &str = "usage: trafficcop socket-proxy [--from /var/run/docker.sock] [--to /run/trafficcop/docker.sock] [--mode 666] [--swarm]";
/// The longest head of a question, in bytes, and the longest time for it.
const MAX_HEAD: usize = 16 << 10;
const PATIENCE: Duration = Duration::from_secs(10);
/// Questions at once.
const MAX_OPEN: usize = 64;

#[derive(Debug, PartialEq, Eq)]
struct Options {
    from: PathBuf,
    to: PathBuf,
    mode: u32,
    /// Does what the Swarm provider asks pass too?
    swarm: bool,
}

/// Runs until it is told to stop.
pub(super) fn run(words: &[String]) -> ExitCode {
    let done = Options::read(words).and_then(|options| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.and_then(|runtime| runtime.block_on(serve(options))).map_err(|error| error.to_string())
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::refuse(&format!("socket-proxy: {error}")),
    }
}

impl Options {
    fn read(words: &[String]) -> Result<Self, String> {
        let mut options = Self {
            from: "/var/run/docker.sock".into(),
            to: "/run/trafficcop/docker.sock".into(),
            mode: 0o666,
            swarm: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--swarm" {
                options.swarm = true;
                continue;
            }
            let (name, value) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            let value = value.map(str::to_owned).or_else(|| words.next().cloned()).ok_or(USAGE)?;
            match name {
                "--from" => options.from = value.into(),
                "--to" => options.to = value.into(),
                "--mode" => options.mode = u32::from_str_radix(&value, 8).map_err(|_| USAGE)?,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }
}

async fn serve(options: Options) -> io::Result<()> {
    let listener = listen(&options)?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let from: Arc<Path> = options.from.into();
    let open = Arc::new(Semaphore::new(MAX_OPEN));
    loop {
        let permit = Arc::clone(&open).acquire_owned().await.map_err(io::Error::other)?;
        tokio::select! {
            accepted = listener.accept() => {
                let (client, from) = (accepted?.0, Arc::clone(&from));
                tokio::spawn(async move {
                    let _ended_either_way = answer(client, &from, options.swarm).await;
                    drop(permit);
                });
            }
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
        }
    }
    std::fs::remove_file(&options.to)
}

fn listen(options: &Options) -> io::Result<UnixListener> {
    if let Some(folder) = options.to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // What another one left behind; never a file that is none.
    if std::fs::symlink_metadata(&options.to).is_ok_and(|file| file.file_type().is_socket()) {
        std::fs::remove_file(&options.to)?;
    }
    let listener = UnixListener::bind(&options.to)?;
    std::fs::set_permissions(&options.to, std::fs::Permissions::from_mode(options.mode))?;
    Ok(listener)
}

/// One question and its answer.
async fn answer(mut client: UnixStream, from: &Path, swarm: bool) -> io::Result<()> {
    let head = timeout(PATIENCE, read_head(&mut client)).await??;
    let Some(question) = head.as_deref().and_then(|head| question(head, swarm)) else {
        return refuse(&mut client, "403 Forbidden", "only reading questions of the providers pass").await;
    };
    let Ok(Ok(mut engine)) = timeout(PATIENCE, UnixStream::connect(from)).await else {
        return refuse(&mut client, "502 Bad Gateway", "the engine's socket cannot be reached").await;
    };
    engine.write_all(question.as_bytes()).await?;
    let (mut reader, mut writer) = client.split();
    let mut more = [0];
    tokio::select! {
        copied = tokio::io::copy(&mut engine, &mut writer) => copied.map(drop),
        // The client has gone, or sends what nobody asked for.
        _ = reader.read(&mut more) => Ok(()),
    }
}

/// The head; none when it is too long, or not all that was sent.
async fn read_head(client: &mut UnixStream) -> io::Result<Option<String>> {
    let mut head = Vec::with_capacity(512);
    loop {
        if client.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match head.windows(4).position(|four| four == b"\r\n\r\n") {
            Some(end) if end + 4 == head.len() => return Ok(String::from_utf8(head).ok()),
            Some(_) => return Ok(None),
            None if head.len() > MAX_HEAD => return Ok(None),
            None => {}
        }
    }
}

/// What the engine is asked, if it may be.
fn question(head: &str, swarm: bool) -> Option<String> {
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let has_body = lines.any(|line| {
        let name = line.split(':').next().unwrap_or("").trim();
        ["content-length", "transfer-encoding", "upgrade"].iter().any(|it| name.eq_ignore_ascii_case(it))
    });
    let is_plain = target.bytes().all(|byte| byte.is_ascii_graphic()) && version.starts_with("HTTP/1.");
    let may_pass = matches!(method, "GET" | "HEAD")
        && is_plain
        && !has_body
        && words.next().is_none()
        && is_allowed(target, swarm);
    may_pass.then(|| format!("{method} {target} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"))
}

fn is_allowed(target: &str, swarm: bool) -> bool {
    let path = target.split('?').next().unwrap_or(target);
    let is_version = |step: &str| {
        step.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|it| it.is_ascii_digit() || it == b'.'))
    };
    let path = match path.strip_prefix('/').and_then(|rest| rest.split_once('/')) {
        Some((version, _)) if is_version(version) => &path[version.len() + 1..],
        _ => path,
    };
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-.".contains(&it))
            && !name.starts_with('.')
    };
    let container = path.strip_prefix("/containers/").and_then(|rest| rest.strip_suffix("/json"));
    matches!(path, "/_ping" | "/version" | "/events" | "/containers/json")
        || container.is_some_and(is_name)
        || swarm && matches!(path, "/services" | "/tasks" | "/networks")
}

async fn refuse(client: &mut UnixStream, status: &str, why: &str) -> io::Result<()> {
    let length = why.len() + 1;
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{why}\n"
    );
    client.write_all(head.as_bytes()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &str, target: Option<&str>) {
        let head = head.replace('\n', "\r\n");
        let expected = target.map(|line| format!("{line} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"));
        assert_eq!(question(&head, false), expected, "{head}");
    }

    #[test]
    fn what_may_be_asked() {
        check(
            "GET /v1.41/containers/json?all=1 HTTP/1.1\nHost: x\nX-A: b\n\n",
            Some("GET /v1.41/containers/json?all=1"),
        );
        check("HEAD /_ping HTTP/1.1\n\n", Some("HEAD /_ping"));
        check("GET /containers/web_1/json HTTP/1.1\n\n", Some("GET /containers/web_1/json"));
        check("GET /v1.41/events?filters=%7B%7D HTTP/1.1\n\n", Some("GET /v1.41/events?filters=%7B%7D"));
    }

    #[test]
    fn what_may_not() {
        for head in [
            "POST /containers/create HTTP/1.1\n\n",
            "POST /containers/json HTTP/1.1\n\n",
            "GET /containers/../info/json HTTP/1.1\n\n",
            "GET /containers/a%2f..%2f..%2finfo%3f/json HTTP/1.1\n\n",
            "GET /containers/web/archive?path=/ HTTP/1.1\n\n",
            "GET /secrets HTTP/1.1\n\n",
            "GET http://x/_ping HTTP/1.1\n\n",
            "GET /_ping HTTP/1.1\nContent-Length: 5\n\n",
            "GET /_ping HTTP/1.1\nTransfer-Encoding: chunked\n\n",
            "GET /_ping HTTP/1.1\nUpgrade: tcp\n\n",
            "GET /_ping\nX: y\n\n",
            "GET /_ping HTTP/1.1 x\n\n",
        ] {
            check(head, None);
        }
    }

    #[test]
    fn what_the_swarm_provider_asks() {
        for path in ["/services", "/v1.41/tasks?filters=%7B%7D", "/networks"] {
            let head = format!("GET {path} HTTP/1.1\r\n\r\n");
            assert!(question(&head, true).is_some() && question(&head, false).is_none(), "{path}");
        }
        for path in ["/secrets", "/services/x", "/nodes", "/swarm", "/configs"] {
            assert_eq!(question(&format!("GET {path} HTTP/1.1\r\n\r\n"), true), None, "{path}");
        }
    }

    #[test]
    fn options() {
        let words = ["--from=/a", "--to", "/b", "--mode", "660"].map(str::to_owned);
        assert_eq!(
            Options::read(&words),
            Ok(Options { from: "/a".into(), to: "/b".into(), mode: 0o660, swarm: false })
        );
        assert!(Options::read(&["--what=x".to_owned()]).is_err() && Options::read(&["--to".to_owned()]).is_err());
    }
}
