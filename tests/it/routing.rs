//! From the file to the answer: routes, balancing, middlewares, and what stays closed.

use std::collections::BTreeSet;

use crate::support::router::routes;
use crate::support::{Backend, Router};

/// A user `u` with the password `p`.
const AUTH: &str = "basicAuth: {users: ['u:{SHA}UW4pYzPpPVJQmQuPLYWG4xC9Wyk=']}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_by_host_and_path_and_balances() {
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let router = Router::start(&format!(
        "http:
  routers:
    host: {{rule: Host(`a.test`), service: both}}
    path: {{rule: Host(`a.test`) && PathPrefix(`/two`), service: two}}
  services:
    both: {{loadBalancer: {{servers: [{{url: '{}'}}, {{url: '{}'}}]}}}}
    two: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}
",
        one.url(),
        two.url(),
        two.url()
    ))
    .await;
    router.answers(200, "a.test", "/").await;
    let mut seen = Vec::new();
    for _ in 0..8 {
        seen.push(router.get("a.test", "/x?y=z").await.body);
    }
    let names: BTreeSet<_> = seen.iter().filter_map(|body| body.lines().next()).collect();
    assert_eq!(names, BTreeSet::from(["one", "two"]), "every server gets its share");
    assert!(seen.iter().all(|body| body.contains("\nGET /x?y=z HTTP/1.1\r\nHost: a.test\r\n")), "{seen:?}");
    for _ in 0..4 {
        assert!(router.get("a.test", "/two/x").await.body.starts_with("two\n"), "the longer rule wins");
    }
    let none = router.get("b.test", "/").await;
    assert_eq!((none.status, none.body.as_str()), (404, "404 page not found\n"));
    assert_eq!(none.header("Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!(none.header("X-Content-Type-Options"), Some("nosniff"));
    router.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn middlewares_run_in_the_order_in_which_they_are_named() {
    let back = Backend::start("back").await;
    let middlewares = "  middlewares:
    strip: {stripPrefix: {prefixes: [/api]}}
    add: {addPrefix: {prefix: /v1}}
    both: {chain: {middlewares: [strip, add]}}
    told: {headers: {customRequestHeaders: {X-Asked: by-us}, customResponseHeaders: {X-Told: by-us}}}
";
    let text = routes(&["plain.test"], &[back.url()]).replace(
        "  services:",
        "    there: {rule: Host(`there.test`), service: s, middlewares: [strip, add]}
    back: {rule: Host(`back.test`), service: s, middlewares: [add, strip]}
    chain: {rule: Host(`chain.test`), service: s, middlewares: [told, both]}
  services:",
    );
    let router = Router::start(&format!("{text}{middlewares}")).await;
    router.answers(200, "plain.test", "/").await;
    let path = |body: &str| body.lines().nth(1).and_then(|line| line.split(' ').nth(1)).map(str::to_owned);
    assert_eq!(path(&router.get("there.test", "/api/x").await.body).as_deref(), Some("/v1/x"));
    assert_eq!(path(&router.get("back.test", "/api/x").await.body).as_deref(), Some("/v1/api/x"));
    let chained = router.get("chain.test", "/api/x").await;
    assert_eq!(path(&chained.body).as_deref(), Some("/v1/x"));
    assert!(chained.body.contains("\r\nX-Asked: by-us\r\n"), "{chained:?}");
    assert_eq!(chained.header("X-Told"), Some("by-us"));
    router.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistake_closes_what_it_concerns_and_nothing_else() {
    let back = Backend::start("back").await;
    let text = routes(&["good.test"], &[back.url()]).replace(
        "  services:",
        "    typo: {rule: Hots(`typo.test`), service: s}
    lost: {rule: Host(`lost.test`), service: s, middlewares: [ad]}
    nowhere: {rule: Host(`nowhere.test`), service: t}
  services:",
    );
    let router = Router::start(&format!("{text}  middlewares: {{add: {{addPrefix: {{prefix: /v1}}}}}}\n")).await;
    router.answers(200, "good.test", "/").await;
    for host in ["typo.test", "lost.test", "nowhere.test"] {
        assert_eq!(router.get(host, "/").await.status, 404, "{host}");
    }
    let problem = router.reports(&["typo@file", "Hots"]).await;
    assert!(problem["message"].as_str().is_some_and(|text| text.contains("Host")), "{problem}");
    assert!(problem["place"].as_str().is_some_and(|place| place.contains("dynamic.yml:")), "{problem}");
    router.reports(&["lost@file", "ad@file", "add"]).await;
    router.reports(&["nowhere@file", "t@file"]).await;
    router.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_is_never_open_because_its_guard_failed() {
    let back = Backend::start("back").await;
    // Each names a guard that cannot be built, or that is not there, alone and inside of others.
    let guards = "  middlewares:
    sound: {AUTH}
    no-hash: {basicAuth: {users: ['u']}}
    no-users: {basicAuth: {users: []}}
    no-file: {basicAuth: {usersFile: /nowhere/users}}
    no-range: {ipAllowList: {sourceRange: [not-a-range]}}
    digest: {digestAuth: {users: ['u:realm']}}
    around: {chain: {middlewares: [no-hash, sound]}}
    gone: {chain: {middlewares: [sound, nobody]}}
    nobody-knows: {plugin: {guard: {key: value}}}
";
    let names = ["sound", "no-hash", "no-users", "no-file", "no-range", "digest", "around", "gone", "nobody-knows"];
    let router_of =
        |name: &&str| format!("    {name}: {{rule: Host(`{name}.test`), service: s, middlewares: [{name}]}}\n");
    let routers = names.iter().map(router_of).collect::<Vec<_>>().concat();
    let text = routes(&["open.test"], &[back.url()]).replace("  services:", &format!("{routers}  services:"));
    let router = Router::start(&format!("{text}{}", guards.replace("AUTH", AUTH))).await;
    router.answers(200, "open.test", "/").await;
    for name in names {
        let answer = router.get(&format!("{name}.test"), "/").await;
        let expected = if name == "sound" { 401 } else { 404 };
        assert_eq!(answer.status, expected, "{name}: {answer:?}");
    }
    router.app.stop().await;
}
