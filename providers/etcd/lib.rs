//! The etcd provider: keys of etcd, watched from the revision after the one they were read at.
//!
//! What must hold: everything read belongs to one revision, however many pages it takes; a compaction that overtakes the
//! reading or the watching means reading again, and nothing worse.

mod writer;

use std::time::Duration;

use etcd_client::{
    Certificate, Client, ConnectOptions, EventType, GetOptions, Identity, KeyValue, ResponseHeader, TlsOptions,
    WatchOptions, WatchStream,
};
use trafficcop_config::settings::stores::Etcd as Settings;
use trafficcop_kv::{Change, Pairs, Shared, Store, StoreError, prefix, root, watch};
use trafficcop_provider::{Provider, ProviderError, Publisher};
use trafficcop_remote::pem;

/// Keys that are read at once.
const PAGE: i64 = 2000;
/// How long a connection may take to come about, and a question to be answered.
const CONNECT: Duration = Duration::from_secs(2);
/// A silent connection is asked so often whether it lives, and must answer within so long.
const ASK: Duration = Duration::from_secs(2);
const ALIVE: Duration = Duration::from_secs(3);

/// See the crate.
pub struct Etcd {
    root: String,
    endpoints: Vec<String>,
    options: ConnectOptions,
    /// The client must not go while the stream is followed.
    open: Option<(Client, WatchStream)>,
}

impl Provider for Etcd {
    const NAME: &'static str = "etcd";
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, ProviderError> {
        if settings.endpoints.is_empty() {
            return Err(ProviderError("providers.etcd.endpoints is empty".into()));
        }
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let address = |text: &String| if text.contains("://") { text.clone() } else { format!("{scheme}://{text}") };
        Ok(Self {
            root: root(&settings.root_key).to_owned(),
            endpoints: settings.endpoints.iter().map(address).collect(),
            options: options(&settings)?,
            open: None,
        })
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        let root = self.root.clone();
        match Box::pin(watch(self, &root, out)).await {}
    }
}

impl Store for Etcd {
    const NAME: &'static str = "etcd";

    async fn open(&mut self) -> Result<Pairs, StoreError> {
        self.open = None;
        let mut client = within(CONNECT * 2, Client::connect(&self.endpoints, Some(self.options.clone()))).await?;
        let prefix = prefix(&self.root);
        let mut pairs = Pairs::default();
        let mut revision = 0;
        let mut from = prefix.clone().into_bytes();
        let end = end_of(&prefix);
        loop {
            let options = GetOptions::new().with_range(end.clone()).with_limit(PAGE).with_revision(revision);
            let mut answer = within(CONNECT * 5, client.get(from.clone(), Some(options))).await?;
            if revision == 0 {
                revision = answer.header().map_or(0, ResponseHeader::revision);
            }
            let more = answer.more();
            for pair in answer.take_kvs() {
                let (key, value) = pair.into_key_value();
                from.clone_from(&key);
                put(&mut pairs, key, value)?;
            }
            if !more {
                break;
            }
            // The next key there can be.
            from.push(0);
        }
        let options = WatchOptions::new().with_range(end).with_start_revision(revision + 1);
        let key = if prefix.is_empty() { vec![0] } else { prefix.into_bytes() };
        let stream = within(CONNECT * 2, client.watch(key, Some(options))).await?;
        self.open = Some((client, stream));
        Ok(pairs)
    }

    async fn next(&mut self) -> Result<Change, StoreError> {
        let Some((_, stream)) = &mut self.open else { return Err(StoreError::lost("it is not open")) };
        loop {
            let message = stream.message().await.map_err(StoreError::lost)?;
            let message = message.ok_or_else(|| StoreError::lost("the watch was ended"))?;
            if message.canceled() {
                let why = message.cancel_reason();
                let compacted = message.compact_revision();
                return Err(StoreError::Lost(format!("the watch was ended: {why} (compacted at {compacted})")));
            }
            let keys: Vec<_> =
                message.events().iter().filter_map(|event| changed(event.event_type(), event.kv()?)).collect();
            if !keys.is_empty() {
                return Ok(Change::Keys(keys));
            }
        }
    }
}

