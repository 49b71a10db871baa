//! Lives of containers, told event by event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trafficcop_provider::constraints::{Constraints, Subject};
use trafficcop_provider::default_rule::DefaultRule;

use super::{Inventory, LINGER, Rules, SURVIVED};
use crate::container::{Attachment, Container, Health, Port, Summary};
use crate::selection::Selection;

struct Life {
    inventory: Inventory,
    now: Instant,
}

fn container(id: &str, labels: &[(&str, &str)]) -> Container {
    Container {
        id: id.into(),
        name: id.to_owned(),
        labels: labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        running: true,
        networks: [("bridge".to_owned(), format!("10.0.0.{}", id.trim_start_matches(char::is_alphabetic)))].into(),
        ports: vec![Port { number: 80, protocol: "tcp".into(), published: None }],
        ..Container::default()
    }
}

fn summary(container: &Container, mark: &str) -> Summary {
    Summary {
        id: Arc::clone(&container.id),
        name: container.name.clone(),
        labels: container.labels.clone(),
        running: container.running,
        paused: mark == "paused",
        mark: mark.to_owned(),
    }
}

const SHOP: [(&str, &str); 2] =
    [("traefik.http.routers.shop.rule", "Path(`/`)"), ("traefik.http.services.shop.loadbalancer.server.port", "80")];

impl Life {
    fn begin() -> Self {
        let selection = Selection { exposed_by_default: true, ..Selection::default() };
        let default_rule = DefaultRule::parse("Host(`{{ .Name }}`)").unwrap();
        let rules = Rules { selection, default_rule, network: String::new(), use_bind_port_ip: false };
        Self { inventory: Inventory::new(rules), now: Instant::now() }
    }

    /// Starts a container and shows what an inspection of it finds.
    fn start(&mut self, container: &Container) {
        self.inventory.started(&container.id);
        self.show(container);
    }

    fn show(&mut self, container: &Container) {
        self.inventory.inspected(&container.id, Some(container.clone()), self.now);
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.inventory.expire(self.now);
    }

    /// One line per router and service.
    #[track_caller]
    fn check(&mut self, expected: &[&str]) {
        let (whole, problems) = self.inventory.configuration(&|_, _| Ok(()));
        let http = whole.http.unwrap_or_default();
        let mut lines: Vec<String> =
            http.routers.iter().map(|(name, router)| format!("{name}: {}", *router.rule)).collect();
        for (name, service) in &http.services {
            let servers =
                service.load_balancer.iter().flat_map(|balancer| &balancer.servers).map(|server| server.url.as_str());
            lines.push(format!("{name} = {}", servers.collect::<Vec<_>>().join(" ")));
        }
        lines.extend(problems.0.iter().map(|problem| format!("! {problem}")));
        assert_eq!(lines, expected);
    }
}

const BOTH: [&str; 2] = ["shop: Path(`/`)", "shop = http://10.0.0.1:80 http://10.0.0.2:80"];
const SECOND: [&str; 2] = ["shop: Path(`/`)", "shop = http://10.0.0.2:80"];
const NOBODY: [&str; 2] = ["shop: Path(`/`)", "shop = "];

fn two() -> (Life, Container, Container) {
    let mut life = Life::begin();
    let (first, second) = (container("c1", &SHOP), container("c2", &SHOP));
    life.start(&first);
    life.start(&second);
    life.check(&BOTH);
    (life, first, second)
}

fn one() -> (Life, Container) {
    let mut life = Life::begin();
    let only = container("c1", &SHOP);
    life.start(&only);
    life.check(&["shop: Path(`/`)", "shop = http://10.0.0.1:80"]);
    (life, only)
}

#[test]
fn one_of_two_is_told_to_end() {
    let (mut life, first, _) = two();
    assert!(life.inventory.signalled("c1", "15", life.now));
    life.check(&SECOND);
    // An inspection that was under way comes too late.
    life.show(&first);
    life.check(&SECOND);
    life.inventory.ended("c1", life.now);
    life.check(&SECOND);
    life.pass(LINGER);
    life.check(&SECOND);
}

#[test]
fn signals_that_do_not_end() {
    let (mut life, mut first, _) = two();
    for signal in ["1", "10", "28", "3", "nonsense"] {
        assert!(!life.inventory.signalled("c1", signal, life.now), "{signal}");
    }
    life.check(&BOTH);
    assert!(!life.inventory.signalled("unknown", "15", life.now));
    first.stop_signal = Some("SIGQUIT".into());
    life.show(&first);
    assert!(life.inventory.signalled("c1", "3", life.now));
    life.check(&SECOND);
    assert!(!life.inventory.signalled("c1", "9", life.now), "it is out already");
    assert!(life.inventory.signalled("c2", "9", life.now));
    life.check(&NOBODY);
}

#[test]
fn the_last_one_lingers() {
    let (mut life, only) = one();
    life.inventory.signalled("c1", "15", life.now);
    life.check(&NOBODY);
    life.pass(Duration::from_secs(30));
    life.check(&NOBODY);
    life.inventory.ended("c1", life.now);
    life.show(&Container { running: false, ..only });
    life.pass(LINGER.saturating_sub(Duration::from_millis(1)));
    life.check(&NOBODY);
    life.pass(Duration::from_millis(1));
    life.check(&[]);
}

