//! [`Shared`]: what instances of the router share through a store. A copy of the pairs below a root that follows the
//! store, and changes of one key at a time that say what they expect to find there.
//!
//! What must hold: a change is made only where the store holds what was expected, so of several instances that try the
//! same one succeeds; and when a change has been made, the copy shows it (or something later) before anybody goes on.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use trafficcop_provider::backoff::Backoff;

use crate::{Change, Pairs, Store, StoreError};

/// Before a lost store is tried again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A store that is followed only by being read whole is not read without a rest.
const REST: Duration = Duration::from_millis(20);
/// How long the copy may be behind a change of our own.
const BEHIND: Duration = Duration::from_secs(3);

/// What a change of a store is, while it is being made.
pub type Swapping<'a> = Pin<Box<dyn Future<Output = Result<Swapped, StoreError>> + Send + 'a>>;

/// A store that is written, one key at a time.
pub trait Writer: Send + Sync + 'static {
    /// Puts `new` where `old` is; None: nothing. Keys are whole, with their root.
    fn swap<'a>(&'a self, key: &'a str, old: Option<&'a [u8]>, new: Option<&'a [u8]>) -> Swapping<'a>;
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swapped {
    Done,
    /// Nothing was changed; this is there.
    Found(Option<Vec<u8>>),
}

/// See the module. Clones are the same.
#[derive(Clone)]
pub struct Shared {
    name: Arc<str>,
    prefix: Arc<str>,
    copy: watch::Receiver<Arc<Known>>,
    writer: Arc<dyn Writer>,
}

/// What is known of the store.
#[derive(Clone, Default)]
struct Known {
    pairs: Arc<Pairs>,
    /// How often it was opened; 0: not yet.
    opened: u64,
    lost: Option<StoreError>,
}

impl Shared {
    /// Follows the store on the current runtime for as long as somebody holds the value. `name` is for messages.
    pub fn follow<S: Store + 'static>(name: &str, root: &str, store: S, writer: impl Writer) -> Self {
        let (send, copy) = watch::channel(Arc::default());
        tokio::spawn(follow(store, send));
        Self { name: name.into(), prefix: crate::prefix(root).into(), copy, writer: Arc::new(writer) }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// How often the store was opened. What was seen before it was lost may be over since.
    pub fn opened(&self) -> u64 {
        self.copy.borrow().opened
    }

    /// Waits, for a while, until the store has been read once.
    pub async fn begun(&mut self, patience: Duration) {
        let _late = timeout(patience, self.copy.wait_for(|copy| copy.opened > 0)).await.is_err();
    }

    /// Waits for a change; for ever, when there can be none.
    pub async fn changed(&mut self) {
        if self.copy.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Every pair below the root, without the root; an error while the store cannot be read.
    pub fn pairs(&self) -> Result<Vec<(String, Vec<u8>)>, String> {
        let copy = Arc::clone(&self.copy.borrow());
        match &copy.lost {
            Some(error) => return Err(format!("{}: {error}", self.name)),
            None if copy.opened == 0 => return Err(format!("{} has not answered yet", self.name)),
            None => {}
        }
        let below = copy.pairs.iter().filter_map(|(key, value)| Some((key.strip_prefix(&*self.prefix)?, value)));
        Ok(below.map(|(key, value)| (key.to_owned(), value.to_vec())).collect())
    }

    /// One of them, as far as is known.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.copy.borrow().pairs.get(&self.whole(key)).map(<[u8]>::to_vec)
    }

    /// Puts `new` where `old` is.
    pub async fn swap(&self, key: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> Result<Swapped, String> {
        let key = self.whole(key);
        let swapped = self.writer.swap(&key, old, new).await.map_err(|error| format!("{}: {error}", self.name))?;
        if swapped == Swapped::Done {
            let mut copy = self.copy.clone();
            let shows = copy.wait_for(|copy| copy.lost.is_some() || copy.pairs.get(&key) == new);
            if timeout(BEHIND, shows).await.is_err() {
                tracing::debug!(key, "{} does not show what was written.", self.name);
            }
        }
        Ok(swapped)
    }

    fn whole(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

async fn follow<S: Store>(mut store: S, send: watch::Sender<Arc<Known>>) {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    while !send.is_closed() {
        let error = tokio::select! {
            error = until_lost(&mut store, &send, &mut backoff) => error,
            () = send.closed() => return,
        };
        let pause = backoff.next(rand::random());
        if send.borrow().lost.as_ref() != Some(&error) {
            tracing::error!(%error, "{} is not read; what was shared stays in force.", S::NAME);
        }
        send.send_modify(|copy| Arc::make_mut(copy).lost = Some(error));
        tokio::time::sleep(pause).await;
    }
}

async fn until_lost<S: Store>(store: &mut S, send: &watch::Sender<Arc<Known>>, backoff: &mut Backoff) -> StoreError {
    match store.open().await {
        Ok(pairs) => send.send_modify(|copy| {
            *copy = Arc::new(Known { pairs: Arc::new(pairs), opened: copy.opened + 1, lost: None });
        }),
        Err(error) => return error,
    }
    backoff.reset();
    loop {
        match store.next().await {
            Ok(Change::Whole(pairs)) => {
                send.send_if_modified(|copy| {
                    let is_new = *copy.pairs != pairs;
                    if is_new {
                        Arc::make_mut(copy).pairs = Arc::new(pairs);
                    }
                    is_new
                });
                tokio::time::sleep(REST).await;
            }
            Ok(Change::Keys(keys)) => {
                let mut applied = Ok(());
                send.send_modify(|copy| applied = Arc::make_mut(&mut Arc::make_mut(copy).pairs).apply(keys));
                if let Err(error) = applied {
                    return error;
                }
            }
            Err(error) => return error,
        }
    }
}
