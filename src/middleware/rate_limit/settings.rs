//! The settings of rateLimit.

use std::time::Duration as Span;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo, TlsCertificates};
use serde::{Deserialize, Serialize};
use trafficcop_config::{Duration, Secret};

use crate::BuildError;
use crate::client_tls::ClientTls;
use crate::source::SourceCriterion;

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RateLimit {
    /// Requests per period; 0 limits nothing.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) average: i64,
    /// The time in which `average` requests may pass.
    pub(super) period: Duration,
    /// Requests that may come at once; at least 1.
    pub(super) burst: i64,
    /// An extension: how requests are counted.
    #[serde(skip_serializing_if = "Counting::is_default")]
    pub(super) algorithm: Counting,
    /// What counts as one source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_criterion: Option<SourceCriterion>,
    /// Counts shared through Redis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redis: Option<Redis>,
}

impl Default for RateLimit {
    fn default() -> Self {
        let (period, algorithm) = (Duration::from_secs(1), Counting::default());
        Self { average: 0, period, burst: 1, algorithm, source_criterion: None, redis: None }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Counting {
    #[default]
    TokenBucket,
    FixedWindow,
    SlidingWindow,
}

impl Counting {
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
fn is_zero(value: &i64) -> bool {
    *value == 0
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Redis {
    /// `host:port`; several are nodes of a cluster.
    endpoints: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<ClientTls>,
    #[serde(skip_serializing_if = "String::is_empty")]
    username: String,
    #[serde(skip_serializing_if = "Secret::is_empty")]
    password: Secret,
    #[serde(skip_serializing_if = "is_zero")]
    db: i64,
    /// Without effect, as the next two: a worker has one connection, which carries all of its questions at once.
    #[serde(skip_serializing_if = "is_zero")]
    pool_size: i64,
    #[serde(skip_serializing_if = "is_zero")]
    min_idle_conns: i64,
    #[serde(skip_serializing_if = "is_zero")]
    max_active_conns: i64,
    read_timeout: Duration,
    write_timeout: Duration,
    dial_timeout: Duration,
    /// An extension: whether requests are refused while Redis gives no answer.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub(super) deny_on_error: bool,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            endpoints: vec!["127.0.0.1:6379".into()],
            tls: None,
            username: String::new(),
            password: Secret::default(),
            db: 0,
            pool_size: 0,
            min_idle_conns: 0,
            max_active_conns: 0,
            read_timeout: Duration::from_secs(3),
            write_timeout: Duration::from_secs(3),
            dial_timeout: Duration::from_secs(5),
            deny_on_error: true,
        }
    }
}

impl Redis {
    /// Where Redis is, and as whom we come.
    pub(super) fn nodes(&self) -> Result<Vec<ConnectionInfo>, BuildError> {
        if self.endpoints.is_empty() {
            return Err(BuildError::invalid("redis.endpoints names no server"));
        }
        self.endpoints.iter().map(|endpoint| self.node(endpoint)).collect()
    }

    fn node(&self, endpoint: &str) -> Result<ConnectionInfo, BuildError> {
        let bad = || BuildError::invalid(format!("redis.endpoints: {endpoint} is not host:port"));
        let (host, port) = endpoint.rsplit_once(':').ok_or_else(bad)?;
        let port = port.parse().map_err(|_| bad())?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let address = match &self.tls {
            None => ConnectionAddr::Tcp(host, port),
            Some(tls) => ConnectionAddr::TcpTls { host, port, insecure: tls.is_insecure(), tls_params: None },
        };
        let mut who = RedisConnectionInfo::default().set_db(self.db).set_skip_set_lib_name();
        if !self.username.is_empty() {
            who = who.set_username(&self.username);
        }
        if !self.password.is_empty() {
            who = who.set_password(self.password.reveal());
        }
        let problem = |error| BuildError::invalid(format!("redis: {error}"));
        Ok(address.into_connection_info().map_err(problem)?.set_redis_settings(who))
    }

    /// None: plain TCP.
    pub(super) fn certificates(&self) -> Result<Option<TlsCertificates>, BuildError> {
        let Some(tls) = &self.tls else { return Ok(None) };
        Ok(Some(TlsCertificates { client_tls: tls.identity()?, root_cert: tls.authorities()? }))
    }

    pub(super) fn dial(&self) -> Span {
        self.dial_timeout.positive().unwrap_or(Span::from_secs(5))
    }

    /// For one question: to be written and to be answered.
    pub(super) fn answer(&self) -> Span {
        let or_default = |duration: Duration| duration.positive().unwrap_or(Span::from_secs(3));
        or_default(self.read_timeout).min(or_default(self.write_timeout))
    }
}
