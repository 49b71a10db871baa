//! Listings as an engine shows them, and what becomes of them.

use serde_json::{Value, json};
use trafficcop_config::settings::discovery::Swarm as Settings;
use trafficcop_provider::Provider;

use super::listing::Listing;
use super::{Swarm, member};

fn service(id: &str, labels: &Value, more: &Value) -> Value {
    let mut service = json!({
        "ID": id,
        "Spec": {"Name": format!("{id}_web"), "Labels": labels, "Mode": {"Replicated": {"Replicas": 1}}, "EndpointSpec": {"Mode": "vip"}},
        "Endpoint": {"Spec": {"Mode": "vip"}, "VirtualIPs": [{"NetworkID": "n1", "Addr": "10.0.1.2/24"}, {"NetworkID": "gone", "Addr": "10.0.9.2/24"}]},
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        service["Spec"][key] = value.clone();
    }
    service
}

fn task(id: &str, service: &str, state: &str, networks: &[(&str, &str)]) -> Value {
    let attachments: Vec<_> = networks
        .iter()
        .map(|(id, address)| json!({"Network": {"ID": id}, "Addresses": [format!("{address}/24")]}))
        .collect();
    json!({"ID": id, "ServiceID": service, "Slot": 1, "Status": {"State": state}, "NetworksAttachments": attachments})
}

fn listing(services: Vec<Value>, tasks: Vec<Value>) -> Listing {
    let networks =
        json!([{"Id": "in", "Name": "ingress"}, {"Id": "n1", "Name": "front"}, {"Id": "n2", "Name": "back"}]);
    let read = serde_json::from_value;
    Listing::of(
        read(Value::Array(services)).unwrap(),
        serde_json::from_value(networks).unwrap(),
        serde_json::from_value(Value::Array(tasks)).unwrap(),
    )
}

/// Each router with its rule, each service with its servers, and what is wrong or passed over.
#[track_caller]
fn check(settings: Settings, listing: &Listing, expected: &[&str]) {
    let rules = Swarm::new(Settings { default_rule: "Host(`{{ .Name }}.{{ .ContainerName }}`)".into(), ..settings });
    let said = member::configuration(listing, &rules.unwrap().rules, &|_, _| Ok(()));
    let http = said.configuration.http.unwrap_or_default();
    let routers = http.routers.iter().map(|(name, router)| format!("{name}: {}", router.rule.value));
    let services = http.services.iter().map(|(name, service)| {
        let servers = service.load_balancer.iter().flat_map(|balancer| &balancer.servers);
        format!("{name} → {}", servers.map(|server| server.url.clone()).collect::<Vec<_>>().join(" "))
    });
    let problems = said.problems.0.iter().map(|problem| format!("! {problem}"));
    let passed = said.passed.iter().map(|why| format!("- {why}"));
    let shown: Vec<_> = routers.chain(services).chain(problems).chain(passed).collect();
    assert_eq!(shown, expected);
}

fn port(more: &[(&str, &str)]) -> Value {
    let mut labels = json!({"traefik.http.services.s.loadbalancer.server.port": "80"});
    for (key, value) in more {
        labels[key] = json!(value);
    }
    labels
}

#[test]
fn tasks_become_servers() {
    let labels = port(&[("traefik.http.routers.r.rule", "Path(`/`)")]);
    let tasks = vec![
        task("t1", "a", "running", &[("in", "10.0.0.3"), ("n1", "10.0.1.3")]),
        task("t2", "a", "starting", &[("n1", "10.0.1.4")]),
        task("t3", "a", "running", &[("n1", "10.0.1.5"), ("n2", "10.0.2.5")]),
        task("t4", "a", "running", &[("elsewhere", "10.0.8.5")]),
    ];
    let two = listing(vec![service("a", &labels, &json!({}))], tasks);
    check(Settings::default(), &two, &["r: Path(`/`)", "s → http://10.0.1.3:80 http://10.0.2.5:80"]);
    let front = Settings { network: "front".into(), ..Settings::default() };
    check(front, &two, &["r: Path(`/`)", "s → http://10.0.1.3:80 http://10.0.1.5:80"]);
    assert!(!two.is_settled());
}

#[test]
fn names() {
    let running = |id| task(id, "a", "running", &[("n1", "10.0.1.3")]);
    let one = listing(vec![service("a", &port(&[]), &json!({}))], vec![running("t1")]);
    check(Settings::default(), &one, &["a-web: Host(`a-web.a_web.1`)", "s → http://10.0.1.3:80"]);
    assert!(one.is_settled());
    let global = listing(vec![service("a", &port(&[]), &json!({"Mode": {"Global": {}}}))], vec![running("t1")]);
    check(Settings::default(), &global, &["a-web: Host(`a-web.a_web.t1`)", "s → http://10.0.1.3:80"]);
}

#[test]
fn the_virtual_address() {
    let labels = port(&[("traefik.swarm.lbswarm", "true")]);
    let tasks = || vec![task("t1", "a", "running", &[("n1", "10.0.1.3")])];
    let vip = listing(vec![service("a", &labels, &json!({}))], tasks());
    check(Settings::default(), &vip, &["a-web: Host(`a-web.a_web`)", "s → http://10.0.1.2:80"]);
    let dnsrr = listing(vec![service("a", &labels, &json!({"EndpointSpec": {"Mode": "dnsrr"}}))], tasks());
    check(Settings::default(), &dnsrr, &["a-web: Host(`a-web.a_web.1`)", "s → http://10.0.1.3:80"]);
}

#[test]
fn who_is_not_taken() {
    let tasks = || vec![task("t1", "a", "running", &[("n1", "10.0.1.3")])];
    let of = |labels: &[(&str, &str)]| listing(vec![service("a", &port(labels), &json!({}))], tasks());
    let cautious = || Settings { exposed_by_default: false, ..Settings::default() };
    check(
        cautious(),
        &of(&[]),
        &["- service a_web: traefik.enable is not set, and providers.swarm.exposedByDefault is off"],
    );
    check(cautious(), &of(&[("traefik.enable", "true")]), &["a-web: Host(`a-web.a_web.1`)", "s → http://10.0.1.3:80"]);
    check(Settings::default(), &of(&[("traefik.enable", "false")]), &["- service a_web: traefik.enable is false"]);
    let picky = Settings { constraints: "Label(`zone`, `a`)".into(), ..Settings::default() };
    check(picky, &of(&[]), &["- service a_web: providers.swarm.constraints exclude it"]);
    let both = of(&[("traefik.docker.network", "front"), ("traefik.swarm.network", "front")]);
    let expected = "! service a_web, label traefik.docker.network: both Docker and Swarm labels are defined: traefik.swarm alone is expected";
    check(Settings::default(), &both, &[expected]);
}

#[test]
fn services_without_tasks() {
    let none = listing(vec![service("a", &port(&[]), &json!({}))], Vec::new());
    check(
        Settings::default(),
        &none,
        &["- service a_web: no task of it runs with an address in a network of the swarm"],
    );
    let empty = Settings { allow_empty_services: true, ..Settings::default() };
    check(empty, &none, &["a-web: Host(`a-web.a_web`)", "s → "]);
}

#[test]
fn mistakes_are_told_once() {
    let tasks = || ["t1", "t2"].map(|id| task(id, "a", "running", &[("n1", "10.0.1.3")])).to_vec();
    let missing = listing(vec![service("a", &json!({}), &json!({}))], tasks());
    check(
        Settings::default(),
        &missing,
        &[
            "! service a_web, label traefik.http.services.a-web.loadbalancer.server.port: http.services.a-web.loadbalancer.server.port: port is missing",
        ],
    );
}
