//! The ECS provider: tasks of Amazon's container service, whose containers describe themselves by Docker labels.
//!
//! ECS tells nobody of changes, so everything is listed every `refreshSeconds`. What must hold: losing ECS changes nothing of
//! what was published. Tested against a server of ours that answers as Amazon's documentation says; no real ECS runs in
//! the tests.

mod aws;
mod credentials;
mod instance;
mod listing;
mod place;
mod xml;

use std::time::{Duration, Instant};

use trafficcop_config::settings::discovery::Ecs as Settings;
use trafficcop_provider::backoff::Backoff;
use trafficcop_provider::constraints::{Constraints, Subject};
use trafficcop_provider::default_rule::DefaultRule;
use trafficcop_provider::{Provider, ProviderError, Publisher};
use trafficcop_remote::RemoteError;

use aws::Aws;
use instance::{Instance, Rules};
use listing::Lister;

/// Before ECS is asked again after a failure, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// One listing may take so long.
const PATIENCE: Duration = Duration::from_mins(2);

/// See the crate.
pub struct Ecs {
    settings: Settings,
    rules: Rules,
    refresh: Duration,
}

impl Provider for Ecs {
    const NAME: &'static str = "ecs";
    type Settings = Settings;

    /// Fails on settings that can never work.
    fn new(settings: Settings) -> Result<Self, ProviderError> {
        let default_rule = DefaultRule::parse(&settings.default_rule)
            .map_err(|error| ProviderError(format!("providers.ecs.defaultRule: {error}")))?;
        if let Some(flaw) = default_rule.flaw() {
            tracing::error!("providers.ecs.defaultRule fails for every router without a rule: {flaw}");
        }
        let constraints = Constraints::parse(&settings.constraints, Subject::Labels)
            .map_err(|error| ProviderError(error.of_option("providers.ecs.constraints").to_string()))?;
        let refresh = u64::try_from(settings.refresh_seconds).ok().filter(|seconds| *seconds > 0);
        let refresh = refresh.ok_or_else(|| ProviderError("providers.ecs.refreshSeconds must be above 0".into()))?;
        let rules = Rules { exposed_by_default: settings.exposed_by_default, constraints, default_rule };
        Ok(Self { settings, rules, refresh: Duration::from_secs(refresh) })
    }

    async fn run(&mut self, out: &Publisher) -> Result<(), ProviderError> {
        let mut lister = Lister::new(Aws::new(&self.settings)?, &self.settings);
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        let (mut told, mut known) = (None, None);
        loop {
            let began = Instant::now();
            let listed = tokio::time::timeout(PATIENCE, lister.list()).await;
            match listed.unwrap_or_else(|_| Err(RemoteError::Failed(format!("no answer within {PATIENCE:?}")))) {
                Ok(instances) => {
                    backoff.reset();
                    if told.take().is_some() {
                        tracing::info!(provider = out.provider(), "ECS answers again.");
                    }
                    if known.as_ref() == Some(&instances) {
                        out.state().reached();
                    } else {
                        self.publish(&instances, out).await;
                        known = Some(instances);
                    }
                    tokio::time::sleep(self.refresh.saturating_sub(began.elapsed())).await;
                }
                Err(error) => {
                    out.state().lost(&error);
                    let pause = backoff.next(rand::random());
                    if told.as_ref() != Some(&error) {
                        tracing::error!(
                            provider = out.provider(), %error, retry_in = ?pause,
                            "ECS cannot be listed; what was published stays in force."
                        );
                    }
                    told = Some(error);
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

impl Ecs {
    async fn publish(&self, instances: &[Instance], out: &Publisher) {
        let check = |path: &str, middleware: &_| out.check(path, middleware);
        let (configuration, problems) = self.rules.configuration(instances, &check);
        out.publish_part(configuration, problems).await;
    }
}