/// What instances share in this etcd. Begins to follow on the current runtime.
pub fn shared(settings: &Settings) -> Result<Shared, ProviderError> {
    let root = format!("{}-acme", root(&settings.root_key));
    let name = format!("etcd at {}", settings.endpoints.join(", "));
    let store = Etcd::new(Settings { root_key: root.clone(), ..settings.clone() })?;
    let (endpoints, options) = (store.endpoints.clone(), store.options.clone());
    let writer = writer::Writer { endpoints, options, client: tokio::sync::Mutex::default() };
    Ok(Shared::follow(&name, &root, store, writer))
}

async fn within<T>(
    limit: Duration,
    question: impl Future<Output = Result<T, etcd_client::Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, question).await {
        Ok(answer) => answer.map_err(StoreError::lost),
        Err(_) => Err(StoreError::Lost(format!("no answer within {limit:?}"))),
    }
}

/// Keys that are no text cannot be ours.
fn put(pairs: &mut Pairs, key: Vec<u8>, value: Vec<u8>) -> Result<(), StoreError> {
    match String::from_utf8(key) {
        Ok(key) => pairs.put(key, value),
        Err(_) => Ok(()),
    }
}

fn changed(kind: EventType, pair: &KeyValue) -> Option<(String, Option<Vec<u8>>)> {
    let key = pair.key_str().ok()?.to_owned();
    Some((key, (kind == EventType::Put).then(|| pair.value().to_vec())))
}

/// The first key after all that begin with `prefix`.
fn end_of(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    match end.last_mut() {
        // A slash or a letter: never the last byte there is.
        Some(last) => *last += 1,
        // All keys.
        None => end.push(0),
    }
    end
}

fn options(settings: &Settings) -> Result<ConnectOptions, ProviderError> {
    let mut options = ConnectOptions::new()
        .with_connect_timeout(CONNECT)
        .with_keep_alive(ASK, ALIVE)
        .with_keep_alive_while_idle(true)
        .with_tcp_keepalive(ASK);
    if !settings.username.is_empty() {
        options = options.with_user(settings.username.clone(), settings.password.reveal());
    }
    let Some(given) = &settings.tls else { return Ok(options) };
    // Whatever can be wrong with it is said in the words of the one TLS stack.
    trafficcop_remote::tls(given, "providers.etcd.tls")?;
    if given.insecure_skip_verify {
        let why = "insecureSkipVerify cannot be had with etcd; name the authority of its certificate as ca";
        return Err(ProviderError(format!("providers.etcd.tls.{why}")));
    }
    let read = |text: &str| pem(text).map_err(|error| ProviderError(format!("providers.etcd.tls: {error}")));
    let mut tls = TlsOptions::new();
    tls = if given.ca.is_empty() {
        tls.with_native_roots()
    } else {
        tls.ca_certificate(Certificate::from_pem(read(&given.ca)?))
    };
    if !given.cert.is_empty() {
        tls = tls.identity(Identity::from_pem(read(&given.cert)?, read(given.key.reveal())?));
    }
    Ok(options.with_tls(tls))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix() {
        assert_eq!(end_of("traefik/"), b"traefik0");
        assert_eq!(end_of(""), [0]);
    }

    #[test]
    fn settings_that_can_never_work() {
        let error = |settings| Etcd::new(settings).map(drop).unwrap_err().to_string();
        let none = Settings { endpoints: Vec::new(), ..Settings::default() };
        assert_eq!(error(none), "providers.etcd.endpoints is empty");
        let tls = trafficcop_config::settings::ClientTls { insecure_skip_verify: true, ..Default::default() };
        let blind = Settings { tls: Some(tls), ..Settings::default() };
        assert!(error(blind).starts_with("providers.etcd.tls.insecureSkipVerify cannot be had"));
    }
}
