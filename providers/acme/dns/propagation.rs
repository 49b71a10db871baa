//! When records can be seen: asked of the zone's own servers, as lego does, and of resolvers on demand.

use std::time::Duration;

use tokio::time::Instant;
use trafficcop_config::settings::certificates::DnsChallenge;

use super::Placed;
use super::lookup::{self, Lookup};

/// What a resolver's settings say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Checks {
    delay: Duration,
    /// No checks at all: only the delay.
    none: bool,
    authorities: bool,
    resolvers: bool,
}

impl Checks {
    pub(super) fn new(settings: &DnsChallenge) -> Self {
        let propagation = settings.propagation.clone().unwrap_or_default();
        let delay = propagation.delay_before_checks.positive().or(settings.delay_before_check.positive());
        Self {
            delay: delay.unwrap_or_default(),
            none: propagation.disable_checks || settings.disable_propagation_check,
            authorities: !propagation.disable_ans_checks,
            resolvers: propagation.require_all_rns,
        }
    }

    pub(super) fn delay(&self) -> Duration {
        self.delay
    }
}

/// Waits for all records, at most `patience` after the delay.
pub(super) async fn wait(
    checks: &Checks,
    lookup: &Lookup,
    placed: &[Placed],
    patience: Duration,
    poll: Duration,
) -> Result<(), String> {
    tokio::time::sleep(checks.delay).await;
    if checks.none || !(checks.authorities || checks.resolvers) {
        return Ok(());
    }
    let end = Instant::now() + patience;
    for record in placed {
        while let Err(why) = is_seen(checks, lookup, record).await {
            if Instant::now() + poll > end {
                return Err(format!("the record of {} is not visible after {patience:?}: {why}", record.host));
            }
            tokio::time::sleep(poll).await;
        }
    }
    Ok(())
}

async fn is_seen(checks: &Checks, lookup: &Lookup, record: &Placed) -> Result<(), String> {
    if checks.resolvers {
        for resolver in lookup.resolvers() {
            has(resolver, record, true).await?;
        }
    }
    if checks.authorities {
        let zone = lookup.zone(&record.host).await?;
        for server in lookup.authorities(&zone).await? {
            has(&server, record, false).await?;
        }
    }
    Ok(())
}

async fn has(server: &str, record: &Placed, recursive: bool) -> Result<(), String> {
    let texts = lookup::texts(server, &record.host, recursive).await?;
    if texts.contains(&record.answer.value) { Ok(()) } else { Err(format!("{server} has {texts:?}")) }
}

#[cfg(test)]
mod tests {
    use trafficcop_config::settings::certificates::Propagation;

    use super::*;

    #[test]
    fn old_and_new_options_say_the_same() {
        let new = Propagation { disable_checks: true, ..Propagation::default() };
        let new = DnsChallenge { propagation: Some(new), ..DnsChallenge::default() };
        let old = DnsChallenge { disable_propagation_check: true, ..DnsChallenge::default() };
        assert_eq!(Checks::new(&new), Checks::new(&old));
        let plain = Checks::new(&DnsChallenge::default());
        assert!(plain.authorities && !plain.resolvers && !plain.none);
    }
}
