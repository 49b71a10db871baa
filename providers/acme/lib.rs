//! Certificates from an authority that speaks ACME, for the names that routers with a `certResolver` are known by.
//!
//! The root tells which names are wanted and which have a certificate; this provider orders what is missing, renews what
//! ends, keeps both in `acme.json` or in a store that several instances share, and publishes it. Nothing on the request path waits for it.
//!
//! [`work::Work`] is the loop; [`book::Book`] says what is due, [`resolver::Resolver`] orders it, [`keeper::Keeper`] keeps it.

mod account;
mod answers;
mod book;
mod chain;
mod client;
mod contents;
mod dns;
mod failure;
mod keeper;
mod keys;
mod lock;
mod mirror;
mod named;
mod order;
mod renewal;
mod resolver;
mod shared;
mod stage;
mod storage;
mod watching;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use trafficcop_config::dynamic::{Configuration, tls};
use trafficcop_config::{At, Origin};
pub use trafficcop_kv::Shared;
use trafficcop_provider::{Provider, ProviderError, Publisher};

pub use answers::Answers;
pub use stage::Stage;

/// A certificate that routers ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Demand {
    pub resolver: String,
    /// The first becomes the main one.
    pub names: Vec<String>,
}

/// What the configuration in force asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    pub wanted: Vec<Demand>,
    /// Names, also wildcards, of the certificates in force.
    pub present: Vec<String>,
}

#[derive(Clone)]
pub struct Settings {
    /// By name.
    pub resolvers: BTreeMap<String, trafficcop_config::settings::certificates::Acme>,
    pub demands: watch::Receiver<Arc<Demands>>,
    pub stage: Stage,
    /// What resolvers share with other instances, by their names; or why they cannot.
    pub shared: BTreeMap<String, Result<Shared, String>>,
}

pub struct Acme {
    settings: Settings,
}

impl Provider for Acme {
    const NAME: &'static str = "acme";
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, ProviderError> {
        Ok(Self { settings })
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        work::Work::new(&self.settings).await.run(&mut self.settings.demands, out).await;
        Ok(())
    }
}

/// The certificates as dynamic configuration.
fn configuration(pairs: Vec<(String, String)>) -> Configuration {
    let certificate = |(cert_file, key_file)| {
        let value = tls::Certificate { cert_file, key_file, stores: Vec::new() };
        At { value, at: Origin::Unknown }
    };
    let tls = tls::Tls { certificates: pairs.into_iter().map(certificate).collect(), ..tls::Tls::default() };
    Configuration { tls: Some(tls), ..Configuration::default() }
}
