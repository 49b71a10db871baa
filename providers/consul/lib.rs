//! The Consul provider: keys of Consul's store, one tree for each namespace.
//!
//! Consul has no way to say which key of a tree changed, so each change means one reading of the tree, at most every
//! 20 ms; whoever waits for news waits at the server.

mod writer;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use trafficcop_config::settings::stores::Consul as ConsulSettings;
use trafficcop_kv::{Change, Pairs, Shared, Store, StoreError, prefix, root, watch};
use trafficcop_provider::{Provider, ProviderError, Publisher};
use trafficcop_remote::RemoteError;
use trafficcop_remote::consul::{Access, Answer, Server};

/// What the provider is told.
#[derive(Clone, Debug)]
pub struct Settings {
    pub consul: ConsulSettings,
    /// Where its keys lie; none: where the token's are.
    pub namespace: Option<String>,
}

/// See the crate.
pub struct Consul {
    root: String,
    path: String,
    server: Server,
    index: u64,
}

/// A key as Consul shows it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    key: String,
    value: Option<String>,
    modify_index: u64,
}

impl Provider for Consul {
    const NAME: &'static str = "consul";
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, ProviderError> {
        let consul = &settings.consul;
        let access = Access {
            addresses: consul.endpoints.clone(),
            tls: consul.tls.as_ref(),
            token: Some(("X-Consul-Token", consul.token.reveal())),
            always: settings.namespace.iter().map(|namespace| ("ns", namespace.clone())).collect(),
            ..Access::default()
        };
        let root = root(&consul.root_key).to_owned();
        let path = format!("/v1/kv/{}", prefix(&root));
        Ok(Self { root, path, server: Server::new(access, "providers.consul")?, index: 0 })
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        let root = self.root.clone();
        match watch(self, &root, out).await {}
    }
}

impl Store for Consul {
    const NAME: &'static str = "consul";

    async fn open(&mut self) -> Result<Pairs, StoreError> {
        self.ask(None).await
    }

    async fn next(&mut self) -> Result<Change, StoreError> {
        loop {
            let waited = self.index;
            let pairs = self.ask(Some(waited)).await?;
            if self.index != waited {
                return Ok(Change::Whole(pairs));
            }
        }
    }
}

impl Consul {
    async fn ask(&mut self, index: Option<u64>) -> Result<Pairs, StoreError> {
        let answer: Result<Answer<Vec<Shown>>, _> = self.server.ask(&self.path, &[("recurse", "true")], index).await;
        let answer = answer.map_err(|error| match error {
            RemoteError::TooLarge(_) => StoreError::TooLarge,
            RemoteError::Failed(why) => StoreError::Lost(why),
        })?;
        let pairs = pairs(answer.value.unwrap_or_default())?;
        self.index = answer.index;
        Ok(pairs)
    }
}

fn pairs(shown: Vec<Shown>) -> Result<Pairs, StoreError> {
    let mut pairs = Pairs::default();
    for shown in shown {
        let key = shown.key.clone();
        pairs.put(key, value(shown)?)?;
    }
    Ok(pairs)
}

fn value(shown: Shown) -> Result<Vec<u8>, StoreError> {
    let value = STANDARD.decode(shown.value.unwrap_or_default());
    value.map_err(|error| StoreError::Lost(format!("the value of {} is no base64: {error}", shown.key)))
}

/// What instances share in this Consul. Begins to follow on the current runtime.
pub fn shared(consul: &ConsulSettings) -> Result<Shared, ProviderError> {
    let root = format!("{}-acme", root(&consul.root_key));
    let name = format!("Consul at {}", consul.endpoints.join(", "));
    let namespace = consul.namespaces.first().cloned();
    let settings = || Settings {
        consul: ConsulSettings { root_key: root.clone(), ..consul.clone() },
        namespace: namespace.clone(),
    };
    let writer = writer::Writer(Consul::new(settings())?.server);
    Ok(Shared::follow(&name, &root, Consul::new(settings())?, writer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_base64() {
        let shown =
            |value: Option<&str>| Shown { key: "traefik/a".into(), value: value.map(str::to_owned), modify_index: 1 };
        let mut expected = Pairs::default();
        expected.put("traefik/a".into(), b"x".to_vec()).expect("it is small");
        assert_eq!(pairs(vec![shown(Some("eA=="))]), Ok(expected));
        assert!(pairs(vec![shown(None)]).is_ok_and(|pairs| pairs.len() == 1), "a folder");
        assert!(pairs(vec![shown(Some("?"))]).is_err());
    }
}
