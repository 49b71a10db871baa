//! Connections that this worker keeps to servers.
//!
//! Each worker has its own, under the id of the endpoint: nothing is shared, nothing is locked. Of the idle HTTP/1.1
//! connections to one server, `maxIdleConnsPerHost` may stay as long as the idle timeout allows; what a burst leaves beyond
//! that stays for a second, so that the next burst finds it. A sweep each second closes what is too old, what the
//! server has closed, and everything of endpoints that nobody uses any more.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use tokio::sync::Notify;
use trafficcop_h1::Connection;

use super::h2::Shared;
use super::pinned;
use super::stream::Stream;
use super::transport::Endpoint;

const SWEEP: Duration = Duration::from_secs(1);
/// Whatever is asked for, a worker keeps no more idle connections to one server.
const MOST_IDLE: usize = 1024;
/// Connections of HTTP/2 to one server from one worker.
const MOST_SHARED: usize = 64;

thread_local! {
    static POOLS: RefCell<Pools> = RefCell::new(Pools::default());
}

#[derive(Default)]
struct Pools {
    /// By endpoint and owner.
    of: HashMap<(u64, u64), Pool, RandomState>,
    is_swept: bool,
}

struct Pool {
    endpoint: Weak<Endpoint>,
    /// The latest to come back is at the end, and is the first to leave.
    idle: Vec<Idle>,
    shared: Vec<Shared>,
    /// Set while somebody opens a connection of HTTP/2; told when that has ended.
    opening: Option<Rc<Notify>>,
}

struct Idle {
    connection: Connection<Stream>,
    /// Since when, if that was looked up. A clock costs as much as a header: where a second makes no difference, it is
    /// the next sweep that says when.
    since: Option<Instant>,
}

/// Idle timeouts below are kept exactly.
const EXACT: Duration = Duration::from_secs(10);

/// Held by whoever opens a connection that others wait for.
pub(crate) struct Opening {
    endpoint: u64,
    ended: Rc<Notify>,
}

impl Drop for Opening {
    fn drop(&mut self) {
        let _worker_is_gone = POOLS.try_with(|pools| {
            if let Some(pool) = pools.borrow_mut().of.get_mut(&(self.endpoint, 0)) {
                pool.opening = None;
            }
        });
        self.ended.notify_waiters();
    }
}

/// An idle connection of HTTP/1.1 of that owner, if there is one that looks alive.
pub(crate) fn take(endpoint: &Endpoint, owner: u64) -> Option<Connection<Stream>> {
    POOLS.with_borrow_mut(|pools| {
        let pool = pools.of.get_mut(&(endpoint.id, owner))?;
        while let Some(Idle { mut connection, since }) = pool.idle.pop() {
            let limit = endpoint.manners.idle_timeout.filter(|limit| *limit < EXACT);
            let is_old = limit.zip(since).is_some_and(|(limit, since)| since.elapsed() >= limit);
            if !is_old && connection.is_usable() {
                return Some(connection);
            }
        }
        None
    })
}

/// Keeps a connection on which no request is open.
pub(crate) fn put(endpoint: &Arc<Endpoint>, owner: u64, connection: Connection<Stream>) {
    // A connection that comes back while its worker is being torn down is closed.
    let _worker_is_gone = POOLS.try_with(|pools| {
        let mut pools = pools.borrow_mut();
        let pool = pools.of_endpoint(endpoint, owner);
        if endpoint.manners.kept_idle > 0 && pool.idle.len() < MOST_IDLE {
            let is_exact = endpoint.manners.idle_timeout.is_some_and(|limit| limit < EXACT);
            pool.idle.push(Idle { connection, since: is_exact.then(Instant::now) });
        }
    });
}

/// A connection of HTTP/2 with room for one more request.
pub(crate) fn share(endpoint: &Endpoint) -> Option<Shared> {
    POOLS.with_borrow_mut(|pools| {
        let pool = pools.of.get_mut(&(endpoint.id, 0))?;
        pool.shared.retain(|shared| !shared.is_closed());
        pool.shared.iter().find(|shared| shared.has_room()).cloned()
    })
}

pub(crate) fn put_shared(endpoint: &Arc<Endpoint>, shared: Shared) {
    POOLS.with_borrow_mut(|pools| {
        let pool = pools.of_endpoint(endpoint, 0);
        if pool.shared.len() < MOST_SHARED {
            pool.shared.push(shared);
        }
    });
}

