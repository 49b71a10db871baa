//! What a StatsD server and a Datadog agent receive, on real sockets.

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::time::Instant;

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

fn pusher(dialect: Dialect, address: String) -> Pusher {
    let settings = Settings { add_routers_labels: true, ..Settings::default() };
    let metrics = Arc::clone(counted(&settings, 4).metrics());
    metrics.reloaded(Duration::ZERO);
    metrics.connections("web", 2);
    // Long enough that only what the test asks for is sent.
    let target = Destination { dialect, address, prefix: "edge".into(), interval: Duration::from_hours(1) };
    Pusher::start(metrics, dashboards::All, push::Target::Lines(target)).unwrap()
}

fn lines(mut receive: impl FnMut(&mut [u8]) -> usize) -> BTreeSet<String> {
    let (mut all, mut buffer) = (BTreeSet::new(), [0; 4096]);
    loop {
        match receive(&mut buffer) {
            0 => return all,
            length => all.extend(String::from_utf8_lossy(&buffer[..length]).lines().map(str::to_owned)),
        }
    }
}

#[track_caller]
fn has(lines: &BTreeSet<String>, expected: &[&str]) {
    for line in expected {
        assert!(lines.contains(*line), "{line} is not in {lines:#?}");
    }
}

#[test]
fn statsd_gets_numbers_without_labels() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let pusher = pusher(Dialect::StatsD, server.local_addr().unwrap().to_string());
    pusher.flush(PATIENCE);
    server.set_nonblocking(true).unwrap();
    let first = lines(|buffer| server.recv(buffer).unwrap_or(0));
    has(
        &first,
        &[
            "edge.config.reload.total:1.000000|c",
            "edge.open.connections:2.000000|g",
            "edge.tls.certs.notAfterTimestamp:1900000000.000000|g",
            "edge.entrypoint.request.total:4.000000|c",
            "edge.entrypoint.request.duration:250.000000|ms|@0.25",
            "edge.entrypoint.requests.bytes.total:12.000000|c",
            "edge.entrypoint.responses.bytes.total:20.000000|c",
            "edge.router.request.total:4.000000|c",
            "edge.service.request.total:4.000000|c",
            "edge.service.server.up:1.000000|g",
        ],
    );
    pusher.flush(PATIENCE);
    let second = lines(|buffer| server.recv(buffer).unwrap_or(0));
    assert!(second.iter().all(|line| line.ends_with("|g")), "{second:#?}");
    assert_eq!(pusher.failures(), 0);
}

#[test]
fn datadog_gets_tags_over_a_local_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dsd.socket");
    let agent = UnixDatagram::bind(&path).unwrap();
    let pusher = pusher(Dialect::Datadog, format!("unix://{}", path.display()));
    pusher.flush(PATIENCE);
    agent.set_nonblocking(true).unwrap();
    let tags = "code:200,method:GET,protocol:http";
    has(
        &lines(|buffer| agent.recv(buffer).unwrap_or(0)),
        &[
            "edge.open.connections:2.000000|g|#entrypoint:web,protocol:TCP",
            &format!("edge.entrypoint.request.total:4.000000|c|#entrypoint:web,{tags}"),
            &format!("edge.entrypoint.request.duration:0.250000|h|@0.25|#entrypoint:web,{tags}"),
            &format!("edge.router.request.total:4.000000|c|#router:r@file,service:a@file,{tags}"),
            &format!("edge.service.requests.bytes.total:12.000000|c|#service:a@file,{tags}"),
            "edge.service.server.up:1.000000|g|#service:a@file,url:http://127.0.0.1:90",
        ],
    );
}

#[test]
fn a_dead_receiver_is_counted_and_holds_up_nothing() {
    let pusher = pusher(Dialect::Datadog, "unix:///nowhere/dsd.socket".into());
    let begun = Instant::now();
    pusher.flush(PATIENCE);
    assert!(begun.elapsed() < PATIENCE);
    assert_eq!(pusher.failures(), 1);
}
