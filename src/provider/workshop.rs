//! [`work`]: what takes long and makes whole configurations, one after the other on a thread of its own.
//!
//! One thread, because allocators keep what a thread gives back for that thread: what reading a document leaves behind is
//! what building the snapshot uses next. On threads of their own, each would keep its most for itself.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

type Job = Box<dyn FnOnce() + Send>;

/// Jobs that wait. Whoever has more to do waits before it hands over the next.
const WAITING: usize = 16;

static QUEUE: LazyLock<mpsc::Sender<Job>> = LazyLock::new(|| {
    let (queue, mut jobs) = mpsc::channel::<Job>(WAITING);
    let run = move || {
        while let Some(job) = jobs.blocking_recv() {
            job();
        }
    };
    if let Err(cause) = std::thread::Builder::new().name("workshop".to_owned()).spawn(run) {
        tracing::error!("No thread for building configurations: {cause}");
    }
    queue
});

/// Runs the job, which must not wait for others, within the runtime of the caller. None: it failed inside.
pub async fn work<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = oneshot::channel();
    let runtime = Handle::current();
    let job = move || {
        let _within = runtime.enter();
        // A panic is the end of this job and of no other.
        if let Ok(made) = catch_unwind(AssertUnwindSafe(job)) {
            let _nobody_waits = done.send(made);
        }
    };
    QUEUE.send(Box::new(job)).await.ok()?;
    result.await.ok()
}

#[cfg(test)]
mod tests {
    use super::work;

    #[tokio::test]
    async fn a_job_that_fails_ends_no_other() {
        assert_eq!(work(|| -> u8 { panic!("on purpose") }).await, None);
        assert_eq!(
            work(|| std::thread::current().name().map(str::to_owned)).await.flatten().as_deref(),
            Some("workshop")
        );
        assert!(work(|| tokio::runtime::Handle::try_current().is_ok()).await.unwrap());
    }
}