#[test]
fn one_that_dies_unasked_lingers_too() {
    let (mut life, _) = one();
    life.inventory.ended("c1", life.now);
    life.check(&NOBODY);
    life.inventory.inspected(&"c1".into(), None, life.now);
    life.check(&NOBODY);
    let until = life.inventory.expire(life.now).unwrap();
    assert_eq!(until, life.now + LINGER);
    life.pass(LINGER);
    life.check(&[]);
    assert_eq!(life.inventory.expire(life.now), None);
}

#[test]
fn a_restart() {
    let (mut life, only) = one();
    life.inventory.signalled("c1", "15", life.now);
    life.inventory.ended("c1", life.now);
    life.inventory.started(&only.id);
    // Until it is inspected its old address does not come back.
    life.check(&NOBODY);
    let elsewhere = Container { networks: [("bridge".to_owned(), "10.0.0.7".to_owned())].into(), ..only };
    life.show(&elsewhere);
    life.check(&["shop: Path(`/`)", "shop = http://10.0.0.7:80"]);
}

#[test]
fn a_restart_with_a_health_check() {
    let (mut life, only) = one();
    life.inventory.ended("c1", life.now);
    life.start(&Container { health: Health::Starting, ..only.clone() });
    life.check(&NOBODY);
    life.pass(Duration::from_mins(1));
    life.check(&NOBODY);
    life.show(&Container { health: Health::Healthy, ..only.clone() });
    life.check(&["shop: Path(`/`)", "shop = http://10.0.0.1:80"]);
    life.show(&Container { health: Health::Unhealthy, ..only.clone() });
    life.check(&[]);
    // What starts for the first time is not there before it is healthy.
    let mut life = Life::begin();
    life.start(&Container { health: Health::Starting, ..only });
    life.check(&[]);
}

#[test]
fn a_successor_with_other_labels() {
    let (mut life, _) = one();
    life.inventory.signalled("c1", "15", life.now);
    life.inventory.ended("c1", life.now);
    let other = [
        ("traefik.http.routers.shop.rule", "Path(`/new`)"),
        SHOP[1],
        ("traefik.http.services.shop.loadbalancer.passhostheader", "false"),
    ];
    life.start(&container("c2", &other));
    life.check(&["shop: Path(`/new`)", "shop = http://10.0.0.2:80"]);
}

#[test]
fn a_successor_that_starts_up_slowly() {
    let compose = [("com.docker.compose.service", "shop"), ("com.docker.compose.project", "p"), SHOP[0], SHOP[1]];
    let mut life = Life::begin();
    life.start(&container("c1", &compose));
    life.inventory.configuration(&|_, _| Ok(()));
    life.inventory.ended("c1", life.now);
    let successor = container("c2", &compose);
    life.start(&Container { health: Health::Starting, ..successor.clone() });
    for _ in 0..10 {
        life.pass(LINGER.saturating_sub(Duration::from_secs(1)));
        life.check(&NOBODY);
    }
    life.show(&successor);
    life.check(&["shop: Path(`/`)", "shop = http://10.0.0.2:80"]);
    life.pass(LINGER);
    life.check(&["shop: Path(`/`)", "shop = http://10.0.0.2:80"]);
}

#[test]
fn waiting_for_a_successor_has_an_end() {
    let compose = [("com.docker.compose.service", "shop"), ("com.docker.compose.project", "p"), SHOP[0], SHOP[1]];
    let mut life = Life::begin();
    life.start(&container("c1", &compose));
    life.inventory.configuration(&|_, _| Ok(()));
    life.inventory.ended("c1", life.now);
    life.start(&Container { health: Health::Starting, ..container("c2", &compose) });
    for _ in 0..100 {
        life.pass(LINGER.saturating_sub(Duration::from_secs(1)));
    }
    life.check(&[]);
}

#[test]
fn a_pause() {
    let (mut life, only) = one();
    assert!(life.inventory.paused("c1"));
    life.check(&NOBODY);
    life.pass(Duration::from_hours(1));
    life.check(&NOBODY);
    let still = Container { running: false, ..only.clone() };
    life.inventory.listed(vec![summary(&still, "paused")], life.now);
    life.check(&NOBODY);
    life.start(&only);
    life.check(&["shop: Path(`/`)", "shop = http://10.0.0.1:80"]);
}

#[test]
fn who_survived_the_signal_comes_back_with_a_list() {
    let (mut life, only) = one();
    life.inventory.listed(vec![summary(&only, "up")], life.now);
    life.inventory.signalled("c1", "15", life.now);
    life.now += SURVIVED.saturating_sub(Duration::from_secs(1));
    assert!(life.inventory.listed(vec![summary(&only, "up")], life.now).is_empty());
    life.check(&NOBODY);
    life.now += Duration::from_secs(1);
    assert_eq!(life.inventory.listed(vec![summary(&only, "up")], life.now), ["c1".into()]);
    life.show(&only);
    life.check(&["shop: Path(`/`)", "shop = http://10.0.0.1:80"]);
}