/// So that a burst of requests opens one connection and not one each: whoever comes first is told to open one, the
/// others to wait for it.
pub(crate) fn open_shared(endpoint: &Arc<Endpoint>) -> Result<Opening, Rc<Notify>> {
    POOLS.with_borrow_mut(|pools| {
        let opening = &mut pools.of_endpoint(endpoint, 0).opening;
        if let Some(ended) = opening {
            return Err(Rc::clone(ended));
        }
        let ended = Rc::new(Notify::new());
        *opening = Some(Rc::clone(&ended));
        Ok(Opening { endpoint: endpoint.id, ended })
    })
}

impl Pools {
    fn of_endpoint(&mut self, endpoint: &Arc<Endpoint>, owner: u64) -> &mut Pool {
        if !self.is_swept {
            self.is_swept = true;
            tokio::task::spawn_local(sweep());
        }
        self.of.entry((endpoint.id, owner)).or_insert_with(|| Pool {
            endpoint: Arc::downgrade(endpoint),
            idle: Vec::new(),
            shared: Vec::new(),
            opening: None,
        })
    }
}

/// Runs while there is anything to sweep.
async fn sweep() {
    loop {
        tokio::time::sleep(SWEEP).await;
        let is_done = POOLS.with_borrow_mut(|pools| {
            let now = Instant::now();
            pools.of.retain(|(_, owner), pool| pinned::is_there(*owner) && pool.sweep(now));
            pools.is_swept = !pools.of.is_empty();
            !pools.is_swept
        });
        if is_done {
            return;
        }
    }
}

impl Pool {
    /// False when the pool itself can go.
    fn sweep(&mut self, now: Instant) -> bool {
        let Some(endpoint) = self.endpoint.upgrade() else { return false };
        let manners = &endpoint.manners;
        let surplus = self.idle.len().saturating_sub(manners.kept_idle);
        let mut index = 0;
        self.idle.retain_mut(|Idle { connection, since }| {
            index += 1;
            let age = now.duration_since(*since.get_or_insert(now));
            let is_old = manners.idle_timeout.is_some_and(|limit| age >= limit);
            let is_surplus = index <= surplus && age >= SWEEP;
            !is_old && !is_surplus && connection.is_usable()
        });
        self.shared.retain(|shared| !shared.is_closed() && !shared.is_idle_for(manners.idle_timeout, now));
        !self.idle.is_empty() || !self.shared.is_empty() || self.opening.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Transport;
    use crate::http::server_url::ServerUrl;
    use crate::http::testing::worker;
    use tokio::net::{TcpListener, TcpStream};
    use trafficcop_config::dynamic::http::ServersTransport;

    struct Kept {
        endpoint: Arc<Endpoint>,
        /// The other ends.
        servers: Vec<TcpStream>,
    }

    async fn keep(limit: i64, count: usize) -> Kept {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = ServersTransport { max_idle_conns_per_host: limit, ..ServersTransport::default() };
        let url = ServerUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let endpoint = Transport::new(&settings).unwrap().endpoint(&url);
        let mut servers = Vec::new();
        for _ in 0..count {
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            servers.push(listener.accept().await.unwrap().0);
            put(&endpoint, 0, Connection::new(Stream::plain(stream)));
        }
        Kept { endpoint, servers }
    }

    /// How many connections are left after a sweep that comes so late.
    fn swept(seconds: u64) -> usize {
        POOLS.with_borrow_mut(|pools| {
            let now = Instant::now() + Duration::from_secs(seconds);
            pools.of.retain(|_, pool| pool.sweep(now));
            pools.of.values().map(|pool| pool.idle.len()).sum()
        })
    }

    #[tokio::test]
    async fn a_burst_stays_for_a_second_and_the_rest_until_the_idle_timeout() {
        worker(async {
            let _kept = keep(2, 5).await;
            assert_eq!([swept(0), swept(2), swept(89), swept(91)], [5, 2, 2, 0]);
        })
        .await;
    }

    #[tokio::test]
    async fn what_the_server_closed_goes() {
        worker(async {
            let mut kept = keep(9, 3).await;
            let closed = kept.servers.remove(1);
            drop(closed);
            // The news has to arrive.
            while swept(0) == 3 {
                tokio::task::yield_now().await;
            }
            assert_eq!(swept(0), 2);
            assert!(
                take(&kept.endpoint, 0).is_some()
                    && take(&kept.endpoint, 0).is_some()
                    && take(&kept.endpoint, 0).is_none()
            );
        })
        .await;
    }

    #[tokio::test]
    async fn connections_go_with_the_last_user_of_their_server() {
        worker(async {
            let kept = keep(9, 3).await;
            assert_eq!(swept(0), 3);
            drop(kept.endpoint);
            assert_eq!(swept(0), 0);
        })
        .await;
    }

    #[tokio::test]
    async fn below_zero_nothing_is_kept() {
        worker(async {
            let _kept = keep(-1, 3).await;
            assert_eq!(swept(0), 0);
        })
        .await;
    }
}
