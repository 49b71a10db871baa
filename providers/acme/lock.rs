//! [`Locks`]: of the instances that share a storage, one at a time orders a name.
//!
//! A lock is a key that is never taken away. Whoever holds it writes it anew every few seconds. Nobody's clock is compared
//! with another's: an instance takes a lock over when it has itself seen no news of it for [`SILENCE`], with the store
//! within reach all that time. Each holder has a greater term than the one before, and finds out at its next sign of life
//! that it was passed over. A failed order says so in the lock, and until when all shall leave the name alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use trafficcop_kv::{Shared, Swapped};

use crate::failure::Failure;
use crate::shared::key;

const LOCK: &str = "lock/";
/// How often a holder gives a sign of life, and without how long a one it is passed over.
const SIGN: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
struct Lock {
    /// Empty: nobody.
    owner: String,
    term: u64,
    /// Signs of life of this term.
    signs: u64,
    /// Why the last order failed, and until when (seconds since 1970) nobody tries again.
    #[serde(default)]
    why: String,
    #[serde(default)]
    until: u64,
}

/// One per shared storage.
#[derive(Clone)]
pub(crate) struct Locks {
    shared: Shared,
    owner: Arc<str>,
    /// By key.
    seen: Arc<Mutex<HashMap<String, Seen>>>,
}

/// What was seen, since when, and in which of the store's openings.
type Seen = (Vec<u8>, Instant, u64);

/// Locks that this instance holds.
pub(crate) struct Held {
    locks: Locks,
    /// By key.
    held: BTreeMap<String, Lock>,
}

/// Why there is no lock.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Another instance has it.
    Busy,
    /// Another instance failed a while ago.
    Failed(Failure),
    /// The store cannot be written.
    Unknown(String),
}

impl Locks {
    pub(crate) fn new(shared: Shared) -> Self {
        let owner = format!("{:032x}", rand::random::<u128>());
        Self { shared, owner: owner.into(), seen: Arc::default() }
    }

    /// Takes the locks of all these things, or none of them.
    pub(crate) async fn take(&self, kind: &str, resolver: &str, names: &[String]) -> Result<Held, Taken> {
        let mut held = Held { locks: self.clone(), held: BTreeMap::new() };
        // In an order that all instances share, so that two of them do not take half each for ever.
        let mut keys: Vec<_> = names.iter().map(|name| key(LOCK, &[kind, resolver, name])).collect();
        keys.sort();
        for key in keys {
            match self.take_one(&key).await {
                Ok(lock) => drop(held.held.insert(key, lock)),
                Err(taken) => {
                    held.release(None).await;
                    return Err(taken);
                }
            }
        }
        Ok(held)
    }

    async fn take_one(&self, key: &str) -> Result<Lock, Taken> {
        let old = self.shared.get(key);
        // One that cannot be read is nobody's.
        let lock: Lock = old.as_deref().and_then(|old| serde_json::from_slice(old).ok()).unwrap_or_default();
        if !lock.owner.is_empty() && !self.is_silent(key, old.as_deref().unwrap_or_default()) {
            return Err(Taken::Busy);
        }
        let rest = Duration::from_secs(lock.until.saturating_sub(now()));
        if lock.owner.is_empty() && !rest.is_zero() {
            return Err(Taken::Failed(Failure { rest: Some(rest), ..Failure::new(lock.why) }));
        }
        let new = Lock { owner: self.owner.to_string(), term: lock.term + 1, ..Lock::default() };
        match self.shared.swap(key, old.as_deref(), Some(&text(&new))).await {
            Ok(Swapped::Done) => Ok(new),
            Ok(Swapped::Found(_)) => Err(Taken::Busy),
            Err(why) => Err(Taken::Unknown(why)),
        }
    }

    fn is_silent(&self, key: &str, value: &[u8]) -> bool {
        let (now, opened) = (Instant::now(), self.shared.opened());
        let mut seen = self.seen.lock();
        match seen.get(key) {
            Some((before, since, at)) if before == value && *at == opened => now.duration_since(*since) >= SILENCE,
            _ => {
                seen.retain(|_, (_, since, _)| now.duration_since(*since) < SILENCE * 10);
                seen.insert(key.to_owned(), (value.to_vec(), now, opened));
                false
            }
        }
    }
}

impl Held {
    /// Gives signs of life. Ends when another instance has taken a lock over.
    pub(crate) async fn lost(&mut self) {
        loop {
            tokio::time::sleep(SIGN).await;
            for (key, lock) in &mut self.held {
                let new = Lock { signs: lock.signs + 1, ..lock.clone() };
                match self.locks.shared.swap(key, Some(&text(lock)), Some(&text(&new))).await {
                    Ok(Swapped::Done) => *lock = new,
                    // A sign whose answer was lost.
                    Ok(Swapped::Found(Some(found))) if found == text(&new) => *lock = new,
                    Ok(Swapped::Found(_)) => return,
                    // Nobody else can take it either.
                    Err(why) => tracing::debug!("No sign of life: {why}"),
                }
            }
        }
    }

    /// Lets others have them. With a failure, later.
    pub(crate) async fn release(self, failure: Option<&Failure>) {
        let rest = failure.map(|failure| failure.rest.unwrap_or(Duration::from_mins(1)));
        for (key, lock) in &self.held {
            let (why, until) = match (failure, rest) {
                (Some(failure), Some(rest)) => (failure.text.clone(), now() + rest.as_secs()),
                _ => Default::default(),
            };
            let free = Lock { owner: String::new(), term: lock.term, signs: 0, why, until };
            if let Err(error) = self.locks.shared.swap(key, Some(&text(lock)), Some(&text(&free))).await {
                tracing::debug!("A lock is not released: {error}");
            }
        }
    }
}

fn text(lock: &Lock) -> Vec<u8> {
    serde_json::to_vec(lock).unwrap_or_default()
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
