//! [`Inventory`]: the containers that are known, where each of them stands, and the configuration that follows.
//!
//! Pure: does no I/O, and time comes in as an argument. What must hold: a container that was told to end has no server
//! from that moment on, and a container on its way out never harms the definitions of one that stays.

mod entry;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use trafficcop_config::ConfigErrors;
use trafficcop_config::dynamic::Configuration;
use trafficcop_provider::default_rule::DefaultRule;
use trafficcop_provider::workload::{Check, Part, merge};

use crate::address::Net;
use crate::container::{Attachment, Container, Labels, Summary};
use crate::selection::{Selection, Wishes};
use entry::Entry;

/// How long the routes of a container that ended are kept, answering that nobody is there: long enough for the time
/// between the end of a container and the start of its successor in a redeployment, short enough not to hide a fallback
/// for long. Traefik has no such time; its routes vanish at once.
pub(crate) const LINGER: Duration = Duration::from_secs(5);
/// While a successor is starting up but not healthy yet they are kept longer, but not longer than this.
pub(crate) const LONGEST_LINGER: Duration = Duration::from_mins(5);
/// A container that still runs so long after it was told to end survived: a list brings it back.
pub(crate) const SURVIVED: Duration = Duration::from_secs(75);

/// What the settings say of everything that is not reaching the engine.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) selection: Selection,
    pub(crate) default_rule: DefaultRule,
    pub(crate) network: String,
    pub(crate) use_bind_port_ip: bool,
}

/// See the module.
pub(crate) struct Inventory {
    rules: Rules,
    entries: BTreeMap<Arc<str>, Entry>,
    /// Containers whose network others share; most are none of our business otherwise.
    others: BTreeMap<Arc<str>, Arc<Container>>,
    /// How containers in the host's network are reached.
    host: String,
    /// Containers that say something to us and are not taken, and why.
    passed: BTreeMap<Arc<str>, String>,
}

