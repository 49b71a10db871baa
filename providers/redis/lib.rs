//! The Redis provider: keys of Redis or Valkey, single, behind Sentinel or in a cluster.
//!
//! Changes come as keyspace events where the server sends them or lets itself be told to; else everything is read every
//! two seconds. What must hold: nothing but reading commands is sent, but for that one setting
//! and what [`shared`] writes; a server that does not
//! answer within seconds is given up.

mod connect;
mod events;
mod node;
mod sentinel;
mod topology;
mod writer;

use std::time::Duration;

use redis::RedisError;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use trafficcop_config::settings::stores::Redis as Settings;
use trafficcop_kv::{Change, Pairs, Shared, Store, StoreError, prefix, root, watch};
use trafficcop_provider::{Provider, ProviderError, Publisher};

use connect::Access;
use events::{Event, Events};
use node::Node;
use topology::Topology;

/// So often the servers are asked whether they live; and everything is read where no events come.
const ASK: Duration = Duration::from_secs(2);
/// In each so manyeth question: are they still who they were?
const LOOK_AROUND: u32 = 3;

/// See the crate.
pub struct Redis {
    root: String,
    access: Access,
    open: Option<Open>,
}

/// What there is while Redis is followed.
struct Open {
    topology: Topology,
    nodes: Vec<Node>,
    events: Events,
    /// Every server tells of changes.
    is_told: bool,
    ticks: Interval,
    asked: u32,
    /// Keys that changed and are to be read.
    due: Vec<Event>,
}

impl Provider for Redis {
    const NAME: &'static str = "redis";
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, ProviderError> {
        Ok(Self { root: root(&settings.root_key).to_owned(), access: Access::new(settings)?, open: None })
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        let root = self.root.clone();
        match watch(self, &root, out).await {}
    }
}

impl Store for Redis {
    const NAME: &'static str = "redis";

    async fn open(&mut self) -> Result<Pairs, StoreError> {
        self.open = None;
        let topology = Topology::find(&self.access).await?;
        let prefix = prefix(&self.root);
        let (send, events) = events::channel();
        let mut nodes = Vec::new();
        let mut is_told = true;
        for (index, address) in topology.addresses.iter().enumerate() {
            let mut node = Node::connect(&self.access, address, index, send.clone()).await?;
            // Events first: nothing can change unseen between the reading and them.
            is_told &= node.listen(&prefix, self.access.database()).await?;
            nodes.push(node);
        }
        if !is_told {
            tracing::warn!(
                provider = "redis",
                "Redis does not tell of changes: notify-keyspace-events is off and may not be set. Everything is read every {ASK:?}."
            );
        }
        let mut ticks = interval_at(Instant::now() + ASK, ASK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut open = Open { topology, nodes, events, is_told, ticks, asked: 0, due: Vec::new() };
        let pairs = open.read(&prefix).await?;
        self.open = Some(open);
        Ok(pairs)
    }

    async fn next(&mut self) -> Result<Change, StoreError> {
        let Some(open) = &mut self.open else { return Err(StoreError::lost("it is not open")) };
        loop {
            if !open.due.is_empty() {
                return open.read_due().await;
            }
            tokio::select! {
                event = open.events.next() => open.due = event?,
                _ = open.ticks.tick() => {
                    open.look_around(&self.access).await?;
                    if !open.is_told {
                        return open.read(&prefix(&self.root)).await.map(Change::Whole);
                    }
                }
            }
        }
    }
}

impl Open {
    async fn read(&mut self, prefix: &str) -> Result<Pairs, StoreError> {
        let mut pairs = Pairs::default();
        for node in &mut self.nodes {
            node.read(prefix, &mut pairs).await?;
        }
        Ok(pairs)
    }

    /// Reads the keys that events named. They stay due until they are read: the caller may go away in between.
    async fn read_due(&mut self) -> Result<Change, StoreError> {
        let mut keys = Vec::with_capacity(self.due.len());
        for (index, node) in self.nodes.iter_mut().enumerate() {
            let mine: Vec<&str> = self.due.iter().filter(|due| due.node == index).map(|due| &*due.key).collect();
            let values = node.values(&mine).await?;
            keys.extend(mine.into_iter().map(str::to_owned).zip(values));
        }
        self.due.clear();
        Ok(Change::Keys(keys))
    }

    /// Do the servers live, and are they still those that ought to be asked?
    async fn look_around(&mut self, access: &Access) -> Result<(), StoreError> {
        for node in &mut self.nodes {
            node.ping().await?;
        }
        self.asked = (self.asked + 1) % LOOK_AROUND;
        if self.asked == 0 {
            self.topology.still_holds(access, &mut self.nodes).await?;
        }
        Ok(())
    }
}

/// What instances share in this Redis. All of it lies in one slot, so that a cluster tells of changes in their order. Begins
/// to follow on the current runtime.
pub fn shared(settings: &Settings) -> Result<Shared, ProviderError> {
    let root = format!("{{{}-acme}}", root(&settings.root_key));
    let name = format!("Redis at {}", settings.endpoints.join(", "));
    let settings = Settings { root_key: root.clone(), ..settings.clone() };
    let writer = writer::Writer::new(Access::new(settings.clone())?);
    Ok(Shared::follow(&name, &root, Redis::new(settings)?, writer))
}

/// An error in the words of people.
fn lost(error: RedisError) -> StoreError {
    StoreError::lost(error)
}
