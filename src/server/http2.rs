//! HTTP/2, on hyper's `h2`: frames, flow control and header compression are its; requests, answers and deadlines ours.
//!
//! Spoken to directly and not through hyper, because 1xx answers (early hints, `100 Continue`) have to get through.
//! What must hold: a request that the client took back is dropped with everything it was doing; a client that resets
//! or floods ends its own connection.

mod answer;
pub(crate) mod heads;
mod received;
mod spotter;

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use trafficcop_exchange::{Reason, StatusCode, Version};

use crate::entry::EntryPoint;
use crate::http::Requests;
use spotter::{Accepted, Spotter};

/// How a connection with prior knowledge begins.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of request bodies that may be under way to us, per connection and per request.
const WINDOW: u32 = 1 << 20;
/// Bytes of answers that wait for a slow client, per request.
const SEND_BUFFER: usize = 64 * 1024;
/// What Go's server allows heads beyond the limit.
const HEAD_SLACK: usize = 320;
/// How long a client may take to begin to speak, or to say goodbye once it was told to.
const PATIENCE: Duration = Duration::from_secs(5);
/// Requests that a client took back before we had looked at them, at most; the connection ends above it.
const RESETS_WAITING: usize = 20;
/// Requests that we had to reset, at most; the connection ends above it.
const RESETS_OURS: usize = 256;

/// Requests that a client took back while they were worked on: so many, and three of four, is a flood.
const TAKEN_BACK: u64 = 256;

/// What a connection is doing, to tell when it is idle and when it has lived long enough.
struct Activity {
    open: Cell<u32>,
    requests: Cell<u64>,
    taken_back: Cell<u64>,
    idle_since: Cell<Instant>,
    started: Instant,
    enough: Notify,
}

/// One request of a connection; dropped when its answer has been sent.
struct Stream(Rc<Activity>);

impl Activity {
    fn new() -> Rc<Self> {
        let started = Instant::now();
        Rc::new(Self {
            open: Cell::new(0),
            requests: Cell::new(0),
            taken_back: Cell::new(0),
            idle_since: Cell::new(started),
            started,
            enough: Notify::new(),
        })
    }

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

    /// The client opens requests to take them back, which costs it little and servers much.
    fn is_flood(&self) -> bool {
        let taken_back = self.taken_back.get();
        taken_back >= TAKEN_BACK && taken_back * 4 >= self.requests.get() * 3
    }

    /// When the connection will have been idle too long, if nothing happens.
    fn deadline(&self, idle: Duration) -> Instant {
        let since = if self.open.get() == 0 { self.idle_since.get() } else { Instant::now() };
        since + idle
    }
}

impl Stream {
    /// The client does not want the answer any more.
    fn taken_back(&self) {
        self.0.taken_back.set(self.0.taken_back.get() + 1);
        if self.0.is_flood() {
            self.0.enough.notify_one();
        }
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
    Io: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = h2::server::Builder::new();
    builder
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_concurrent_streams(entry.http2.streams)
        .max_header_list_size(u32::try_from(entry.http1.max_head_bytes + HEAD_SLACK).unwrap_or(u32::MAX))
        .header_table_size(entry.http2.decoder_table)
        .max_pending_accept_reset_streams(RESETS_WAITING)
        .max_local_error_reset_streams(Some(RESETS_OURS))
        .max_send_buffer_size(SEND_BUFFER);
    let patience = entry.http1.read_timeout.unwrap_or(PATIENCE);
    let accepted = Accepted::default();
    let io = Spotter::new(io, Rc::clone(&accepted), |reason, status| {
        requests.not_understood(Version::HTTP_2, reason, status);
    });
    let ended = |error: &h2::Error| {
        tracing::debug!(%error, "HTTP/2 connection ended.");
        if !error.is_io() && !error.is_remote() {
            requests.not_understood(Version::HTTP_2, Reason::BadFrames, StatusCode::BAD_REQUEST);
        }
    };
    let mut connection = match tokio::time::timeout(patience, builder.handshake(io)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return ended(&error),
        Err(_) => return,
    };

    let activity = Activity::new();
    let begin = |(request, respond): (_, SendResponse<Bytes>)| {
        accepted.set(respond.stream_id().as_u32());
        let stream = activity.begin(entry);
        tokio::task::spawn_local(answer::answer(request, respond, Rc::clone(&requests), stream, entry.http1.clone()));
    };
    let idle = entry.http1.idle_timeout;
    let mut idle_timer = pin!(tokio::time::sleep(idle.unwrap_or(Duration::MAX)));
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok(accepted)) => begin(accepted),
                Some(Err(error)) => return ended(&error),
                None => return,
            },
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
    if activity.is_flood() {
        tracing::debug!("HTTP/2 connection ended: the client takes too many requests back.");
        connection.abrupt_shutdown(h2::Reason::ENHANCE_YOUR_CALM);
    } else {
        // GOAWAY: requests in flight finish, new ones go to another connection.
        connection.graceful_shutdown();
    }
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok(accepted)) => begin(accepted),
                Some(Err(error)) => return ended(&error),
                None => return,
            },
            () = tokio::time::sleep(PATIENCE) => {
                if activity.open.get() == 0 && activity.idle_since.get().elapsed() >= PATIENCE {
                    return;
                }
            }
        }
    }
}
