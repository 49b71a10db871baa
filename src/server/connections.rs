//! [`Connections`]: the open connections of one entry point on one worker, so that they can be waited for and cut.

use std::cell::{Cell, RefCell};
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
    /// Told whenever one ends.
    ended: Notify,
    budget: Arc<Budget>,
}

/// An open connection; dropped when it ends, however it ends.
struct Seat {
    set: Connections,
    slot: usize,
}

impl Connections {
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        let (slots, free) = (RefCell::default(), RefCell::default());
        Self(Rc::new(Set { slots, free, open: Cell::new(0), ended: Notify::new(), budget }))
    }

    /// Runs a connection on this worker.
    pub(crate) fn spawn(&self, connection: impl Future<Output = ()> + 'static) {
        let seat = self.seat();
        let slot = seat.slot;
        let task = tokio::task::spawn_local(async move {
            let _seat = seat;
            connection.await;
        });
        if let Some(place) = self.0.slots.borrow_mut().get_mut(slot) {
            *place = Some(task.abort_handle());
        }
    }

    fn seat(&self) -> Seat {
        let set = &*self.0;
        set.open.set(set.open.get() + 1);
        set.budget.open.fetch_add(1, Ordering::Relaxed);
        let slot = set.free.borrow_mut().pop().unwrap_or_else(|| {
            let mut slots = set.slots.borrow_mut();
            slots.push(None);
            slots.len() - 1
        });
        Seat { set: self.clone(), slot }
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
