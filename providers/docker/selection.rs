//! Which containers are taken, and what their labels tell this provider itself.

use serde::Deserialize;
use trafficcop_config::ConfigErrors;
use trafficcop_config::read::labels::read;
use trafficcop_provider::constraints::Constraints;

use crate::container::{Container, Labels};

/// The labels that are for this provider.
const PREFIXES: [&str; 2] = ["traefik.docker", "traefik.enable"];

/// What a container says to this provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Wishes {
    enable: Option<bool>,
    pub(crate) docker: DockerWishes,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DockerWishes {
    /// The network whose address is used; empty: as the provider is set.
    pub(crate) network: String,
    /// Is it kept while it does not run?
    pub(crate) allow_non_running: bool,
    /// Has a meaning for Swarm services only.
    lbswarm: bool,
}

impl Wishes {
    pub(crate) fn read(owner: &str, labels: &Labels) -> Result<Self, ConfigErrors> {
        read(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())), owner, &PREFIXES)?.decode()
    }
}

/// What the settings say of which containers to take.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) exposed_by_default: bool,
    pub(crate) allow_empty_services: bool,
    pub(crate) constraints: Constraints,
}

/// What becomes of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is none of our business.
    Ignored,
    /// It would be taken if it ran and were healthy.
    NotNow,
    /// Its services are kept without servers.
    Empty,
    Serving,
}

impl Selection {
    /// By labels alone: could this container ever be taken?
    pub(crate) fn concerns(&self, wishes: &Wishes, labels: &Labels) -> bool {
        wishes.enable.unwrap_or(self.exposed_by_default)
            && self.constraints.hold_for_labels(|key| labels.get(key).map(String::as_str))
    }

    /// By labels and whether it runs: is it worth an inspection?
    pub(crate) fn may_be_taken(&self, wishes: &Wishes, labels: &Labels, running: bool) -> bool {
        self.concerns(wishes, labels) && (running || wishes.docker.allow_non_running)
    }

    /// Why a container that says something to us is not taken; None when it is.
    pub(crate) fn objection(&self, wishes: &Wishes, labels: &Labels, running: bool) -> Option<String> {
        match wishes.enable {
            Some(false) => return Some("traefik.enable is false".to_owned()),
            None if !self.exposed_by_default => {
                return Some("traefik.enable is not set, and providers.docker.exposedByDefault is off".to_owned());
            }
            _ => {}
        }
        if !self.concerns(wishes, labels) {
            return Some("providers.docker.constraints exclude it".to_owned());
        }
        (!running && !wishes.docker.allow_non_running).then(|| "it does not run".to_owned())
    }

    pub(crate) fn judge(&self, wishes: &Wishes, container: &Container) -> Verdict {
        if !self.concerns(wishes, &container.labels) {
            return Verdict::Ignored;
        }
        let fit = container.running && container.health.is_fit();
        match (fit, wishes.docker.allow_non_running, container.running && self.allow_empty_services) {
            (true, ..) => Verdict::Serving,
            (false, true, _) | (false, _, true) => Verdict::Empty,
            (false, false, false) => Verdict::NotNow,
        }
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_provider::constraints::{Constraints, Subject};

    use super::{Selection, Verdict, Wishes};
    use crate::container::{Container, Health, Labels};

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    /// Labels, running, health → what becomes of it; with the defaults changed by `change`.
    #[track_caller]
    fn check(
        pairs: &[(&str, &str)],
        running: bool,
        health: Health,
        change: impl Fn(&mut Selection),
        expected: Verdict,
    ) {
        let mut selection = Selection { exposed_by_default: true, ..Selection::default() };
        change(&mut selection);
        let container = Container { labels: labels(pairs), running, health, ..Container::default() };
        let wishes = Wishes::read("c", &container.labels).unwrap();
        assert_eq!(selection.judge(&wishes, &container), expected, "{pairs:?}");
    }

    #[track_caller]
    fn check_error(pairs: &[(&str, &str)], words: &str) {
        let error = Wishes::read("c", &labels(pairs)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }

    const AS_IT_IS: fn(&mut Selection) = |_| {};

    #[test]
    fn enable() {
        let hidden = |selection: &mut Selection| selection.exposed_by_default = false;
        check(&[], true, Health::Unchecked, AS_IT_IS, Verdict::Serving);
        check(&[("traefik.enable", "false")], true, Health::Unchecked, AS_IT_IS, Verdict::Ignored);
        check(&[], true, Health::Unchecked, hidden, Verdict::Ignored);
        check(&[("traefik.enable", "true")], true, Health::Unchecked, hidden, Verdict::Serving);
        check(&[("traefik.Enable", "1")], true, Health::Unchecked, hidden, Verdict::Serving);
    }

    #[test]
    fn constraints() {
        let only_shop = |selection: &mut Selection| {
            selection.constraints = Constraints::parse("Label(`app`,`shop`)", Subject::Labels).unwrap();
        };
        check(&[("app", "shop")], true, Health::Unchecked, only_shop, Verdict::Serving);
        check(&[("app", "blog")], true, Health::Unchecked, only_shop, Verdict::Ignored);
        check(&[("traefik.docker.allownonrunning", "true")], false, Health::Unchecked, only_shop, Verdict::Ignored);
    }

    #[test]
    fn not_running() {
        let empty = |selection: &mut Selection| selection.allow_empty_services = true;
        check(&[], false, Health::Unchecked, AS_IT_IS, Verdict::NotNow);
        check(&[], false, Health::Unchecked, empty, Verdict::NotNow);
        check(&[("traefik.docker.allownonrunning", "true")], false, Health::Unchecked, AS_IT_IS, Verdict::Empty);
        check(&[("traefik.docker.allownonrunning", "true")], true, Health::Unchecked, AS_IT_IS, Verdict::Serving);
    }

    #[test]
    fn health() {
        let empty = |selection: &mut Selection| selection.allow_empty_services = true;
        check(&[], true, Health::Healthy, AS_IT_IS, Verdict::Serving);
        check(&[], true, Health::Starting, AS_IT_IS, Verdict::NotNow);
        check(&[], true, Health::Unhealthy, AS_IT_IS, Verdict::NotNow);
        check(&[], true, Health::Starting, empty, Verdict::Empty);
        check(&[], true, Health::Unhealthy, empty, Verdict::Empty);
        check(&[("traefik.docker.allownonrunning", "true")], true, Health::Unhealthy, AS_IT_IS, Verdict::Empty);
    }

    #[test]
    fn mistakes() {
        check_error(&[("traefik.enable", "perhaps")], "container c, label traefik.enable");
        check_error(&[("traefik.enabled", "false")], "did you mean enable?");
        check_error(&[("traefik.docker.netwrk", "n")], "did you mean network?");
        check_error(&[("Traefik.enable", "false")], "Traefik");
        assert!(Wishes::read("c", &labels(&[("traefik.swarm.network", "n"), ("traefik.http.x", "y")])).is_ok());
    }
}