impl Inventory {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            entries: BTreeMap::new(),
            others: BTreeMap::new(),
            host: "127.0.0.1".to_owned(),
            passed: BTreeMap::new(),
        }
    }

    /// Is the container worth an inspection when this is all that is known of it? One that says something wrong is, so
    /// that its mistake is told.
    fn is_worth(&self, name: &str, labels: &Labels, running: bool) -> bool {
        let wishes = Wishes::read(name, labels);
        wishes.map_or(true, |wishes| self.rules.selection.may_be_taken(&wishes, labels, running))
    }

    /// Remembers why a container is not taken, if it says anything to us.
    fn pass_over(&mut self, id: &Arc<str>, name: &str, labels: &Labels, running: bool) {
        let speaks = labels.keys().any(|key| key.to_ascii_lowercase().starts_with("traefik."));
        let wishes = Wishes::read(name, labels).ok().filter(|_| speaks);
        match wishes.and_then(|wishes| self.rules.selection.objection(&wishes, labels, running)) {
            Some(why) => drop(self.passed.insert(Arc::clone(id), format!("container {name}: {why}"))),
            None => drop(self.passed.remove(id)),
        }
    }

    /// Everything that is not taken, or not as it asks for, and why.
    pub(crate) fn passed_over(&self) -> Vec<String> {
        let of_entry = |container: &Arc<Container>| {
            let (name, wishes) = (&container.name, Wishes::read(&container.name, &container.labels).ok()?);
            if !container.running {
                return Some(format!("container {name}: it does not run"));
            }
            if !container.health.is_fit() {
                return Some(format!("container {name}: health is {}", container.health.word()));
            }
            let wanted = if wishes.docker.network.is_empty() { &self.rules.network } else { &wishes.docker.network };
            let known: Vec<&str> = container.networks.keys().map(|network| &**network).collect();
            let is_missing = !wanted.is_empty() && !known.is_empty() && !known.contains(&wanted.as_str());
            is_missing
                .then(|| format!("container {name}: it is not in the network {wanted}, but in {}", known.join(", ")))
        };
        let of_entries = self.entries.values().filter_map(|entry| of_entry(entry.container.as_ref()?));
        self.passed.values().cloned().chain(of_entries).collect()
    }

    /// Takes note of a whole list; answers the containers that must be inspected.
    pub(crate) fn listed(&mut self, summaries: Vec<Summary>, now: Instant) -> Vec<Arc<str>> {
        let there: BTreeSet<_> = summaries.iter().map(|summary| Arc::clone(&summary.id)).collect();
        let gone: Vec<_> = self.entries.keys().filter(|id| !there.contains(*id)).cloned().collect();
        for id in gone {
            self.ended(&id, now);
        }
        self.others.retain(|id, _| there.contains(id));
        self.passed.retain(|id, _| there.contains(id));
        // Whoever shares the network of a container that changed changes with it.
        let mut wanted: Vec<_> = self.others.keys().cloned().collect();
        for summary in summaries {
            let worth = self.is_worth(&summary.name, &summary.labels, summary.running);
            self.pass_over(&summary.id, &summary.name, &summary.labels, summary.running);
            match self.entries.get_mut(&summary.id) {
                Some(entry) if worth => wanted.extend(entry.listed(&summary, now).then_some(summary.id)),
                Some(entry) if summary.paused => drop(entry.pause()),
                Some(_) if !summary.running => self.ended(&summary.id, now),
                None if worth => {
                    self.entries.entry(Arc::clone(&summary.id)).or_default().mark = summary.mark;
                    wanted.push(summary.id);
                }
                _ => {}
            }
        }
        wanted
    }

    /// A container runs, perhaps again: whatever it was told before belongs to a former life.
    pub(crate) fn started(&mut self, id: &Arc<str>) {
        self.entries.entry(Arc::clone(id)).or_default().stay();
    }

    /// A container was sent a signal. Answers whether that takes it out of the rotation.
    pub(crate) fn signalled(&mut self, id: &str, signal: &str, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(id) else { return false };
        let ends = entry.container.as_ref().is_some_and(|container| container.is_ended_by(signal));
        ends && entry.leave(now)
    }

    /// A container stands still. Answers whether that takes it out of the rotation.
    pub(crate) fn paused(&mut self, id: &str) -> bool {
        self.entries.get_mut(id).is_some_and(Entry::pause)
    }

    /// A container does not run any more, or is not there any more.
    pub(crate) fn ended(&mut self, id: &str, now: Instant) {
        self.others.remove(id);
        self.passed.remove(id);
        if let Some(entry) = self.entries.get_mut(id)
            && !entry.end(now)
        {
            self.entries.remove(id);
        }
    }

    /// What an inspection showed of a container; None when it is not there any more. Answers the other container whose
    /// network it uses, if that must be inspected too.
    pub(crate) fn inspected(&mut self, id: &Arc<str>, found: Option<Container>, now: Instant) -> Option<Arc<str>> {
        let Some(container) = found else {
            self.ended(id, now);
            return None;
        };
        let container = Arc::new(container);
        let shared = self.entries.values().any(|entry| entry.shares(id))
            || self.others.values().any(|other| other.attachment == Attachment::Container(Arc::clone(id)));
        if shared || self.others.contains_key(id) {
            self.others.insert(Arc::clone(id), Arc::clone(&container));
            self.entries
                .values_mut()
                .filter(|entry| matches!(entry.attachment(), Some(Attachment::Container(_))))
                .for_each(Entry::outdate);
        }
        let needed = match &container.attachment {
            Attachment::Container(other) if !self.others.contains_key(other) => Some(Arc::clone(other)),
            _ => None,
        };
        let worth = self.is_worth(&container.name, &container.labels, container.running);
        self.pass_over(id, &container.name, &container.labels, container.running);
        if worth {
            self.entries.entry(Arc::clone(id)).or_default().show(container);
        } else if container.running {
            self.entries.remove(id);
        } else {
            self.ended(id, now);
        }
        needed
    }

    /// Is any container in the host's network? Then [`Inventory::reach_host_by`] should be told.
    pub(crate) fn needs_host(&self) -> bool {
        let mut attachments = self.entries.values().filter_map(Entry::attachment);
        attachments.any(|attachment| *attachment == Attachment::Host)
    }

    pub(crate) fn reach_host_by(&mut self, address: String) {
        if self.host != address {
            self.host = address;
            self.entries.values_mut().for_each(Entry::outdate);
        }
    }

    /// Forgets what has lingered long enough. Answers when to ask again.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Instant> {
        let starting: BTreeSet<String> = self.entries.values().filter_map(Entry::awaited_name).collect();
        self.entries.retain(|_, entry| !entry.is_over(now, &starting));
        self.entries.values().filter_map(Entry::next_look).min()
    }

    /// Everything that the containers say together, and what had to be left out.
    pub(crate) fn configuration(&mut self, check: Check<'_>) -> (Configuration, ConfigErrors) {
        let net = Net {
            network: &self.rules.network,
            use_bind_port_ip: self.rules.use_bind_port_ip,
            host: &self.host,
            others: &self.others,
        };
        let mut problems = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        for entry in self.entries.values_mut() {
            let (part, found) = entry.part(&self.rules, &net, check);
            parts.extend(part);
            problems.extend(found);
        }
        let (whole, conflicts) = merge(parts);
        problems.extend(conflicts.0);
        (whole, ConfigErrors(problems))
    }
}
