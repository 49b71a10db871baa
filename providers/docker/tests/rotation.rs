//! Containers come and go while the provider watches.

use serde_json::json;
use tokio::time::Instant;

use super::Watched;
use super::fake::Engine;

const SHOP: [(&str, &str); 2] =
    [("traefik.http.routers.shop.rule", "Path(`/`)"), ("traefik.http.services.shop.loadbalancer.server.port", "80")];

async fn two_replicas() -> (Engine, Watched) {
    let engine = Engine::modern();
    engine.put("a", "10.0.0.1", &SHOP);
    engine.put("b", "10.0.0.2", &SHOP);
    let mut watched = Watched::start(&engine.settings(), None);
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = http://10.0.0.1:80 http://10.0.0.2:80"]);
    engine.followed().await;
    (engine, watched)
}

#[tokio::test]
async fn one_comes() {
    let (engine, mut watched) = two_replicas().await;
    engine.put("c", "10.0.0.3", &SHOP);
    let told = Instant::now();
    engine.tell("c", "start");
    assert_eq!(
        watched.next().await,
        ["shop: Path(`/`) -> shop", "shop = http://10.0.0.1:80 http://10.0.0.2:80 http://10.0.0.3:80"]
    );
    assert!(told.elapsed().as_millis() < 500, "it took {:?}", told.elapsed());
    let inspected: Vec<_> = engine
        .requests()
        .into_iter()
        .filter(|line| line.ends_with("/json") && !line.ends_with("containers/json"))
        .collect();
    assert_eq!(inspected.len(), 3, "only the new one is inspected: {inspected:?}");
}

#[tokio::test]
async fn one_is_told_to_end() {
    let (engine, mut watched) = two_replicas().await;
    engine.tell_with("a", "kill", &json!({"signal": "15"}));
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = http://10.0.0.2:80"]);
    engine.take("a");
    engine.tell("a", "die");
    engine.tell("a", "destroy");
    engine.tell_with("b", "kill", &json!({"signal": "9"}));
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = "]);
}

#[tokio::test]
async fn a_signal_that_ends_nobody() {
    let (engine, mut watched) = two_replicas().await;
    engine.tell_with("a", "kill", &json!({"signal": "1"}));
    engine.tell_with("b", "kill", &json!({"signal": "15"}));
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = http://10.0.0.1:80"]);
}

#[tokio::test]
async fn one_stands_still_for_a_while() {
    let (engine, mut watched) = two_replicas().await;
    engine.tell("a", "pause");
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = http://10.0.0.2:80"]);
    engine.tell("a", "unpause");
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = http://10.0.0.1:80 http://10.0.0.2:80"]);
}

#[tokio::test]
async fn health_decides() {
    let engine = Engine::modern();
    let health = |status: &'static str| {
        move |container: &mut serde_json::Value| container["State"]["Health"] = json!({"Status": status})
    };
    engine.put("a", "10.0.0.1", &SHOP);
    engine.put_with("b", "10.0.0.2", &SHOP, health("starting"));
    let mut watched = Watched::start(&engine.settings(), None);
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = http://10.0.0.1:80"]);
    engine.followed().await;
    engine.put_with("b", "10.0.0.2", &SHOP, health("healthy"));
    engine.tell("b", "health_status: healthy");
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = http://10.0.0.1:80 http://10.0.0.2:80"]);
    engine.put_with("b", "10.0.0.2", &SHOP, health("unhealthy"));
    engine.tell("b", "health_status: unhealthy");
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = http://10.0.0.1:80"]);
}

#[tokio::test]
async fn a_storm_is_gathered() {
    let engine = Engine::modern();
    let mut watched = Watched::start(&engine.settings(), None);
    watched.next().await;
    engine.followed().await;
    for index in 0..100 {
        let id = format!("c{index:03}");
        engine.put(&id, &format!("10.0.1.{index}"), &SHOP);
        engine.tell(&id, "start");
    }
    let mut publications = 0;
    loop {
        publications += 1;
        let servers = watched.next().await.last().map_or(0, |line| line.matches("http://").count());
        if servers == 100 {
            break;
        }
    }
    assert!(publications <= 20, "{publications} publications for one storm");
}

#[tokio::test]
async fn networks_matter() {
    let engine = Engine::modern();
    let guest = |container: &mut serde_json::Value| {
        container["HostConfig"]["NetworkMode"] = json!("container:vpn");
        container["NetworkSettings"] = json!({"Ports": {}, "Networks": {}});
    };
    engine.put_with("a", "", &SHOP, guest);
    engine.put("vpn", "10.0.0.9", &[("traefik.enable", "false")]);
    let host = |container: &mut serde_json::Value| {
        container["HostConfig"]["NetworkMode"] = json!("host");
        container["NetworkSettings"] = json!({"Ports": {}, "Networks": {"host": {"IPAddress": ""}}});
    };
    engine.put_with("h", "", &[("traefik.http.services.h.loadbalancer.server.port", "81")], host);
    let mut watched = Watched::start(&engine.settings(), None);
    let lines = watched.next().await;
    assert!(lines.contains(&"shop = http://10.0.0.9:80".to_owned()), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("h = http://") && line.ends_with(":81")), "{lines:?}");
}

#[tokio::test]
async fn a_bad_container_is_told_of() {
    let engine = Engine::modern();
    engine.put("a", "10.0.0.1", &SHOP);
    engine.put("bad", "10.0.0.2", &[("traefik.http.routers.x.rul", "Path(`/`)")]);
    let mut watched = Watched::start(&engine.settings(), None);
    assert_eq!(
        watched.next().await,
        [
            "shop: Path(`/`) -> shop",
            "shop = http://10.0.0.1:80",
            "! container bad, label traefik.http.routers.x.rul: http.routers.x.rul: field not found, node: rul (did you mean rule?)",
        ]
    );
}

#[tokio::test]
async fn an_inspection_that_was_overtaken() {
    let (engine, mut watched) = two_replicas().await;
    engine.put("c", "10.0.0.3", &SHOP);
    let release = engine.hold("c");
    engine.tell("c", "start");
    engine.held().await;
    engine.take("c");
    engine.tell("c", "die");
    // Events keep their order: when the next one has had its effect, so has this one.
    engine.tell_with("b", "kill", &json!({"signal": "15"}));
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = http://10.0.0.1:80"]);
    release.notify_one();
    engine.put("d", "10.0.0.4", &SHOP);
    engine.tell("d", "start");
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = http://10.0.0.1:80 http://10.0.0.4:80"]);
}

#[tokio::test]
async fn one_that_cannot_be_inspected_does_not_hold_up_the_others() {
    let engine = Engine::modern();
    engine.put("a", "10.0.0.1", &SHOP);
    engine.put("b", "10.0.0.2", &SHOP);
    let release = engine.hold("b");
    let mut watched = Watched::start(&engine.settings(), None);
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = http://10.0.0.1:80"]);
    release.notify_one();
    assert_eq!(watched.next().await, ["shop: Path(`/`) -> shop", "shop = http://10.0.0.1:80 http://10.0.0.2:80"]);
}
