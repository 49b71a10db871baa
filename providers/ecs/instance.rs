//! [`Instance`]: a container of a task, and what becomes of it. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use trafficcop_config::dynamic::Configuration;
use trafficcop_config::read::labels::read;
use trafficcop_config::{ConfigError, ConfigErrors};
use trafficcop_provider::constraints::Constraints;
use trafficcop_provider::default_rule::DefaultRule;
use trafficcop_provider::normalize::normalize;
use trafficcop_provider::workload::{Address, Check, NoAddress, Part, Surroundings, Workload, merge_each};

/// A container of a running task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Instance {
    /// The task's group and the container: `service-web-app`.
    pub(crate) name: String,
    /// The end of the task's name.
    pub(crate) id: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) address: String,
    /// Each with the one it is reached by.
    pub(crate) ports: Vec<Port>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) container: u32,
    pub(crate) host: u32,
}

/// What the settings say of every container.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) exposed_by_default: bool,
    pub(crate) constraints: Constraints,
    pub(crate) default_rule: DefaultRule,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wishes {
    enable: Option<bool>,
}

impl Rules {
    /// What all containers say together, and what had to be left out.
    pub(crate) fn configuration(&self, instances: &[Instance], check: Check<'_>) -> (Configuration, ConfigErrors) {
        merge_each(instances, |instance, problems| self.part(instance, check, problems))
    }

    fn part(
        &self,
        instance: &Instance,
        check: Check<'_>,
        problems: &mut Vec<ConfigError>,
    ) -> Result<Option<Part>, ConfigErrors> {
        let owner = format!("task {} ({}), label", instance.name, instance.id);
        let labels = instance.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let wishes: Wishes = read(labels, &owner, &["traefik.enable"])?.decode()?;
        let is_wanted = wishes.enable.unwrap_or(self.exposed_by_default)
            && self.constraints.hold_for_labels(|key| instance.labels.get(key).map(String::as_str));
        if !is_wanted {
            return Ok(None);
        }
        let name = normalize(&instance.name);
        let workload = Workload {
            owner: &owner,
            name: &name,
            plain_name: None,
            container_name: None,
            labels: &instance.labels,
            serving: true,
        };
        let address = |stated: Option<&str>| {
            let port = instance.port(stated).ok_or(NoAddress::Port)?;
            Ok(Address { host: instance.address.clone(), port })
        };
        let configured =
            workload.configure(&Surroundings { default_rule: &self.default_rule, address: &address, check })?;
        problems.extend(configured.problems.0);
        let key = format!("{name}-{}", instance.id);
        Ok(Some(Part { key: key.into(), configuration: Arc::new(configured.configuration), leaving: false }))
    }
}

impl Instance {
    /// Where the stated port of the container is reached; by default the lowest that is.
    fn port(&self, stated: Option<&str>) -> Option<String> {
        match stated {
            Some(stated) => {
                let mapped = self.ports.iter().find(|port| port.container.to_string() == stated);
                Some(mapped.map_or_else(|| stated.to_owned(), |port| port.host.to_string()))
            }
            None => self.ports.iter().map(|port| port.host).min().map(|port| port.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_config::settings::discovery::Ecs as Settings;
    use trafficcop_provider::Provider as _;

    use super::*;
    use crate::Ecs;

    fn instance(id: &str, labels: &[(&str, &str)]) -> Instance {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let ports = [(8080, 32769), (80, 32768)].map(|(container, host)| Port { container, host }).to_vec();
        Instance { name: "service:web-app".into(), id: id.into(), labels, address: "10.0.0.1".into(), ports }
    }

    #[track_caller]
    fn check(settings: Settings, instances: &[Instance], expected: &[&str]) {
        let ecs = Ecs::new(settings).expect("the settings are right");
        let (configuration, problems) = ecs.rules.configuration(instances, &|_, _| Ok(()));
        let http = configuration.http.unwrap_or_default();
        let routers = http.routers.iter().map(|(name, router)| format!("{name}: {}", router.rule.value));
        let services = http.services.iter().map(|(name, service)| {
            let servers = service.load_balancer.iter().flat_map(|balancer| &balancer.servers);
            format!("{name} → {}", servers.map(|server| server.url.clone()).collect::<Vec<_>>().join(" "))
        });
        let problems = problems.0.iter().map(|problem| format!("! {problem}"));
        let shown: Vec<_> = routers.chain(services).chain(problems).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn containers_become_servers() {
        let expected = ["service-web-app: Host(`service-web-app`)", "service-web-app → http://10.0.0.1:32768"];
        check(Settings::default(), &[instance("1", &[])], &expected);
        let port = "traefik.http.services.s.loadbalancer.server.port";
        check(
            Settings::default(),
            &[instance("1", &[(port, "8080")])],
            &["service-web-app: Host(`service-web-app`)", "s → http://10.0.0.1:32769"],
        );
        check(
            Settings::default(),
            &[instance("1", &[(port, "9")])],
            &["service-web-app: Host(`service-web-app`)", "s → http://10.0.0.1:9"],
        );
    }

    #[test]
    fn who_is_taken() {
        let cautious = || Settings { exposed_by_default: false, ..Settings::default() };
        check(cautious(), &[instance("1", &[])], &[]);
        let expected = ["service-web-app: Host(`service-web-app`)", "service-web-app → http://10.0.0.1:32768"];
        check(cautious(), &[instance("1", &[("traefik.enable", "true")])], &expected);
        let picky = Settings { constraints: "Label(`zone`, `a`)".into(), ..Settings::default() };
        check(picky, &[instance("1", &[("zone", "b")])], &[]);
    }

    #[test]
    fn a_mistake_leaves_out_one() {
        let bad = instance("2", &[("traefik.http.routers.r.ruel", "x")]);
        let expected = [
            "service-web-app: Host(`service-web-app`)",
            "service-web-app → http://10.0.0.1:32768",
            "! task service:web-app (2), label traefik.http.routers.r.ruel: http.routers.r.ruel: field not found, node: ruel (did you mean rule?)",
        ];
        check(Settings::default(), &[instance("1", &[]), bad], &expected);
    }
}
