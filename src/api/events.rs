//! `/api/x/events`: news as they come, by server-sent events, so that a page need not ask again and again.
//!
//! Each second one event `traffic`; `config` when another configuration came into force; `tail` with the requests since
//! the last, for whoever asks for them with `tail=1`. What must hold: few listen at once, and a listener that does not read
//! holds nothing up but itself: an event is made only when the last one was taken.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Interval, MissedTickBehavior};
use trafficcop_exchange::{Body, BodyError, BodyStream, Frame, Response, StatusCode, reply};
use trafficcop_snapshot::Snapshot;

use crate::answer::encode;
use crate::page::Query;
use crate::{Inner, traffic};

/// Listeners at once.
const MOST: usize = 64;
const EVERY: Duration = Duration::from_secs(1);

/// Begins to tell.
pub(crate) fn answer(inner: &Arc<Inner>, query: &Query) -> Response {
    let Some(place) = Place::take(&inner.listeners) else {
        return reply::error(StatusCode::SERVICE_UNAVAILABLE, r#"{"message":"too many listen already"}"#);
    };
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let after = (query.get("tail") == "1").then_some(0);
    let seen = Weak::new();
    let mut response = reply::empty(StatusCode::OK);
    response.headers.append("Content-Type", "text/event-stream");
    response.headers.append("Cache-Control", "no-store");
    response.headers.append("X-Accel-Buffering", "no");
    response.body = Body::stream(Events { inner: Arc::clone(inner), ticks, seen, after, _place: place });
    response
}

struct Events {
    inner: Arc<Inner>,
    ticks: Interval,
    /// The configuration that was told of last. Held weakly: its address is not used again, and it may go.
    seen: Weak<Snapshot>,
    /// The last line of the tail that was told; None: nobody wants it.
    after: Option<u64>,
    _place: Place,
}

impl Events {
    fn text(&mut self) -> String {
        let mut out = String::new();
        let mut event = |name: &str, data: &str| {
            let _writing_to_a_string_succeeds = write!(out, "event: {name}\ndata: {data}\n\n");
        };
        if let Some(pulse) = &self.inner.extras.pulse {
            event("traffic", &encode(&traffic::traffic(pulse)));
        } else {
            event("tick", "{}");
        }
        if let Some(snapshot) = self.inner.window.look() {
            let snapshot = snapshot.shared();
            if self.seen.as_ptr() != Arc::as_ptr(&snapshot) {
                self.seen = Arc::downgrade(&snapshot);
                event("config", "{}");
            }
        }
        if let (Some(tail), Some(after)) = (&self.inner.extras.tail, &mut self.after) {
            let news = traffic::since(tail, *after);
            if let Some(last) = news["lines"].as_array().and_then(|lines| lines.last()) {
                *after = last["number"].as_u64().unwrap_or(*after);
                event("tail", &encode(&news));
            }
        }
        out
    }
}

impl BodyStream for Events {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        ready!(self.ticks.poll_tick(cx));
        if self.inner.extras.stopping.load(Ordering::Relaxed) {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::Data(Bytes::from(self.text())))))
    }
}

/// One of the places for listeners.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(listeners: &Arc<AtomicUsize>) -> Option<Self> {
        if listeners.fetch_add(1, Ordering::Relaxed) < MOST {
            return Some(Self(Arc::clone(listeners)));
        }
        listeners.fetch_sub(1, Ordering::Relaxed);
        None
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
