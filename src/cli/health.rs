//! `trafficcop healthcheck`: asks the health endpoint of a router that was started with the same configuration.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use trafficcop_config::ConfigErrors;
use trafficcop_config::settings::{Loaded, Settings};

/// Time for the whole question.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of an answer's head and of a body that is kept.
const MAX_HEAD: u64 = 64 << 10;
const MAX_BODY: u64 = 1 << 20;

/// Prints the verdict as Traefik does. 0: well, 1: not, or not reached.
pub(super) fn run(loaded: Result<Loaded, ConfigErrors>, out: &mut impl Write) -> ExitCode {
    let verdict = loaded.map_err(|errors| errors.to_string()).and_then(|loaded| address(&loaded.settings));
    let verdict = verdict.and_then(|address| {
        let url = format!("http://{address}/ping");
        let answer = ask(Method::Head, &url, PATIENCE).map_err(|error| format!("Head {url:?}: {error}"))?;
        Ok((url, answer))
    });
    let (text, code) = match verdict {
        Ok((url, answer)) if answer.status == 200 => (format!("OK: {url}"), ExitCode::SUCCESS),
        Ok((_, Answer { status, reason, .. })) => {
            (format!("Bad healthcheck status: {status} {reason}"), ExitCode::FAILURE)
        }
        Err(message) => (format!("Error calling healthcheck: {message}"), ExitCode::FAILURE),
    };
    let _ = writeln!(out, "{text}");
    code
}

/// Whether the health endpoint of a router with these settings answers, whatever it says.
pub(super) fn is_well(settings: &Settings) -> bool {
    address(settings).is_ok_and(|address| ask(Method::Head, &format!("http://{address}/ping"), PATIENCE).is_ok())
}

/// `host:port` of the entry point of the health endpoint.
fn address(settings: &Settings) -> Result<String, String> {
    let ping = settings.ping.as_ref().ok_or("please enable `ping` to use health check")?;
    let entry_point = settings.entry_points.get(&ping.entry_point);
    let entry_point = entry_point.ok_or_else(|| format!("ping: missing {} entry point", ping.entry_point))?;
    let address = entry_point.address.split('/').next();
    Ok(address.unwrap_or_default().to_owned())
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Method {
    Get,
    Head,
}

/// What a server answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) reason: String,
    /// At most one megabyte of it.
    pub(super) body: Vec<u8>,
}

/// Asks over plain HTTP/1.0, which has neither chunks nor kept connections. An empty host means this machine.
pub(super) fn ask(method: Method, url: &str, patience: Duration) -> Result<Answer, String> {
    let deadline = Instant::now() + patience;
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("only http:// is supported, not {url}"))?;
    let (authority, path) = rest.find(['/', '?']).map_or((rest, "/"), |at| rest.split_at(at));
    let path = if path.starts_with('?') { format!("/{path}") } else { path.to_owned() };
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let stream = connect(authority, deadline).map_err(|error| format!("dial tcp {authority}: {error}"))?;
    let left = || deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let exchange = || -> std::io::Result<Answer> {
        stream.set_write_timeout(Some(left()))?;
        stream.set_read_timeout(Some(left()))?;
        let verb = if matches!(method, Method::Head) { "HEAD" } else { "GET" };
        (&stream).write_all(
            format!("{verb} {path} HTTP/1.0\r\nHost: {authority}\r\nConnection: close\r\n\r\n").as_bytes(),
        )?;
        read_answer(BufReader::new(&stream), method)
    };
    exchange().map_err(|error| error.to_string())
}

fn connect(authority: &str, deadline: Instant) -> Result<TcpStream, String> {
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = match authority.strip_prefix(':') {
        Some(port) => format!("127.0.0.1:{port}"),
        None if has_port => authority.to_owned(),
        None => format!("{authority}:80"),
    };
    let addresses: Vec<SocketAddr> = address.to_socket_addrs().map_err(|error| error.to_string())?.collect();
    let mut last = "no such host".to_owned();
    for address in addresses {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err("i/o timeout".into());
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                last = "connect: connection refused".into();
            }
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

fn read_answer(mut from: impl BufRead, method: Method) -> std::io::Result<Answer> {
    let wrong = || std::io::Error::new(std::io::ErrorKind::InvalidData, "malformed HTTP response");
    let mut head = String::new();
    let mut limited = from.by_ref().take(MAX_HEAD);
    while limited.read_line(&mut head)? > 2 {}
    let line = head.lines().next().and_then(|line| line.strip_prefix("HTTP/")).ok_or_else(wrong)?;
    let mut parts = line.splitn(3, ' ').skip(1);
    let status = parts.next().and_then(|status| status.parse().ok()).ok_or_else(wrong)?;
    let reason = parts.next().unwrap_or_default().to_owned();
    let mut body = Vec::new();
    if matches!(method, Method::Get) {
        from.take(MAX_BODY).read_to_end(&mut body)?;
    }
    Ok(Answer { status, reason, body })
}
