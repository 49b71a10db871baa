//! Changes of single keys, for what instances share.

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use tokio::sync::Mutex;
use trafficcop_kv::{StoreError, Swapped, Swapping, Writer as Writes};

use crate::connect::{Access, Address};
use crate::topology::Topology;
use crate::{events, lost, sentinel};

/// Puts a value where another is, in one step. Each value comes behind whether there is to be one.
const SWAP: &str = r"
local found = redis.call('GET', KEYS[1])
local old = ARGV[1] == '1' and ARGV[2]
if found ~= old then return {0, found} end
if ARGV[3] == '1' then redis.call('SET', KEYS[1], ARGV[4]) else redis.call('DEL', KEYS[1]) end
return {1, false}
";
/// So often servers of a cluster may name another one for a key.
const MOST_MOVES: usize = 5;

pub(crate) struct Writer {
    access: Access,
    /// The one that took the last change.
    open: Mutex<Option<(Address, MultiplexedConnection)>>,
}

impl Writer {
    pub(crate) fn new(access: Access) -> Self {
        Self { access, open: Mutex::default() }
    }

    async fn change(&self, key: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> Result<Swapped, StoreError> {
        let flag = |value: Option<&[u8]>| if value.is_some() { "1" } else { "0" };
        let mut command = cmd("EVAL");
        command.arg(SWAP).arg(1).arg(key);
        command.arg(flag(old)).arg(old.unwrap_or_default()).arg(flag(new)).arg(new.unwrap_or_default());
        let mut open = self.open.lock().await;
        let mut moved = None;
        for _ in 0..MOST_MOVES {
            let (address, mut connection) = match (moved.take(), open.take()) {
                (Some(to), _) => self.connect(to).await?,
                (None, Some(open)) => open,
                (None, None) => self.connect(self.master().await?).await?,
            };
            let answer: RedisResult<(u8, Option<Vec<u8>>)> = command.query_async(&mut connection).await;
            match answer {
                Ok((done, found)) => {
                    *open = Some((address, connection));
                    return Ok(if done == 1 { Swapped::Done } else { Swapped::Found(found) });
                }
                Err(error) => match error.redirect_node().and_then(|(to, _)| Address::of(to, &address)) {
                    Some(to) => moved = Some(to),
                    // Whether it was done is unknown; whoever asks again sees.
                    None => return Err(lost(error)),
                },
            }
        }
        Err(StoreError::lost("the servers of the cluster do not agree whose key it is"))
    }

    async fn connect(&self, to: Address) -> Result<(Address, MultiplexedConnection), StoreError> {
        let (sender, _events) = events::channel();
        let connection = self.access.connect(&to, events::FromNode { node: 0, sender }).await.map_err(lost)?;
        Ok((to, connection))
    }

    async fn master(&self) -> Result<Address, StoreError> {
        if self.access.sentinel().is_some() {
            return sentinel::master(&self.access).await;
        }
        let found = Topology::find(&self.access).await?;
        found.addresses.into_iter().next().ok_or_else(|| StoreError::lost("there is no server"))
    }
}

impl Writes for Writer {
    fn swap<'a>(&'a self, key: &'a str, old: Option<&'a [u8]>, new: Option<&'a [u8]>) -> Swapping<'a> {
        Box::pin(self.change(key, old, new))
    }
}
