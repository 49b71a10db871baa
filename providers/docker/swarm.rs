//! The Swarm provider: services of a swarm that describe themselves by labels; their tasks become servers.
//!
//! A manager tells of services that change, but of tasks only where they run on its own node. So everything is listed at
//! each event, again and again while tasks are on their way, and every `refreshSeconds` in any case. What must hold:
//! losing the engine changes nothing of what was published.

mod listing;
mod member;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use bollard::errors::Error;
use bollard::models::{EventMessage, EventMessageTypeEnum};
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout_at};
use trafficcop_config::settings::discovery::{Docker as DockerSettings, Swarm as Settings};
use trafficcop_provider::backoff::Backoff;
use trafficcop_provider::constraints::{Constraints, Subject};
use trafficcop_provider::default_rule::DefaultRule;
use trafficcop_provider::{Provider, ProviderError, Publisher};

use crate::engine::{Access, Engine};
use crate::{FIRST_PAUSE, LONGEST_PAUSE, STEADY};
use listing::Listing;
use member::Rules;

/// A storm of events is one listing.
const GATHER: Duration = Duration::from_millis(20);
/// How often everything is listed while tasks are on their way, and for how long at most after an event.
const SETTLING: Duration = Duration::from_millis(250);
const LONGEST_SETTLING: Duration = Duration::from_mins(2);
/// The least time between two listings that nobody asked for.
const LEAST_REFRESH: Duration = Duration::from_millis(100);

/// See the module.
pub struct Swarm {
    access: Access,
    watch: bool,
    refresh: Duration,
    rules: Rules,
    /// What was listed last, so that the same again is not looked at.
    known: Option<Listing>,
}

impl Provider for Swarm {
    const NAME: &'static str = "swarm";
    type Settings = Settings;

    /// Fails on settings that can never work: an endpoint, a template or an expression that cannot be read.
    fn new(settings: Settings) -> Result<Self, ProviderError> {
        let default_rule = DefaultRule::parse(&settings.default_rule)
            .map_err(|error| ProviderError(format!("providers.swarm.defaultRule: {error}")))?;
        if let Some(flaw) = default_rule.flaw() {
            tracing::error!("providers.swarm.defaultRule fails for every router without a rule: {flaw}");
        }
        let constraints = Constraints::parse(&settings.constraints, Subject::Labels)
            .map_err(|error| ProviderError(error.of_option("providers.swarm.constraints").to_string()))?;
        let refresh = settings.refresh_seconds.positive();
        let refresh = refresh.ok_or_else(|| ProviderError("providers.swarm.refreshSeconds must be above 0".into()))?;
        let version = std::env::var("DOCKER_API_VERSION").ok();
        let version = version.map(|version| version.trim().trim_start_matches('v').to_owned());
        Ok(Self {
            watch: settings.watch,
            refresh: refresh.max(LEAST_REFRESH),
            rules: Rules {
                exposed_by_default: settings.exposed_by_default,
                allow_empty_services: settings.allow_empty_services,
                constraints,
                default_rule,
                network: settings.network.clone(),
            },
            access: Access::new("swarm", &reaching(settings), version.filter(|version| !version.is_empty()))?,
            known: None,
        })
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let began = Instant::now();
            let Err(error) = self.converse(out).await else { return Ok(()) };
            if began.elapsed() >= STEADY {
                backoff.reset();
            }
            let pause = backoff.next(rand::random());
            out.state().lost(&error);
            tracing::error!(
                provider = out.provider(), %error, retry_in = ?pause,
                "The swarm is not reached; what was published stays in force."
            );
            sleep(pause).await;
        }
    }
}

/// What is to know of the engine is the same as for containers.
fn reaching(settings: Settings) -> DockerSettings {
    DockerSettings {
        endpoint: settings.endpoint,
        tls: settings.tls,
        username: settings.username,
        password: settings.password,
        http_client_timeout: settings.http_client_timeout,
        ..DockerSettings::default()
    }
}

impl Swarm {
    /// Lists, and lists again whenever there may be news, until the engine is lost.
    async fn converse(&mut self, out: &Publisher) -> Result<(), Error> {
        let engine = Engine::connect(&self.access).await?;
        if !self.watch {
            self.look(&engine, out).await?;
            return Ok(());
        }
        // Before the list, so that nothing changes unseen between the two.
        let mut news = match engine.events(&["service", "container", "network"], concerns).await {
            Ok(news) => Some(news),
            Err(error) => {
                tracing::warn!(provider = out.provider(), %error, refresh = ?self.refresh, "The engine tells no events: it is only asked again and again.");
                None
            }
        };
        let mut told = Instant::now();
        loop {
            let is_settled = self.look(&engine, out).await?;
            let is_patient = is_settled || told.elapsed() > LONGEST_SETTLING;
            let next = Instant::now() + if is_patient { self.refresh } else { SETTLING.min(self.refresh) };
            if heard(&mut news, next).await? {
                told = Instant::now();
                sleep(GATHER).await;
                while news.as_mut().is_some_and(|news| news.try_recv().is_ok()) {}
            }
        }
    }

    /// Lists and publishes; says whether every task that should run does.
    async fn look(&mut self, engine: &Engine, out: &Publisher) -> Result<bool, Error> {
        let listing = Listing::read(engine).await?;
        let is_settled = listing.is_settled();
        if self.known.as_ref() == Some(&listing) {
            out.state().reached();
            return Ok(is_settled);
        }
        let check = |path: &str, middleware: &_| out.check(path, middleware);
        let said = member::configuration(&listing, &self.rules, &check);
        out.state().pass_over(said.passed);
        out.publish_part(said.configuration, said.problems).await;
        self.known = Some(listing);
        Ok(is_settled)
    }
}

/// Waits for an event, or until then.
async fn heard(news: &mut Option<Receiver<()>>, until: Instant) -> Result<bool, Error> {
    let Some(receiver) = news else {
        tokio::time::sleep_until(until.into()).await;
        return Ok(false);
    };
    match timeout_at(until.into(), receiver.recv()).await {
        Ok(Some(())) => Ok(true),
        Ok(None) => Err(std::io::Error::other("the engine ended its events").into()),
        Err(_) => Ok(false),
    }
}

/// Of containers, only those of services; what health checks run inside is no news.
fn concerns(event: EventMessage) -> Option<()> {
    let action = event.action?;
    match event.typ? {
        EventMessageTypeEnum::CONTAINER => {
            let attributes = event.actor.and_then(|actor| actor.attributes).unwrap_or_default();
            let is_task = attributes.contains_key("com.docker.swarm.service.id");
            (is_task && !action.starts_with("exec_")).then_some(())
        }
        EventMessageTypeEnum::NETWORK => matches!(action.as_str(), "create" | "remove" | "update").then_some(()),
        _ => Some(()),
    }
}
