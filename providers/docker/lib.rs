//! The Docker provider: containers that describe themselves by labels; and, of the same engine, the Swarm provider.
//!
//! Asks an engine for nothing but what a read-only socket proxy allows: `/_ping`, `/version`, `/containers/json`,
//! `/containers/{id}/json`, `/events`; for a swarm `/services`, `/tasks`, `/networks`. What must hold: losing the engine changes nothing of what was published, a
//! container that is told to end leaves the rotation at that event, and a lone change is published at once.

mod address;
mod change;
pub mod compose;
mod container;
mod engine;
mod inventory;
mod selection;
mod session;
mod swarm;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use bollard::errors::Error;
use trafficcop_config::settings::discovery::Docker as Settings;
use trafficcop_provider::backoff::Backoff;
use trafficcop_provider::constraints::{Constraints, Subject};
use trafficcop_provider::default_rule::DefaultRule;
use trafficcop_provider::{Provider, ProviderError, Publisher};

use engine::{Access, Engine};
use inventory::{Inventory, Rules};
use selection::Selection;
use session::Session;
pub use swarm::Swarm;

/// Before the engine is tried again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// An engine that was followed so long is not one that fails again and again.
const STEADY: Duration = Duration::from_secs(5);
/// How long the first configuration waits for containers that the engine is slow to inspect.
const SLOW_INSPECTIONS: Duration = Duration::from_secs(2);

/// See the crate.
pub struct Docker {
    access: Access,
    watch: bool,
    inventory: Inventory,
}

impl Provider for Docker {
    const NAME: &'static str = "docker";
    type Settings = Settings;

    /// Fails on settings that can never work: an endpoint, a template or an expression that cannot be read.
    fn new(settings: Settings) -> Result<Self, ProviderError> {
        Self::with_version(&settings, std::env::var("DOCKER_API_VERSION").ok())
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let end = self.converse(out, &mut backoff).await;
            let pause = backoff.next(rand::random());
            match end {
                Ok(()) if !self.watch => return Ok(()),
                // Proxies end what is silent for long; only what fails again is worth an error.
                Ok(()) => {
                    tracing::warn!(provider = out.provider(), retry_in = ?pause, "The Docker engine ended its events; they are asked for again.");
                }
                Err(error) => {
                    out.state().lost(&error);
                    tracing::error!(
                        provider = out.provider(), %error, retry_in = ?pause,
                        "The Docker engine is not reached; what was published stays in force."
                    );
                }
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// What the settings say of everything that is not reaching the engine. Fails on what can never work.
fn rules(settings: &Settings) -> Result<Rules, ProviderError> {
    let default_rule = DefaultRule::parse(&settings.default_rule)
        .map_err(|error| ProviderError(format!("providers.docker.defaultRule: {error}")))?;
    if let Some(flaw) = default_rule.flaw() {
        tracing::error!(
            provider = Docker::NAME,
            "providers.docker.defaultRule fails for every router without a rule: {flaw}"
        );
    }
    let constraints = Constraints::parse(&settings.constraints, Subject::Labels)
        .map_err(|error| ProviderError(error.of_option("providers.docker.constraints").to_string()))?;
    Ok(Rules {
        selection: Selection {
            exposed_by_default: settings.exposed_by_default,
            allow_empty_services: settings.allow_empty_services,
            constraints,
        },
        default_rule,
        network: settings.network.clone(),
        use_bind_port_ip: settings.use_bind_port_ip,
    })
}

impl Docker {
    fn with_version(settings: &Settings, version: Option<String>) -> Result<Self, ProviderError> {
        let version = version.map(|version| version.trim().trim_start_matches('v').to_owned());
        let rules = rules(settings)?;
        Ok(Self {
            access: Access::new(Self::NAME, settings, version.filter(|version| !version.is_empty()))?,
            watch: settings.watch,
            inventory: Inventory::new(rules),
        })
    }

    /// Connects, lists, and follows changes for as long as the engine tells them.
    async fn converse(&mut self, out: &Publisher, backoff: &mut Backoff) -> Result<(), Error> {
        let engine = Engine::connect(&self.access).await?;
        if !self.watch {
            return Session::new(engine, &mut self.inventory, out).list(None).await;
        }
        // Events first: nothing can change unseen between the list and them. Where they are refused, what can be listed
        // is published nevertheless, again with every attempt.
        let changes = engine.changes().await;
        let mut session = Session::new(engine, &mut self.inventory, out);
        session.list(Some(SLOW_INSPECTIONS)).await?;
        let changes = changes?;
        let began = Instant::now();
        let ended = session.follow(changes).await;
        if began.elapsed() >= STEADY {
            backoff.reset();
        }
        ended
    }
}
