//! HTTP/2: hyper speaks it, on the worker's own executor; this translates between its types and ours.
//!
//! 1xx answers cannot be sent this way (hyper has no means for it): what lands in the exchange's interim is dropped.

mod bodies;
mod heads;

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use trafficcop_exchange::{Interim, StatusCode};

use crate::entry::EntryPoint;
use crate::http::Requests;
use bodies::{Received, Sent};

/// How a connection with prior knowledge begins.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of answers that wait for a slow client, per request.
const SEND_BUFFER: usize = 64 * 1024;
/// How long a client may take to say goodbye once it was told to.
const GOODBYE: Duration = Duration::from_secs(5);
/// Requests that a client took back before we had looked at them, at most; the connection ends above it.
const RESETS_WAITING: usize = 20;
/// Requests that we had to reset, at most; the connection ends above it.
const RESETS_OURS: usize = 256;

/// Runs futures of one connection on its worker.
#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// What a connection is doing, to tell when it is idle and when it has lived long enough.
struct Activity {
    open: Cell<u32>,
    requests: Cell<u64>,
    idle_since: Cell<Instant>,
    started: Instant,
    enough: Notify,
}

/// One request of a connection; dropped when its answer has been sent.
struct Stream(Rc<Activity>);

impl Activity {
    fn begin(self: &Rc<Self>, entry: &EntryPoint) -> Stream {
        self.open.set(self.open.get() + 1);
        self.requests.set(self.requests.get() + 1);
        let (most, longest) = (entry.http1.keep_alive_max_requests, entry.http1.keep_alive_max_time);
        let too_many = most > 0 && self.requests.get() >= most;
        if too_many || (!longest.is_zero() && self.started.elapsed() >= longest) {
            self.enough.notify_one();
        }
        Stream(Rc::clone(self))
    }

    /// When the connection will have been idle too long, if nothing happens.
    fn deadline(&self, idle: Duration) -> Instant {
        let since = if self.open.get() == 0 { self.idle_since.get() } else { Instant::now() };
        since + idle
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
        self.0.idle_since.set(Instant::now());
    }
}

/// Serves one connection to its end. `closing`: the entry point drains.
pub(crate) async fn serve<Io>(io: Io, entry: &EntryPoint, requests: Rc<Requests>, closing: &CancellationToken)
where
    Io: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let now = Instant::now();
    let activity = Rc::new(Activity {
        open: Cell::new(0),
        requests: Cell::new(0),
        idle_since: Cell::new(now),
        started: now,
        enough: Notify::new(),
    });
    let (read_timeout, write_timeout) = (entry.http1.read_timeout, entry.http1.write_timeout);
    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let stream = activity.begin(entry);
        let requests = Rc::clone(&requests);
        async move {
            let written_by = write_timeout.map(|limit| Instant::now() + limit);
            let request = heads::request(request, |body| Received::body(body, read_timeout));
            let answer = requests.answer(request, Interim::default());
            let response = match written_by {
                Some(deadline) => tokio::time::timeout_at(deadline, answer).await.map_err(|_| TooLate)?,
                None => answer.await,
            };
            if response.upgrade.is_some() || response.status == StatusCode::SWITCHING_PROTOCOLS {
                return Err(TooLate);
            }
            Ok::<_, TooLate>(heads::response(response, |body| Sent::new(body, stream, written_by)))
        }
    });
    let mut builder = http2::Builder::new(Local);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(entry.http2.streams)
        .max_header_list_size(u32::try_from(entry.http1.max_head_bytes).unwrap_or(u32::MAX))
        .header_table_size(entry.http2.decoder_table)
        .max_pending_accept_reset_streams(RESETS_WAITING)
        .max_local_error_reset_streams(RESETS_OURS)
        .max_send_buf_size(SEND_BUFFER);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));

    let idle = entry.http1.idle_timeout;
    let mut idle_timer = pin!(tokio::time::sleep(idle.unwrap_or(Duration::MAX)));
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "HTTP/2 connection ended.");
                }
                return;
            }
            () = closing.cancelled() => break,
            () = activity.enough.notified() => break,
            () = idle_timer.as_mut(), if idle.is_some() => {
                let deadline = activity.deadline(idle.unwrap_or(Duration::MAX));
                if deadline <= Instant::now() {
                    break;
                }
                idle_timer.as_mut().reset(deadline);
            }
        }
    }
    // GOAWAY: requests in flight finish, new ones go to another connection.
    connection.as_mut().graceful_shutdown();
    loop {
        tokio::select! {
            _ended = connection.as_mut() => return,
            () = tokio::time::sleep(GOODBYE) => {
                if activity.open.get() == 0 && activity.idle_since.get().elapsed() >= GOODBYE {
                    return;
                }
            }
        }
    }
}

/// There will be no answer: hyper resets the stream.
#[derive(Debug, thiserror::Error)]
#[error("no answer that HTTP/2 can carry, or none in time")]
struct TooLate;
