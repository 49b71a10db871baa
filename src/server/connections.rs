//! [`Connections`]: the open connections of one entry point on one worker, so that they can be waited for and cut.
//!
//! A connection is a *newcomer* until it has said what it wants: its route is known, and its TLS handshake done. When there
//! is no room for another connection, the oldest newcomer gives way: whoever opens thousands of connections and says
//! nothing pushes out their own, while a client that means it is through within milliseconds.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// Counts connections over all workers, against a bound.
#[derive(Debug)]
pub(crate) struct Budget {
    open: AtomicUsize,
    most: usize,
}

impl Budget {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { open: AtomicUsize::new(0), most })
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.open.load(Ordering::Relaxed) >= self.most
    }
}

/// See the module. Clones are the same set.
#[derive(Clone, Debug)]
pub(crate) struct Connections(Rc<Set>);

#[derive(Debug)]
struct Set {
    slots: RefCell<Vec<Option<AbortHandle>>>,
    free: RefCell<Vec<usize>>,
    open: Cell<usize>,
    newcomers: RefCell<VecDeque<Newcomer>>,
    /// Told whenever one ends.
    ended: Notify,
    budget: Arc<Budget>,
}

/// In the order of arrival; those that are through or gone are taken out now and then.
#[derive(Debug)]
struct Newcomer {
    slot: usize,
    arrival: Arrival,
}

/// How a connection says that it is no newcomer any more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrival(Rc<Cell<bool>>);

impl Arrival {
    pub(crate) fn is_through(&self) {
        self.0.set(true);
    }
}

/// Newcomers beyond which those that are through are looked for.
const MANY: usize = 256;

/// An open connection; dropped when it ends, however it ends.
struct Seat {
    set: Connections,
    slot: usize,
    arrival: Arrival,
}

impl Connections {
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        let (slots, free) = (RefCell::default(), RefCell::default());
        let newcomers = RefCell::default();
        Self(Rc::new(Set { slots, free, open: Cell::new(0), newcomers, ended: Notify::new(), budget }))
    }

    /// Runs a connection that gives way to others until it is through.
    pub(crate) fn spawn_newcomer<C: Future<Output = ()> + 'static>(&self, connection: impl FnOnce(Arrival) -> C) {
        let arrival = Arrival::default();
        let seat = self.seat(arrival.clone());
        let mut newcomers = self.0.newcomers.borrow_mut();
        if newcomers.len() >= MANY && newcomers.len() == newcomers.capacity() {
            newcomers.retain(|newcomer| !newcomer.arrival.0.get());
        }
        newcomers.push_back(Newcomer { slot: seat.slot, arrival: arrival.clone() });
        drop(newcomers);
        self.run(seat, connection(arrival));
    }

    /// Runs a connection on this worker.
    pub(crate) fn spawn(&self, connection: impl Future<Output = ()> + 'static) {
        self.run(self.seat(Arrival::default()), connection);
    }

    /// Ends the oldest newcomer; false: there is none.
    pub(crate) fn end_oldest_newcomer(&self) -> bool {
        let mut newcomers = self.0.newcomers.borrow_mut();
        while let Some(Newcomer { slot, arrival }) = newcomers.pop_front() {
            if !arrival.0.get()
                && let Some(Some(task)) = self.0.slots.borrow().get(slot)
            {
                task.abort();
                return true;
            }
        }
        false
    }

    fn run(&self, seat: Seat, connection: impl Future<Output = ()> + 'static) {
        let slot = seat.slot;
        let task = tokio::task::spawn_local(async move {
            let _seat = seat;
            connection.await;
        });
        if let Some(place) = self.0.slots.borrow_mut().get_mut(slot) {
            *place = Some(task.abort_handle());
        }
    }

    fn seat(&self, arrival: Arrival) -> Seat {
        let set = &*self.0;
        set.open.set(set.open.get() + 1);
        set.budget.open.fetch_add(1, Ordering::Relaxed);
        let slot = set.free.borrow_mut().pop().unwrap_or_else(|| {
            let mut slots = set.slots.borrow_mut();
            slots.push(None);
            slots.len() - 1
        });
        Seat { set: self.clone(), slot, arrival }
    }

    /// Waits until all have ended.
    pub(crate) async fn all_ended(&self) {
        while self.0.open.get() > 0 {
            self.0.ended.notified().await;
        }
    }

    /// Waits until one more may be opened.
    pub(crate) async fn room(&self) {
        while self.0.budget.is_spent() {
            // The next to end may belong to another worker, which cannot tell us.
            let pause = tokio::time::sleep(std::time::Duration::from_millis(20));
            tokio::select! {
                () = self.0.ended.notified() => {}
                () = pause => {}
            }
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        !self.0.budget.is_spent()
    }

    /// Ends all of them where they are.
    pub(crate) fn cut(&self) -> usize {
        let handles: Vec<_> = self.0.slots.borrow().iter().flatten().cloned().collect();
        handles.iter().for_each(AbortHandle::abort);
        handles.len()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.arrival.is_through();
        let set = &*self.set.0;
        if let Some(place) = set.slots.borrow_mut().get_mut(self.slot) {
            *place = None;
        }
        set.free.borrow_mut().push(self.slot);
        set.open.set(set.open.get() - 1);
        set.budget.open.fetch_sub(1, Ordering::Relaxed);
        set.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::LocalSet;

    #[tokio::test]
    async fn the_oldest_that_said_nothing_gives_way() {
        LocalSet::new()
            .run_until(async {
                let set = Connections::new(Budget::new(3));
                let ended = Rc::new(RefCell::new(Vec::new()));
                for (name, is_through) in [("talker", true), ("first", false), ("second", false)] {
                    let ended = Rc::clone(&ended);
                    set.spawn_newcomer(|arrival| async move {
                        if is_through {
                            arrival.is_through();
                        }
                        let _told = OnEnd(name, ended);
                        std::future::pending::<()>().await;
                    });
                }
                tokio::task::yield_now().await;
                for expected in [&["first"][..], &["first", "second"]] {
                    assert!(set.end_oldest_newcomer());
                    while ended.borrow().len() < expected.len() {
                        tokio::task::yield_now().await;
                    }
                    assert_eq!(*ended.borrow(), expected);
                }
                assert!(!set.end_oldest_newcomer(), "who is through stays");
                assert_eq!(set.0.open.get(), 1);
            })
            .await;
    }

    struct OnEnd(&'static str, Rc<RefCell<Vec<&'static str>>>);

    impl Drop for OnEnd {
        fn drop(&mut self) {
            self.1.borrow_mut().push(self.0);
        }
    }

    #[tokio::test]
    async fn newcomers_that_are_through_are_forgotten() {
        LocalSet::new()
            .run_until(async {
                let set = Connections::new(Budget::new(usize::MAX));
                for _ in 0..MANY * 10 {
                    set.spawn_newcomer(|arrival| async move { arrival.is_through() });
                    set.all_ended().await;
                }
                assert!(set.0.newcomers.borrow().len() <= MANY * 2);
            })
            .await;
    }

    #[tokio::test]
    async fn ends_are_awaited_and_cuts_end_all() {
        LocalSet::new()
            .run_until(async {
                let budget = Budget::new(2);
                let set = Connections::new(Arc::clone(&budget));
                set.spawn(std::future::pending());
                assert!(set.has_room());
                set.spawn(std::future::pending());
                assert!(!set.has_room());
                assert_eq!(set.cut(), 2);
                set.all_ended().await;
                assert!(set.has_room());
                set.room().await;
            })
            .await;
    }
}
