//! Engines old and new, and proxies that say little.

use super::Watched;
use super::fake::{Engine, Manners};

async fn check(oldest: &'static str, newest: &'static str, manners: Manners, wanted: Option<&str>, expected: &str) {
    let engine = Engine::start(oldest, newest, manners);
    engine.put("web", "10.0.0.1", &[]);
    let mut watched = Watched::start(&engine.settings(), wanted);
    assert_eq!(watched.next().await, ["web: Host(`web`) -> web", "web = http://10.0.0.1:80"], "{newest} {manners:?}");
    let requests = engine.requests();
    let listed = format!("GET /v{expected}/containers/json");
    assert!(requests.contains(&listed), "{listed} is not in {requests:?}");
    let allowed = ["_ping", "version", "containers/json", "containers/web/json", "events"];
    for request in &requests {
        let (method, path) = request.split_once(" /").unwrap();
        let path = path.strip_prefix('v').and_then(|rest| rest.split_once('/')).map_or(path, |(_, path)| path);
        assert!(matches!(method, "GET" | "HEAD") && allowed.contains(&path), "{request}");
    }
}

#[tokio::test]
async fn open_engines() {
    check("1.12", "1.24", Manners::Open, None, "1.24").await;
    check("1.12", "1.40", Manners::Open, None, "1.40").await;
    check("1.24", "1.44", Manners::Open, None, "1.44").await;
    check("1.44", "1.52", Manners::Open, None, "1.52").await;
    // Newer than all we know of.
    check("1.44", "1.99", Manners::Open, None, "1.53").await;
}

#[tokio::test]
async fn ping_is_refused() {
    check("1.12", "1.24", Manners::NoPing, None, "1.24").await;
    check("1.44", "1.52", Manners::NoPing, None, "1.52").await;
    check("1.60", "1.70", Manners::NoPing, None, "1.60").await;
}

#[tokio::test]
async fn everything_but_containers_is_refused() {
    check("1.12", "1.24", Manners::Silent, None, "1.24").await;
    check("1.12", "1.40", Manners::Silent, None, "1.40").await;
    check("1.24", "1.44", Manners::Silent, None, "1.44").await;
    check("1.44", "1.52", Manners::Silent, None, "1.44").await;
    check("1.50", "1.54", Manners::Silent, None, "1.50").await;
}

#[tokio::test]
async fn the_version_is_told() {
    check("1.24", "1.52", Manners::Open, Some("1.41"), "1.41").await;
    check("1.24", "1.52", Manners::Open, Some("v1.45 "), "1.45").await;
    check("1.24", "1.52", Manners::Open, Some(""), "1.52").await;
}
