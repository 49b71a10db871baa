//! One known container: where it stands, and what it contributes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use trafficcop_config::dynamic::Configuration;
use trafficcop_config::{ConfigError, ConfigErrors};
use trafficcop_provider::normalize::normalize;
use trafficcop_provider::workload::{Check, Configured, Part, Surroundings, Workload, without_servers};

use super::{LINGER, LONGEST_LINGER, Rules, SURVIVED};
use crate::address::Net;
use crate::container::{Attachment, Container, Health, Summary};
use crate::selection::{Verdict, Wishes};

/// See the module.
#[derive(Default)]
pub(super) struct Entry {
    /// As last inspected; none before the first inspection.
    pub(super) container: Option<Arc<Container>>,
    /// As last listed, see [`crate::container::Summary::mark`].
    pub(super) mark: String,
    pub(super) standing: Standing,
    /// What follows from the container, once asked for.
    said: Option<Said>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    #[default]
    Here,
    /// It was told to end.
    Leaving {
        since: Instant,
    },
    Paused,
    Gone {
        since: Instant,
        until: Instant,
    },
}

#[derive(Clone, Default)]
struct Said {
    part: Option<Part>,
    problems: Vec<ConfigError>,
}

impl Entry {
    /// Whatever it was told before does not count any more. What it said stands until it is inspected.
    pub(super) fn stay(&mut self) {
        self.standing = Standing::Here;
    }

    /// Takes note of what the list shows of it; answers whether it must be inspected.
    pub(super) fn listed(&mut self, summary: &Summary, now: Instant) -> bool {
        let back = summary.running
            && match self.standing {
                Standing::Here => false,
                Standing::Leaving { since } => now.saturating_duration_since(since) >= SURVIVED,
                Standing::Paused | Standing::Gone { .. } => true,
            };
        if back {
            self.stay();
        }
        let changed = self.mark != summary.mark;
        self.mark.clone_from(&summary.mark);
        back || changed
    }

    /// Answers whether anything changed.
    pub(super) fn leave(&mut self, now: Instant) -> bool {
        let first = matches!(self.standing, Standing::Here | Standing::Paused);
        if first {
            self.standing = Standing::Leaving { since: now };
            self.empty();
        }
        first
    }

    pub(super) fn pause(&mut self) -> bool {
        let first = self.standing == Standing::Here;
        if first {
            self.standing = Standing::Paused;
            self.empty();
        }
        first
    }

    /// Answers whether there is anything worth keeping.
    pub(super) fn end(&mut self, now: Instant) -> bool {
        if !matches!(self.standing, Standing::Gone { .. }) {
            self.standing = Standing::Gone { since: now, until: now + LINGER };
            self.empty();
        }
        self.said.as_ref().is_some_and(|said| said.part.is_some())
    }

    /// What it said last, less its servers, is what remains. What was never published is not kept.
    fn empty(&mut self) {
        let part = self.said.take().and_then(|said| said.part).map(|part| Part {
            configuration: Arc::new(without_servers(&part.configuration)),
            leaving: true,
            ..part
        });
        self.said = Some(Said { part, problems: Vec::new() });
    }

    pub(super) fn show(&mut self, container: Arc<Container>) {
        let stays = match self.standing {
            // An inspection that was under way when it was told to end must not bring it back.
            Standing::Leaving { .. } | Standing::Paused => false,
            Standing::Gone { .. } => container.running || is_kept_while_stopped(&container),
            Standing::Here => true,
        };
        if stays {
            self.standing = Standing::Here;
            // After a restart its routes are kept, still without servers, while it is starting up.
            if !(self.is_leaving() && container.running && container.health == Health::Starting) {
                self.said = None;
            }
        }
        self.container = Some(container);
    }

    fn is_leaving(&self) -> bool {
        self.said.as_ref().and_then(|said| said.part.as_ref()).is_some_and(|part| part.leaving)
    }

    /// What was concluded from it must be concluded again.
    pub(super) fn outdate(&mut self) {
        if self.standing == Standing::Here && !self.is_leaving() {
            self.said = None;
        }
    }

    /// The name of its objects, if it is starting up and may be somebody's successor.
    pub(super) fn awaited_name(&self) -> Option<String> {
        let container = self.container.as_ref().filter(|_| self.standing == Standing::Here)?;
        (container.running && container.health == Health::Starting).then(|| container.service_name())
    }

    /// Has it lingered long enough? `starting` are the names of containers that are starting up.
    pub(super) fn is_over(&mut self, now: Instant, starting: &BTreeSet<String>) -> bool {
        let Standing::Gone { since, until } = &mut self.standing else { return false };
        let name = self.container.as_ref().map(|container| container.service_name());
        if name.is_some_and(|name| starting.contains(&name)) && now < *since + LONGEST_LINGER {
            *until = (*until).max(now + LINGER);
        }
        *until <= now
    }

    pub(super) fn next_look(&self) -> Option<Instant> {
        match self.standing {
            Standing::Gone { until, .. } => Some(until),
            _ => None,
        }
    }

    pub(super) fn attachment(&self) -> Option<&Attachment> {
        self.container.as_ref().map(|container| &container.attachment)
    }

    /// Does it use the network of the container with this id?
    pub(super) fn shares(&self, id: &Arc<str>) -> bool {
        matches!(self.attachment(), Some(Attachment::Container(other)) if other == id)
    }

    /// What it contributes to the whole, and what is wrong with it.
    pub(super) fn part(&mut self, rules: &Rules, net: &Net<'_>, check: Check<'_>) -> (Option<Part>, Vec<ConfigError>) {
        if self.said.is_none() {
            self.said = self.container.as_ref().map(|container| said(container, rules, net, check));
        }
        let said = self.said.clone().unwrap_or_default();
        (said.part, said.problems)
    }
}

fn is_kept_while_stopped(container: &Container) -> bool {
    Wishes::read(&container.name, &container.labels).is_ok_and(|wishes| wishes.docker.allow_non_running)
}

fn said(container: &Container, rules: &Rules, net: &Net<'_>, check: Check<'_>) -> Said {
    match configured(container, rules, net, check) {
        Ok(None) => Said::default(),
        Ok(Some(configured)) => {
            Said { part: Some(part(container, configured.configuration)), problems: configured.problems.0 }
        }
        Err(errors) => Said { part: None, problems: errors.0 },
    }
}

fn part(container: &Container, configuration: Configuration) -> Part {
    let key = format!("{}-{}", normalize(&container.service_name()), container.id);
    Part { key: key.into(), configuration: Arc::new(configuration), leaving: false }
}

fn configured(
    container: &Container,
    rules: &Rules,
    net: &Net<'_>,
    check: Check<'_>,
) -> Result<Option<Configured>, ConfigErrors> {
    let wishes = Wishes::read(&container.name, &container.labels)?;
    let verdict = rules.selection.judge(&wishes, container);
    let serving = match verdict {
        Verdict::Ignored | Verdict::NotNow => {
            tracing::debug!(container = container.name, ?verdict, "Container is not taken.");
            return Ok(None);
        }
        Verdict::Empty => false,
        Verdict::Serving => true,
    };
    let name = normalize(&container.service_name());
    let workload = Workload {
        owner: &container.name,
        name: &name,
        plain_name: None,
        container_name: Some(&container.name),
        labels: &container.labels,
        serving,
    };
    let address = |port: Option<&str>| net.address(container, &wishes, port);
    workload.configure(&Surroundings { default_rule: &rules.default_rule, address: &address, check }).map(Some)
}
