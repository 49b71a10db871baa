//! How a server is reached: user, password, TLS, deadlines.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, ProtocolVersion,
    RedisConnectionInfo, RedisResult, TlsCertificates,
};
use trafficcop_config::settings::ClientTls;
use trafficcop_config::settings::stores::{Redis as Settings, Sentinel};
use trafficcop_provider::ProviderError;
use trafficcop_remote::pem;

use crate::events::FromNode;

/// How long a connection may take to come about, and a question to be answered.
const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(3);

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Address {
    /// One that another server named; without a host it means its own.
    pub(crate) fn of(text: &str, by: &Self) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = if host.is_empty() { &by.host } else { host.trim_start_matches('[').trim_end_matches(']') };
        Some(Self { host: host.to_owned(), port: port.parse().ok()? })
    }
}

/// What the settings say of reaching servers.
pub(crate) struct Access {
    pub(crate) endpoints: Vec<Address>,
    settings: Settings,
    tls: Option<Tls>,
}

struct Tls {
    certificates: TlsCertificates,
    insecure: bool,
}

impl Access {
    pub(crate) fn new(settings: Settings) -> Result<Self, ProviderError> {
        let endpoints: Vec<_> = settings.endpoints.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
        if endpoints.is_empty() {
            return Err(ProviderError("providers.redis.endpoints is empty".into()));
        }
        if let Some(sentinel) = &settings.sentinel {
            check(sentinel)?;
        }
        let tls = settings.tls.as_ref().map(tls).transpose()?;
        Ok(Self { endpoints, settings, tls })
    }

    pub(crate) fn sentinel(&self) -> Option<&Sentinel> {
        self.settings.sentinel.as_ref()
    }

    pub(crate) fn database(&self) -> i64 {
        self.settings.db
    }

    /// A server of keys. Events go to `events`.
    pub(crate) async fn connect(&self, to: &Address, events: FromNode) -> RedisResult<MultiplexedConnection> {
        let (user, password) = (&self.settings.username, self.settings.password.reveal());
        let redis = as_whom(user, password).set_protocol(ProtocolVersion::RESP3).set_db(self.settings.db);
        self.dial(to, redis, limits().set_push_sender(events)).await
    }

    /// A sentinel.
    pub(crate) async fn connect_sentinel(&self, to: &Address) -> RedisResult<MultiplexedConnection> {
        let (user, password) = self.sentinel().map_or(("", ""), |it| (&it.username, it.password.reveal()));
        self.dial(to, as_whom(user, password), limits()).await
    }

    async fn dial(
        &self,
        to: &Address,
        redis: RedisConnectionInfo,
        limits: AsyncConnectionConfig,
    ) -> RedisResult<MultiplexedConnection> {
        let (host, port) = (to.host.clone(), to.port);
        let client = match &self.tls {
            None => Client::open(ConnectionAddr::Tcp(host, port).into_connection_info()?.set_redis_settings(redis))?,
            Some(tls) => {
                let address = ConnectionAddr::TcpTls { host, port, insecure: tls.insecure, tls_params: None };
                let info = address.into_connection_info()?.set_redis_settings(redis);
                Client::build_with_tls(info, tls.certificates.clone())?
            }
        };
        client.get_multiplexed_async_connection_with_config(&limits).await
    }
}

fn limits() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(ANSWER))
}

fn as_whom(user: &str, password: &str) -> RedisConnectionInfo {
    let mut redis = RedisConnectionInfo::default();
    if !user.is_empty() {
        redis = redis.set_username(user);
    }
    if !password.is_empty() {
        redis = redis.set_password(password);
    }
    redis
}

fn address(text: &str) -> Result<Address, ProviderError> {
    let wrong = || ProviderError(format!("providers.redis.endpoints: {text:?} is not host:port"));
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(wrong());
    }
    Ok(Address { host: host.to_owned(), port: port.parse().map_err(|_| wrong())? })
}

fn check(sentinel: &Sentinel) -> Result<(), ProviderError> {
    if sentinel.master_name.is_empty() {
        return Err(ProviderError("providers.redis.sentinel.masterName is missing".into()));
    }
    let strategies = [sentinel.latency_strategy, sentinel.random_strategy, sentinel.replica_strategy];
    if strategies.into_iter().filter(|is_set| *is_set).count() > 1 {
        let names = "latencyStrategy, randomStrategy and replicaStrategy";
        return Err(ProviderError(format!("providers.redis.sentinel: only one of {names} may be set")));
    }
    Ok(())
}

fn tls(settings: &ClientTls) -> Result<Tls, ProviderError> {
    // Whatever can be wrong with it is said in the words of the one TLS stack.
    trafficcop_remote::tls(settings, "providers.redis.tls")?;
    let read = |text: &str| pem(text).map_err(|error| ProviderError(format!("providers.redis.tls: {error}")));
    let root_cert = if settings.ca.is_empty() { None } else { Some(read(&settings.ca)?) };
    let client_tls = if settings.cert.is_empty() {
        None
    } else {
        Some(ClientTlsConfig { client_cert: read(&settings.cert)?, client_key: read(settings.key.reveal())? })
    };
    Ok(Tls { certificates: TlsCertificates { client_tls, root_cert }, insecure: settings.insecure_skip_verify })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(settings: Settings, expected: &str) {
        assert_eq!(Access::new(settings).map(drop).unwrap_err().to_string(), expected);
    }

    #[test]
    fn settings_that_can_never_work() {
        let with = |endpoint: &str| Settings { endpoints: vec![endpoint.to_owned()], ..Settings::default() };
        check_error(with("redis"), "providers.redis.endpoints: \"redis\" is not host:port");
        check_error(with("redis:x"), "providers.redis.endpoints: \"redis:x\" is not host:port");
        check_error(Settings { endpoints: Vec::new(), ..Settings::default() }, "providers.redis.endpoints is empty");
        let sentinel = Sentinel::default();
        let settings = Settings { sentinel: Some(sentinel.clone()), ..Settings::default() };
        check_error(settings, "providers.redis.sentinel.masterName is missing");
        let sentinel =
            Sentinel { master_name: "m".into(), random_strategy: true, replica_strategy: true, ..Sentinel::default() };
        let expected =
            "providers.redis.sentinel: only one of latencyStrategy, randomStrategy and replicaStrategy may be set";
        check_error(Settings { sentinel: Some(sentinel), ..Settings::default() }, expected);
        let access = Access::new(with("[::1]:6379")).expect("it is an address");
        assert_eq!(access.endpoints, [Address { host: "::1".into(), port: 6379 }]);
    }
}
