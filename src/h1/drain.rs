//! [`Drain`]: tells the connections of one worker to end politely.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};

/// Shared by a worker and its connections (clones are the same drain). Once started, a connection that waits for a
/// request closes at once, one that works on a request answers it with `Connection: close`.
#[derive(Clone, Debug, Default)]
pub struct Drain(Rc<State>);

#[derive(Debug, Default)]
struct State {
    announced: Cell<bool>,
    started: Cell<bool>,
    wakers: RefCell<Vec<Option<Waker>>>,
    free: RefCell<Vec<usize>>,
}

impl Drain {
    pub fn new() -> Self {
        Self::default()
    }

    /// Every answer from now on is the last of its connection; those that wait for a request may go on waiting.
    pub fn announce(&self) {
        self.0.announced.set(true);
    }

    /// Begins to drain; there is no way back.
    pub fn start(&self) {
        self.0.started.set(true);
        let wakers = std::mem::take(&mut *self.0.wakers.borrow_mut());
        for waker in wakers.into_iter().flatten() {
            waker.wake();
        }
    }

    /// Whether an answer is the last of its connection.
    pub fn is_started(&self) -> bool {
        self.0.started.get() || self.0.announced.get()
    }

    /// A place in the list of those who are woken.
    pub(crate) fn seat(&self) -> Seat {
        Seat { drain: self.clone(), place: None }
    }
}

/// A connection's place in the list; it gives the place back when it is dropped.
pub(crate) struct Seat {
    drain: Drain,
    place: Option<(usize, Waker)>,
}

impl Seat {
    /// Whether the drain has begun; if not, the task of `cx` is woken when it does.
    pub(crate) fn poll_started(&mut self, cx: &mut Context<'_>) -> bool {
        let state = &*self.drain.0;
        if state.started.get() {
            return true;
        }
        if self.place.as_ref().is_some_and(|(_, waker)| waker.will_wake(cx.waker())) {
            return false;
        }
        let mut wakers = state.wakers.borrow_mut();
        let place =
            self.place.take().map(|(place, _)| place).or_else(|| state.free.borrow_mut().pop()).unwrap_or_else(|| {
                wakers.push(None);
                wakers.len() - 1
            });
        wakers[place] = Some(cx.waker().clone());
        self.place = Some((place, cx.waker().clone()));
        false
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some((place, _)) = self.place.take() else { return };
        let state = &*self.drain.0;
        if let Some(waker) = state.wakers.borrow_mut().get_mut(place) {
            *waker = None;
            state.free.borrow_mut().push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn wakes_who_waits_and_forgets_who_left() {
        let drain = Drain::new();
        let (stays, leaves) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let mut staying = drain.seat();
        let mut leaving = drain.seat();
        assert!(!staying.poll_started(&mut Context::from_waker(&stays.clone().into())));
        assert!(!leaving.poll_started(&mut Context::from_waker(&leaves.clone().into())));
        drop(leaving);
        drain.start();
        assert_eq!((stays.0.load(Ordering::Relaxed), leaves.0.load(Ordering::Relaxed)), (1, 0));
        assert!(staying.poll_started(&mut Context::from_waker(Waker::noop())));
    }

    #[test]
    fn places_are_used_again() {
        let drain = Drain::new();
        for _ in 0..3 {
            let mut seat = drain.seat();
            seat.poll_started(&mut Context::from_waker(Waker::noop()));
        }
        assert_eq!(drain.0.wakers.borrow().len(), 1);
    }
}
