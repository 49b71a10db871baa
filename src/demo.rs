//! `trafficcop demo`: everything in one process, with nothing to install.
//!
//! Two embedded back ends, an entry point, the API, a few routes, and one that is broken on purpose, with its
//! explanation. `demo backend --name NAME --port PORT` runs one back end alone, for compose files and tests.

mod echo;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use trafficcop_config::dynamic::document;
use trafficcop_config::read::{Format, document as read};
use trafficcop_config::settings::{Api, EntryPoint, Ping, Settings};

pub(crate) use self::echo::accept;
use crate::App;

/// Runs the subcommand with the words behind it.
pub fn run(args: &[String]) -> ExitCode {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["backend", rest @ ..] => echo::alone(rest),
        [] => demonstrate(false),
        ["--once"] => demonstrate(true),
        _ => Err(io::Error::other(
            "usage: trafficcop demo [--once] | trafficcop demo backend [--name NAME] [--port PORT]",
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _nobody_listens = writeln!(io::stderr(), "demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demonstrate(once: bool) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let started = Instant::now();
        let (web, api) = (free_port(8000).await?, free_port(8080).await?);
        let app = App::start(settings(web, api)).await.map_err(io::Error::other)?;
        let backends = [echo::start("one")?, echo::start("two")?];
        let node = read(&routes(backends), Format::Yaml, "demo.yml").map_err(io::Error::other)?;
        let configuration = document::decode(node).map_err(io::Error::other)?;
        app.publisher("demo").publish(configuration).await;
        show(web, api, &app, started).await?;
        if !once {
            say("Stop it with Ctrl-C.\n")?;
            tokio::signal::ctrl_c().await?;
        }
        app.stop().await;
        Ok(())
    })
}

/// The wanted port if nobody listens there, else one that is free.
async fn free_port(wanted: u16) -> io::Result<u16> {
    for port in [wanted, 0] {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
            return Ok(listener.local_addr()?.port());
        }
    }
    Err(io::Error::other("no port is free on 127.0.0.1"))
}

fn settings(web: u16, api: u16) -> Settings {
    let mut settings = Settings::default();
    for (name, port) in [("web", web), ("traefik", api)] {
        let entry_point = EntryPoint { address: format!("127.0.0.1:{port}"), ..EntryPoint::default() };
        settings.entry_points.insert(name.to_owned(), entry_point);
    }
    settings.api = Some(Api { insecure: true, ..Api::default() });
    settings.ping = Some(Ping::default());
    settings
}

/// Routes to two back ends, with a middleware, and with mistakes.
fn routes([one, two]: [SocketAddr; 2]) -> String {
    format!(
        "http:
  routers:
    hello:
      rule: Host(`hello.localhost`)
      service: echo
    stripped:
      rule: PathPrefix(`/echo`)
      service: echo
      middlewares: [strip]
    broken:
      rule: Hots(`broken.localhost`)
      service: echo
    unprotected:
      rule: Host(`secret.localhost`)
      service: echo
      middlewares: [stirp]
  middlewares:
    strip:
      stripPrefix:
        prefixes: [/echo]
  services:
    echo:
      loadBalancer:
        servers:
          - url: http://{one}
          - url: http://{two}
"
    )
}

async fn show(web: u16, api: u16, app: &App, started: Instant) -> io::Result<()> {
    let requests = [
        ("hello.localhost", "/", "a route by host, balanced over two servers"),
        ("hello.localhost", "/", "the same once more: the other server"),
        ("localhost", "/echo/path", "a route by path, with its prefix stripped"),
        ("broken.localhost", "/", "a route that is broken on purpose"),
        ("secret.localhost", "/", "a route whose middleware is missing: closed, never open"),
    ];
    ready(web).await?;
    say(&format!("TrafficCop demo, serving after {} ms.\n\n", started.elapsed().as_millis()))?;
    for (host, path, what) in requests {
        let (status, first) = get(web, host, path).await?;
        say(&format!("  curl -H 'Host: {host}' http://127.0.0.1:{web}{path}\n    {what}\n    -> {status}  {first}\n"))?;
    }
    say("\nWhy the last two are not served:\n")?;
    let snapshot = app.live().current(0);
    for (name, router) in &snapshot.report.http.routers {
        for note in &router.notes {
            say(&format!("  {name}: {}\n", note.error))?;
        }
    }
    say(&format!("\nThe API: curl http://127.0.0.1:{api}/api/rawdata\n"))
}

/// Waits until the demo's routes are live; they are published like any provider's.
async fn ready(web: u16) -> io::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(5);
    while get(web, "hello.localhost", "/").await.is_ok_and(|(status, _)| !status.starts_with("200")) {
        if Instant::now() > deadline {
            return Err(io::Error::other("the demo's routes did not become live within 5 s"));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// Status and the first line of the body.
async fn get(port: u16, host: &str, path: &str) -> io::Result<(String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(64 << 10).read_to_end(&mut answer).await?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.lines().next().and_then(|line| line.split_once(' ')).map_or("", |(_, status)| status);
    Ok((status.to_owned(), body.lines().next().unwrap_or("").to_owned()))
}

fn say(text: &str) -> io::Result<()> {
    io::stdout().write_all(text.as_bytes())
}
