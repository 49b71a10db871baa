//! What providers share that read the keys of a store: the [`Store`] trait, the pairs, and the one watcher; and what
//! instances share that write some keys as well ([`Shared`]).
//!
//! A store says what is there and what changes; the watcher makes configurations of it. What must hold: nothing changes
//! unseen between reading and watching, a storm of changes costs one decoding of what changed at a time, and losing the
//! store, or finding rubbish in it, changes nothing of what was published.

mod pairs;
mod shared;
#[cfg(test)]
mod tests;
mod tree;
mod watch;

use std::future::Future;

pub use pairs::{MAX_BYTES, Pairs};
pub use shared::{Shared, Swapped, Swapping, Writer};
pub use watch::watch;

/// A key-value store that can be watched.
pub trait Store: Send {
    /// What places and messages call it: `etcd`.
    const NAME: &'static str;

    /// Connects, begins to watch, and reads everything below the root key. Called again after each loss.
    fn open(&mut self) -> impl Future<Output = Result<Pairs, StoreError>> + Send;

    /// Waits for what changes after [`Store::open`]. May be dropped and called again without losing a change. It finds
    /// out by itself when the store does not answer any more.
    fn next(&mut self) -> impl Future<Output = Result<Change, StoreError>> + Send;
}

/// What changed.
#[derive(Debug)]
pub enum Change {
    /// These keys have these values now; None: they are gone.
    Keys(Vec<(String, Option<Vec<u8>>)>),
    /// This is all there is now.
    Whole(Pairs),
}

/// Why a store cannot be read or watched any longer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("{0}")]
    Lost(String),
    /// Reading it again at once would help nobody.
    #[error("what lies below the root key has more than {MAX_BYTES} bytes")]
    TooLarge,
}

impl StoreError {
    pub fn lost(error: impl std::fmt::Display) -> Self {
        Self::Lost(error.to_string())
    }
}

/// The root key as stores spell it: without slashes at its ends.
pub fn root(key: &str) -> &str {
    key.trim_matches('/')
}

/// What the keys of a tree begin with: `traefik/`.
pub fn prefix(root: &str) -> String {
    if root.is_empty() { String::new() } else { format!("{root}/") }
}
