//! Graceful stop: what is in flight finishes, what is idle closes, what hangs is cut.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use trafficcop_config::Duration;
use trafficcop_config::dynamic::tls::Tls;
use trafficcop_config::settings::EntryPoint;

use super::support::*;

fn routes(held: &Arc<Held>) -> Routes {
    vec![("Path(`/held`)", false, Arc::clone(held) as _), ("Path(`/says`)", false, Arc::new(Says("x")) as _)]
}

#[tokio::test]
async fn what_is_in_flight_finishes() {
    let held = Arc::new(Held::default());
    let running = start(&snapshot(routes(&held), &Tls::default(), &[]), |_| {}).await;
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    ask(&mut idle, "GET /says HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let mut busy = TcpStream::connect(running.address).await.unwrap();
    busy.write_all(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    held.asked.notified().await;

    let stopped = tokio::spawn(running.server.shutdown());
    assert_eq!(read_all(&mut idle).await, "", "an idle connection closes");
    assert_eq!(read_all(&mut silent).await, "", "so does one that said nothing");
    assert!(running.stopping.is_set());
    let refused = async { while TcpStream::connect(running.address).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, refused).await.expect("nothing is accepted any more");
    held.go.notify_one();
    let answer = read_all(&mut busy).await;
    assert!(answer.contains("Connection: close") && answer.ends_with("held"), "{answer}");
    stopped.await.unwrap();
}

#[tokio::test]
async fn what_hangs_is_cut() {
    let held = Arc::new(Held::default());
    let short = |entry: &mut EntryPoint| entry.transport.life_cycle.grace_time_out = Duration::from_millis(100);
    let running = start(&snapshot(routes(&held), &Tls::default(), &[]), short).await;
    let mut busy = TcpStream::connect(running.address).await.unwrap();
    busy.write_all(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    held.asked.notified().await;
    tokio::time::timeout(PATIENCE, running.server.shutdown()).await.expect("it does not wait for ever");
    assert_eq!(read_all(&mut busy).await, "");
}

#[tokio::test]
async fn requests_are_still_accepted_for_a_while() {
    let held = Arc::new(Held::default());
    let grace = |entry: &mut EntryPoint| {
        entry.transport.life_cycle.request_accept_grace_timeout = Duration::from_millis(700);
    };
    let running = start(&snapshot(routes(&held), &Tls::default(), &[]), grace).await;
    let stopped = tokio::spawn(running.server.shutdown());
    while !running.stopping.is_set() {
        tokio::task::yield_now().await;
    }
    let mut late = TcpStream::connect(running.address).await.unwrap();
    assert!(ask(&mut late, "GET /says HTTP/1.1\r\nHost: x\r\n\r\n").await.ends_with('x'));
    stopped.await.unwrap();
}
