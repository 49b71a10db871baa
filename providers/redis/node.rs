//! One server: its keys, its events, its life.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, Value, cmd};
use trafficcop_kv::{Pairs, StoreError};

use crate::connect::{Access, Address};
use crate::events::{FromNode, Sender};
use crate::lost;

/// Keys that one step of a scan looks at, and that are read at once.
const STEP: usize = 1000;
/// What a server must tell of: changes of keys by their names, of every kind.
const WANTED: &str = "KA";

pub(crate) struct Node {
    connection: MultiplexedConnection,
}

impl Node {
    pub(crate) async fn connect(
        access: &Access,
        address: &Address,
        node: usize,
        sender: Sender,
    ) -> Result<Self, StoreError> {
        let connection = access.connect(address, FromNode { node, sender }).await;
        let at = |error| StoreError::Lost(format!("{}:{}: {error}", address.host, address.port));
        Ok(Self { connection: connection.map_err(at)? })
    }

    /// Begins to listen; false if the server will not tell of changes.
    pub(crate) async fn listen(&mut self, prefix: &str, database: i64) -> Result<bool, StoreError> {
        if !self.is_telling().await {
            return Ok(false);
        }
        let pattern = format!("__keyspace@{database}__:{}*", literal(prefix));
        match self.connection.psubscribe(pattern).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_io_error() || error.is_timeout() || error.is_connection_dropped() => {
                Err(lost(error))
            }
            // It is not allowed; what is read is read all the same.
            Err(_) => Ok(false),
        }
    }

    /// Does the server tell of changes, by now at least? It may be forbidden to ask for that.
    async fn is_telling(&mut self) -> bool {
        let name = "notify-keyspace-events";
        let asked: Result<Vec<String>, _> = cmd("CONFIG").arg("GET").arg(name).query_async(&mut self.connection).await;
        let flags = asked.ok().and_then(|answer| answer.into_iter().nth(1)).unwrap_or_default();
        if is_enough(&flags) {
            return true;
        }
        let all = format!("{WANTED}{flags}");
        cmd("CONFIG").arg("SET").arg(name).arg(all).query_async::<()>(&mut self.connection).await.is_ok()
    }

    /// Adds every text below `prefix`. What is no text is left alone.
    pub(crate) async fn read(&mut self, prefix: &str, pairs: &mut Pairs) -> Result<(), StoreError> {
        let pattern = format!("{}*", literal(prefix));
        let mut cursor = 0;
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(STEP);
            let (next, keys): (u64, Vec<Value>) = scan.query_async(&mut self.connection).await.map_err(lost)?;
            let keys: Vec<String> = keys.into_iter().filter_map(|key| redis::from_redis_value(key).ok()).collect();
            let values = self.values(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await?;
            for (key, value) in keys.into_iter().zip(values) {
                if let Some(value) = value {
                    pairs.put(key, value)?;
                }
            }
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// The values of these keys; None for one that is gone or is no text.
    pub(crate) async fn values(&mut self, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut values = Vec::with_capacity(keys.len());
        for some in keys.chunks(STEP) {
            // One key each: in a cluster, keys of several slots cannot be asked for in one command.
            let mut pipeline = Pipeline::with_capacity(some.len());
            for key in some {
                pipeline.cmd("MGET").arg(key);
            }
            let answers: Vec<Vec<Option<Vec<u8>>>> = pipeline.query_async(&mut self.connection).await.map_err(lost)?;
            values.extend(answers.into_iter().map(|mut answer| answer.pop().flatten()));
        }
        Ok(values)
    }

    pub(crate) async fn ping(&mut self) -> Result<(), StoreError> {
        self.ask(&cmd("PING")).await.map(drop)
    }

    pub(crate) async fn ask(&mut self, question: &Cmd) -> Result<Value, StoreError> {
        question.query_async(&mut self.connection).await.map_err(lost)
    }
}

/// `A` stands for all kinds of changes; single ones that are enough are those of texts, of every key, and of ends.
fn is_enough(flags: &str) -> bool {
    let has = |flag| flags.contains(flag);
    has('K') && (has('A') || ['$', 'g', 'x', 'e'].into_iter().all(has))
}

/// The text as a pattern that fits nothing else.
fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '^' | '-' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags() {
        assert!(is_enough("AK") && is_enough("g$xeKE"));
        assert!(!is_enough("") && !is_enough("AE") && !is_enough("Kg"));
    }

    #[test]
    fn a_root_is_no_pattern() {
        assert_eq!(literal("a-*[b]/"), "a\\-\\*\\[b\\]/");
    }
}
