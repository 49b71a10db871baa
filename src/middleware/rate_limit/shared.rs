//! [`Shared`]: counts kept in Redis, for several instances together.
//!
//! One script does all of a decision in Redis, by Redis' own clock. Hashes are those of Traefik: `rate:<middleware>:<source>`
//! with `last` (microseconds) and `tokens`, so instances of both may share them. Each worker has a connection of its own,
//! made when it is first needed and again after it was lost; what cannot be asked in time is an error, never a wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::ThreadId;
use std::time::Duration as Span;

use parking_lot::Mutex;
use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{Client, RedisResult, Script};
use tokio::sync::OnceCell;

use super::algorithm::{Algorithm, Verdict};
use super::settings::Redis;
use crate::BuildError;

/// `{wait in seconds}`; what is refused is not counted.
const SCRIPT: &str = r"
local key, kind, a, b, c = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
if kind == 'bucket' then
  local rate, burst, max_delay = a, b, c
  local kept = redis.call('HMGET', key, 'last', 'tokens')
  local last = math.min(tonumber(kept[1]) or now, now)
  local tokens = math.min((tonumber(kept[2]) or burst) + (now - last) / 1000000 * rate, burst) - 1
  local wait = math.max(-tokens / rate, 0)
  if wait > max_delay then tokens = tokens + 1 end
  redis.call('HSET', key, 'last', string.format('%.0f', now), 'tokens', string.format('%.17g', tokens))
  redis.call('EXPIRE', key, math.ceil(burst / rate) + 1)
  return string.format('%.6f', wait)
end
local limit, period, slides = a, b * 1000000, c == 1
local start = math.floor(now / period) * period
local kept = redis.call('HMGET', key, 'window', 'count', 'before')
local window, count, before = tonumber(kept[1]) or start, tonumber(kept[2]) or 0, tonumber(kept[3]) or 0
if window < start then
  before = (slides and start - window < period * 1.5) and count or 0
  count = 0
end
local in_view = slides and before * (1 - (now - start) / period) or 0
local excess, wait = in_view + count + 1 - limit, 0
if excess > 0 then
  local left = start + period - now
  wait = math.max(math.min((slides and before > 0) and excess / before * period or left, left), 1000)
else
  count = count + 1
end
redis.call('HSET', key, 'window', string.format('%.0f', start), 'count', count, 'before', before)
redis.call('EXPIRE', key, math.ceil(2 * b) + 1)
return string.format('%.6f', wait / 1000000)
";

/// See the module.
pub(super) struct Shared {
    algorithm: Algorithm,
    /// `rate:<middleware>:`
    prefix: Box<str>,
    script: Script,
    way: Way,
    limits: ConnectionManagerConfig,
    /// For one decision, connecting included.
    deadline: Span,
    links: Mutex<HashMap<ThreadId, Arc<OnceCell<Link>>>>,
}

/// How Redis is reached.
enum Way {
    One(Box<Client>),
    Cluster(Box<ClusterClient>),
}

/// A connection of one worker.
#[derive(Clone)]
enum Link {
    One(ConnectionManager),
    Cluster(ClusterConnection),
}

/// Why there is no decision.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreachable {
    #[error(transparent)]
    Redis(#[from] redis::RedisError),
    #[error("no answer in time")]
    Late,
    #[error("the script's answer is no number: {0}")]
    Nonsense(String),
}

impl Shared {
    pub(super) fn new(algorithm: Algorithm, middleware: &str, settings: &Redis) -> Result<Self, BuildError> {
        let nodes = settings.nodes()?;
        let problem = |error: redis::RedisError| BuildError::invalid(format!("redis: {error}"));
        let (dial, answer) = (settings.dial(), settings.answer());
        let way = match (nodes.as_slice(), settings.certificates()?) {
            ([node], Some(certificates)) => {
                Way::One(Box::new(Client::build_with_tls(node.clone(), certificates).map_err(problem)?))
            }
            ([node], None) => Way::One(Box::new(Client::open(node.clone()).map_err(problem)?)),
            (nodes, certificates) => {
                let mut builder = ClusterClient::builder(nodes.to_vec()).connection_timeout(dial).retries(0);
                if let Some(certificates) = certificates {
                    builder = builder.certs(certificates);
                }
                Way::Cluster(Box::new(builder.response_timeout(answer).build().map_err(problem)?))
            }
        };
        let limits = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(dial))
            .set_response_timeout(Some(answer));
        Ok(Self {
            algorithm,
            prefix: format!("rate:{middleware}:").into(),
            script: Script::new(SCRIPT),
            way,
            limits,
            deadline: dial + answer,
            links: Mutex::default(),
        })
    }

    /// Counts a request of that source, unless it is refused.
    pub(super) async fn take(&self, source: &str) -> Result<Verdict, Unreachable> {
        tokio::time::timeout(self.deadline, self.ask(source)).await.unwrap_or(Err(Unreachable::Late))
    }

    async fn ask(&self, source: &str) -> Result<Verdict, Unreachable> {
        let cell = Arc::clone(self.links.lock().entry(std::thread::current().id()).or_default());
        let link = cell.get_or_try_init(|| self.connect()).await?.clone();
        let answered = match link {
            Link::One(mut connection) => self.run(source, &mut connection).await,
            Link::Cluster(mut connection) => self.run(source, &mut connection).await,
        }?;
        let wait: f64 = answered.parse().map_err(|_| Unreachable::Nonsense(answered))?;
        let max_delay = if let Algorithm::TokenBucket { max_delay, .. } = self.algorithm { max_delay } else { 0.0 };
        Ok(Verdict::of(wait, max_delay))
    }

    async fn connect(&self) -> RedisResult<Link> {
        Ok(match &self.way {
            Way::One(client) => Link::One(client.get_connection_manager_lazy(self.limits.clone())?),
            Way::Cluster(client) => Link::Cluster(client.get_async_connection().await?),
        })
    }

    async fn run(&self, source: &str, connection: &mut impl ConnectionLike) -> RedisResult<String> {
        let mut call = self.script.key(format!("{}{source}", self.prefix));
        match self.algorithm {
            Algorithm::TokenBucket { rate, burst, max_delay } => {
                call.arg("bucket").arg(rate).arg(burst).arg(max_delay);
            }
            Algorithm::FixedWindow { limit, period } => {
                call.arg("window").arg(limit).arg(period).arg(0);
            }
            Algorithm::SlidingWindow { limit, period } => {
                call.arg("window").arg(limit).arg(period).arg(1);
            }
        }
        call.invoke_async(connection).await
    }
}
