//! Why an answer is our own: in a header, in the access log, in the metrics, and to callers of gRPC.

use std::fs;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::{get, get_with};
use crate::support::{Router, soon, until};

const DYNAMIC: &str = "http:
  routers:
    broken: {rule: Host(`broken.test`), service: none-such}
    refused: {rule: Host(`refused.test`), service: refused}
    denied: {rule: Host(`denied.test`), service: refused, middlewares: [deny]}
    over: {rule: Host(`over.test`), service: refused, middlewares: [over]}
  middlewares:
    deny: {ipAllowList: {sourceRange: [10.0.0.1]}}
    over: {redirectScheme: {scheme: https}}
  services:
    refused: {loadBalancer: {servers: [{url: 'http://127.0.0.1:1'}]}}
";

async fn start(switch: &str, folder: &std::path::Path) -> Router {
    let settings = format!(
        "entryPoints: {{web: {{address: '127.0.0.1:0'}}}}\nmetrics: {{prometheus: {{}}}}\n{switch}\n\
         accessLog: {{format: json, filePath: '{}', fields: {{names: {{Reason: keep}}}}}}",
        folder.join("access.log").display()
    );
    Router::start_with(&settings, DYNAMIC).await
}

/// What a raw client is told before the connection ends.
async fn raw(router: &Router, bytes: &[u8]) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(router.web()).await.expect("the router listens");
        stream.write_all(bytes).await.expect("the request can be sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("the answer can be read");
        String::from_utf8_lossy(&answer).into_owned()
    };
    soon("a raw exchange", exchange).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_of_our_own_says_why() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let router = start("core: {reasonHeader: true}", folder.path()).await;
    router.answers(502, "refused.test", "/").await;
    for (host, path, expected) in [
        ("nowhere.test", "/", "404 no_route"),
        ("broken.test", "/", "404 router_disabled"),
        ("refused.test", "/", "502 connect_refused"),
        ("denied.test", "/", "403 ip_denied"),
        ("over.test", "/", "302 redirect"),
        ("refused.test", "/%zz", "400 bad_request:head"),
    ] {
        let answer = router.get(host, path).await;
        let reason = answer.header("X-TrafficCop-Reason").unwrap_or("-");
        assert_eq!(format!("{} {reason}", answer.status), expected, "{host}{path}");
    }
    for (bytes, expected) in [
        ("GET / HTTP/1.1\r\n\r\n", "bad_request:no_host"),
        ("NONSENSE AND MORE\n", "bad_request:head"),
        ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n", "bad_request:transfer_encoding"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "bad_request:connect"),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", "bad_request:expectation"),
    ] {
        let answer = raw(&router, bytes.as_bytes()).await;
        assert!(
            answer.to_lowercase().contains(&format!("\r\nx-trafficcop-reason: {expected}\r\n")),
            "{expected} is not in {answer}"
        );
    }
    let page = get(router.address("traefik"), "127.0.0.1", "/metrics").await.body;
    for reason in ["no_route", "router_disabled", "bad_request:no_host"] {
        let line = format!("trafficcop_answers_total{{reason=\"{reason}\"}} ");
        assert!(page.lines().any(|known| known.starts_with(&line)), "{line} is not in {page}");
    }
    let log = folder.path().join("access.log");
    let logged = || fs::read_to_string(&log).unwrap_or_default();
    until("refusals are logged", || async { logged().contains("\"Reason\":\"bad_request:no_host\"") }).await;
    assert!(logged().contains("\"Reason\":\"router_disabled\""));
    router.app.stop().await;
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let [.., high, middle, low] = payload.len().to_be_bytes();
    [&[high, middle, low, kind, flags, 0, 0, 0, stream][..], payload].concat()
}

/// A head whose lines are all written out, as one frame that is also the end of the request.
fn head(stream: u8, lines: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in lines {
        block.extend([0, name.len() as u8]);
        block.extend(name.as_bytes());
        block.push(value.len() as u8);
        block.extend(value.as_bytes());
    }
    frame(1, 5, stream, &block)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_engine_of_http_2_refuses_is_logged() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let router = start("", folder.path()).await;
    router.answers(502, "refused.test", "/").await;
    let good = [(":method", "GET"), (":scheme", "http"), (":authority", "over.test"), (":path", "/")];
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    bytes.extend(head(1, &[&good[..], &[("connection", "close")]].concat()));
    bytes.extend(head(3, &good));
    bytes.extend(head(5, &good[..3]));
    let mut stream = TcpStream::connect(router.web()).await.expect("the router listens");
    stream.write_all(&bytes).await.expect("the requests can be sent");
    let log = folder.path().join("access.log");
    let of_version_2 = || {
        let log = fs::read_to_string(&log).unwrap_or_default();
        let lines = log.lines().filter(|line| line.contains("\"RequestProtocol\":\"HTTP/2.0\"")).map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            format!("{} {}", line["DownstreamStatus"], line["Reason"].as_str().unwrap_or("-"))
        });
        let mut lines: Vec<_> = lines.collect();
        lines.sort();
        lines
    };
    until("all three are logged", || async { of_version_2().len() >= 3 }).await;
    assert_eq!(of_version_2(), ["302 redirect", "400 bad_request:head", "400 bad_request:head"]);
    // Settings come in sixes: the connection ends.
    stream.write_all(&frame(4, 0, 0, &[1])).await.expect("the frame can be sent");
    until("so is the end", || async { of_version_2().contains(&"400 bad_request:frames".to_owned()) }).await;
    router.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let router = start("", folder.path()).await;
    router.answers(502, "refused.test", "/").await;
    let answer = get_with(router.web(), "nowhere.test", "/", "").await;
    assert_eq!((answer.status, answer.header("X-TrafficCop-Reason")), (404, None));
    assert!(!raw(&router, b"GET / HTTP/1.1\r\n\r\n").await.contains("TrafficCop"));
    router.app.stop().await;
}
