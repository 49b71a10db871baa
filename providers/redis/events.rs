//! Keyspace events on their way from the connections to the store: bounded, and each key once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::aio::{AsyncPushSender, SendError};
use redis::{PushInfo, PushKind, Value};
use tokio::sync::mpsc;
use trafficcop_kv::StoreError;

/// Events that may wait; when there are more, everything is read again.
const WAITING: usize = 16 * 1024;

/// A key of a node changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    pub(crate) node: usize,
    pub(crate) key: String,
}

enum Told {
    Changed(Event),
    Closed,
}

pub(crate) struct Events {
    told: mpsc::Receiver<Told>,
    overflown: Arc<AtomicBool>,
}

#[derive(Clone)]
pub(crate) struct Sender {
    to: mpsc::Sender<Told>,
    overflown: Arc<AtomicBool>,
}

pub(crate) fn channel() -> (Sender, Events) {
    let (to, told) = mpsc::channel(WAITING);
    let overflown = Arc::new(AtomicBool::new(false));
    (Sender { to, overflown: Arc::clone(&overflown) }, Events { told, overflown })
}

impl Events {
    /// Waits for an event; takes all that wait, each key once.
    pub(crate) async fn next(&mut self) -> Result<Vec<Event>, StoreError> {
        let mut keys = BTreeSet::new();
        let mut told = self.told.recv().await;
        while let Some(event) = told {
            match event {
                Told::Changed(event) => keys.insert(event),
                Told::Closed => return Err(StoreError::lost("the connection was closed")),
            };
            told = self.told.try_recv().ok();
        }
        if self.overflown.load(Ordering::Relaxed) {
            return Err(StoreError::lost("more changed at once than could be followed"));
        }
        Ok(keys.into_iter().collect())
    }
}

/// What the connection to one node tells.
pub(crate) struct FromNode {
    pub(crate) node: usize,
    pub(crate) sender: Sender,
}

impl AsyncPushSender for FromNode {
    fn send(&self, info: PushInfo) -> Result<(), SendError> {
        let told = match info.kind {
            PushKind::PMessage => match key(&info.data) {
                Some(key) => Told::Changed(Event { node: self.node, key }),
                None => return Ok(()),
            },
            PushKind::Disconnection => Told::Closed,
            _ => return Ok(()),
        };
        if self.sender.to.try_send(told).is_err() {
            self.sender.overflown.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// `__keyspace@0__:traefik/http/…` is the second of pattern, channel and operation.
fn key(data: &[Value]) -> Option<String> {
    let Value::BulkString(channel) = data.get(1)? else { return None };
    let channel = std::str::from_utf8(channel).ok()?;
    channel.split_once("__:").map(|(_, key)| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(node: &FromNode, key: &str) {
        let data = ["__keyspace@0__:traefik/*", &format!("__keyspace@0__:{key}"), "set"];
        let data = data.iter().map(|text| Value::BulkString(text.as_bytes().to_vec())).collect();
        let _always_ok = node.send(PushInfo { kind: PushKind::PMessage, data });
    }

    #[tokio::test]
    async fn each_key_comes_once() {
        let (sender, mut events) = channel();
        let node = FromNode { node: 3, sender };
        for key in ["traefik/b", "traefik/a", "traefik/b"] {
            push(&node, key);
        }
        let event = |key: &str| Event { node: 3, key: key.to_owned() };
        assert_eq!(events.next().await, Ok(vec![event("traefik/a"), event("traefik/b")]));
    }

    #[tokio::test]
    async fn too_many_mean_that_everything_is_read_again() {
        let (sender, mut events) = channel();
        let node = FromNode { node: 0, sender };
        for number in 0..=WAITING {
            push(&node, &format!("traefik/{number}"));
        }
        assert!(events.next().await.is_err());
    }
}
