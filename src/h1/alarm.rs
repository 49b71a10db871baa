//! [`Alarm`]: the one timer of a connection, armed coarsely so that requests cost none.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Deadlines move with every request; the timer stays where it is as long as it fires early enough, and is set anew when
/// it fires too early.
#[derive(Debug)]
pub(crate) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
    /// The shortest time ahead at which any deadline will ever be set: an alarm armed for that is never too late.
    shortest: Duration,
}

impl Alarm {
    /// `periods`: all that deadlines are made of.
    pub(crate) fn new(periods: impl IntoIterator<Item = Option<Duration>>) -> Self {
        Self { sleep: None, shortest: periods.into_iter().flatten().min().unwrap_or(Duration::MAX) }
    }

    /// Whether the deadline has passed; if not, the task is woken in time to ask again.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> bool {
        let Some(deadline) = deadline else { return false };
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(soon(deadline, self.shortest))));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        while let Poll::Ready(()) = sleep.as_mut().poll(cx) {
            if Instant::now() >= deadline {
                return true;
            }
            sleep.as_mut().reset(soon(deadline, self.shortest));
        }
        false
    }
}

fn soon(deadline: Instant, shortest: Duration) -> Instant {
    Instant::now().checked_add(shortest).map_or(deadline, |soonest| soonest.min(deadline))
}
