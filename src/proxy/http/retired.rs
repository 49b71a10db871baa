//! Servers that were taken out while requests wait for them.
//!
//! A server that is told to stop may finish what it has, and nobody disturbs it. But one that was killed together with
//! its network (a container) cannot even say that it is gone: its connections stay open and silent for minutes. So
//! whoever waits for a server that was taken out asks its host now and then for a sign of life. A refused connection is
//! one: it comes from a kernel that would also have ended a connection of the dead.

use std::cell::Cell;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::LazyLock;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::transport::Endpoint;

/// At first a sign of life is asked for often: a server is mostly taken out just before it ends.
const OFTEN: u32 = 20;
const SHORT_PAUSE: Duration = Duration::from_millis(50);
const SHORT_LIMIT: Duration = Duration::from_millis(80);
const LONG_PAUSE: Duration = Duration::from_secs(5);
const LONG_LIMIT: Duration = Duration::from_secs(2);

/// Counts how often something was taken out.
static CHANGES: LazyLock<watch::Sender<u64>> = LazyLock::new(|| watch::Sender::new(0));

thread_local! {
    /// Tells the requests of this worker.
    static HERE: Rc<Notify> = Rc::new(Notify::new());
    static HAS_HERALD: Cell<bool> = const { Cell::new(false) };
}

/// Lets every waiting request look whether it is its server that was taken out.
pub(crate) fn announce() {
    CHANGES.send_modify(|count| *count += 1);
}

/// Ends when the server was taken out and its host gives no sign of life.
pub(crate) async fn death(endpoint: &Endpoint, host: SocketAddr) {
    let here = HERE.with(Rc::clone);
    if !HAS_HERALD.replace(true) {
        tokio::task::spawn_local(herald(Rc::clone(&here)));
    }
    loop {
        while !endpoint.is_retired.load(Ordering::Relaxed) {
            here.notified().await;
        }
        // Boxed, so that requests do not carry the room for this along.
        if Box::pin(is_silent(endpoint, host)).await {
            tracing::debug!(%host, "A server that was taken out gives no sign of life.");
            return;
        }
    }
}

/// Asks for signs of life until there is none, or until the server is no longer taken out.
async fn is_silent(endpoint: &Endpoint, host: SocketAddr) -> bool {
    let mut asked = 0;
    while endpoint.is_retired.load(Ordering::Relaxed) {
        let (limit, pause) = if asked < OFTEN { (SHORT_LIMIT, SHORT_PAUSE) } else { (LONG_LIMIT, LONG_PAUSE) };
        if !is_alive(host, limit).await {
            return true;
        }
        asked += 1;
        sleep(pause).await;
    }
    false
}

async fn is_alive(host: SocketAddr, limit: Duration) -> bool {
    match timeout(limit, TcpStream::connect(host)).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset),
        Err(_silence) => false,
    }
}

/// Carries the news from the control plane to this worker, so that its requests share no lock with others.
async fn herald(here: Rc<Notify>) {
    let mut changes = CHANGES.subscribe();
    while changes.changed().await.is_ok() {
        here.notify_waiters();
    }
}