#[test]
fn only_what_changed_is_inspected_again() {
    let (mut life, first, second) = two();
    let hidden = container("c3", &[("traefik.enable", "false")]);
    let stopped = Container { running: false, ..container("c4", &[]) };
    let wrong = container("c5", &[("traefik.enabled", "false")]);
    let listed = |mark| {
        vec![
            summary(&first, mark),
            summary(&second, "up"),
            summary(&hidden, "up"),
            summary(&stopped, "x"),
            summary(&wrong, "up"),
        ]
    };
    let ids = |ids: &[&str]| ids.iter().map(|id| Arc::from(*id)).collect::<Vec<_>>();
    assert_eq!(life.inventory.listed(listed("up"), life.now), ids(&["c1", "c2", "c5"]));
    assert_eq!(life.inventory.listed(listed("up"), life.now), ids(&[]));
    assert_eq!(life.inventory.listed(listed("up, healthy"), life.now), ids(&["c1"]));
}

#[test]
fn a_list_shows_who_is_gone() {
    let (mut life, _, second) = two();
    life.inventory.listed(vec![summary(&second, "up")], life.now);
    life.check(&SECOND);
    let stopped = Container { running: false, ..second };
    life.inventory.listed(vec![summary(&stopped, "exited")], life.now);
    life.check(&NOBODY);
    life.pass(LINGER);
    life.check(&[]);
}

#[test]
fn a_stopped_container_that_is_kept() {
    let labels = [SHOP[0], SHOP[1], ("traefik.docker.allownonrunning", "true")];
    let mut life = Life::begin();
    let only = container("c1", &labels);
    life.start(&only);
    life.inventory.configuration(&|_, _| Ok(()));
    life.inventory.ended("c1", life.now);
    life.show(&Container { running: false, networks: [].into(), ..only });
    life.check(&NOBODY);
    life.pass(Duration::from_hours(1));
    life.check(&NOBODY);
}

#[test]
fn who_shares_a_network_changes_with_its_owner() {
    let mut life = Life::begin();
    let guest =
        Container { attachment: Attachment::Container("c9".into()), networks: [].into(), ..container("c1", &SHOP) };
    life.inventory.started(&guest.id);
    let needed = life.inventory.inspected(&guest.id, Some(guest.clone()), life.now);
    assert_eq!(needed.as_deref(), Some("c9"));
    let owner = container("c9", &[("traefik.enable", "false")]);
    life.show(&owner);
    life.check(&["shop: Path(`/`)", "shop = http://10.0.0.9:80"]);
    life.show(&Container { networks: [("bridge".to_owned(), "10.0.0.5".to_owned())].into(), ..owner });
    life.check(&["shop: Path(`/`)", "shop = http://10.0.0.5:80"]);
}

#[test]
fn mistakes_are_told_and_leave_the_others_alone() {
    let (mut life, first, second) = two();
    life.start(&container("c3", &[("traefik.http.router.x.rule", "a")]));
    life.start(&container("c4", &[("traefik.enabled", "false")]));
    life.check(&[
        BOTH[0],
        BOTH[1],
        "! container c3, label traefik.http.router.x.rule: http.router: field not found, node: router (did you mean routers?)",
        "! container c4, label traefik.enabled: enabled: field not found, node: enabled (did you mean enable?)",
    ]);
    drop((first, second));
}

#[test]
fn what_is_not_taken_is_said_with_its_reason() {
    let selection = Selection {
        exposed_by_default: false,
        constraints: Constraints::parse("Label(`app`,`shop`)", Subject::Labels).unwrap(),
        ..Selection::default()
    };
    let default_rule = DefaultRule::parse("Host(`{{ .Name }}`)").unwrap();
    let rules = Rules { selection, default_rule, network: "edge".into(), use_bind_port_ip: false };
    let mut life = Life { inventory: Inventory::new(rules), now: Instant::now() };
    let on = ("traefik.enable", "true");
    let app = ("app", "shop");
    let rule = ("traefik.http.routers.x.rule", "Path(`/`)");
    let starting = Container { health: Health::Starting, ..container("c1", &[on, app]) };
    let all = [
        starting,
        container("c2", &[on, app]),
        container("c3", &[on]),
        container("c4", &[app, rule]),
        container("c5", &[("traefik.enable", "false")]),
        container("c6", &[("other", "1")]),
    ];
    life.inventory.listed(all.iter().map(|container| summary(container, "")).collect(), life.now);
    for container in &all[..2] {
        life.show(container);
    }
    let mut reasons = life.inventory.passed_over();
    reasons.sort();
    assert_eq!(
        reasons,
        [
            "container c1: health is starting",
            "container c2: it is not in the network edge, but in bridge",
            "container c3: providers.docker.constraints exclude it",
            "container c4: traefik.enable is not set, and providers.docker.exposedByDefault is off",
            "container c5: traefik.enable is false",
        ]
    );
    let healthy = Container { health: Health::Healthy, ..all[0].clone() };
    life.show(&healthy);
    assert!(!life.inventory.passed_over().iter().any(|reason| reason.contains("health")));
}
