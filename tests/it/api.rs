//! What the API says of a running router.

use serde_json::{Value, json};

use crate::support::client::ask_with;
use crate::support::router::routes;
use crate::support::{Backend, Router};

const USER: &str = "u:{SHA}UW4pYzPpPVJQmQuPLYWG4xC9Wyk=";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shows_routers_services_and_middlewares_with_their_state() {
    let back = Backend::start("back").await;
    let text = routes(&["a.test", "b.test"], &[back.url()]).replace(
        "  services:",
        "    guarded: {rule: Host(`c.test`), service: s, middlewares: [auth]}
    broken: {rule: Host(`d.test`), service: missing}
  services:",
    );
    let router = Router::start(&format!("{text}  middlewares: {{auth: {{basicAuth: {{users: ['{USER}']}}}}}}\n")).await;
    router.answers(200, "a.test", "/").await;

    let raw = router.api("/rawdata").await.json();
    assert_eq!(raw["routers"]["a.test@file"]["status"], "enabled");
    assert_eq!(raw["routers"]["broken@file"]["status"], "disabled");
    assert_eq!(raw["routers"]["broken@file"]["error"], json!(["the service \"missing@file\" does not exist"]));
    assert_eq!(raw["services"]["s@file"]["serverStatus"], json!({ back.url(): "UP" }));
    assert_eq!(raw["services"]["s@file"]["usedBy"], json!(["a.test@file", "b.test@file", "guarded@file"]));

    let overview = router.api("/overview").await.json();
    // Three of the internal provider: the API and the dashboard's two.
    assert_eq!(overview["http"]["routers"], json!({"total": 6, "warnings": 0, "errors": 1}));
    assert_eq!(overview["http"]["middlewares"]["errors"], 0);
    assert_eq!(overview["providers"], json!(["File"]));

    let one = router.api("/http/routers/a.test@file").await.json();
    assert_eq!((&one["name"], &one["provider"]), (&json!("a.test@file"), &json!("file")));
    assert_eq!(router.api("/http/routers/nobody@file").await.status, 404);
    assert_eq!(router.api("/nothing").await.status, 404);
    router.app.stop().await;
}

/// Traefik masks none of these, and tools compare what it shows; whoever may not see them may not see the API.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shows_of_secrets_what_traefik_shows() {
    let back = Backend::start("back").await;
    let text = routes(&["a.test"], &[back.url()]).replace(
        "  services:",
        "    b: {rule: Host(`b.test`), service: s, middlewares: [auth, ask]}
  services:",
    );
    let router = Router::start(&format!(
        "{text}  middlewares:
    auth: {{basicAuth: {{users: ['{USER}']}}}}
    ask: {{forwardAuth: {{address: 'http://127.0.0.1:1', tls: {{cert: CERTIFICATE, key: TOP-SECRET}}}}}}
"
    ))
    .await;
    router.answers(200, "a.test", "/").await;
    let raw = router.api("/rawdata").await;
    assert_eq!(raw.json()["middlewares"]["auth@file"]["basicAuth"]["users"], json!([USER]));
    let tls = &raw.json()["middlewares"]["ask@file"]["forwardAuth"]["tls"];
    assert_eq!(tls, &json!({"cert": "CERTIFICATE", "key": "TOP-SECRET"}));
    router.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_sorts_and_searches() {
    let back = Backend::start("back").await;
    let hosts: Vec<String> = (0..25).map(|number| format!("r{number:02}.test")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let router = Router::start(&routes(&hosts, &[back.url()])).await;
    router.answers(200, "r24.test", "/").await;

    let names = |list: &Value| -> Vec<String> {
        let rows = list.as_array().expect("a list").iter();
        rows.map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
    };
    let page = router.api("/http/routers?search=.test&page=2&per_page=10").await;
    assert_eq!(page.header("X-Next-Page"), Some("3"));
    let expected: Vec<_> = (10..20).map(|number| format!("r{number:02}.test@file")).collect();
    assert_eq!(names(&page.json()), expected);
    let last = router.api("/http/routers?search=.test&page=3&per_page=10").await;
    assert_eq!((names(&last.json()).len(), last.header("X-Next-Page")), (5, Some("1")));
    let down = router.api("/http/routers?search=.TEST&direction=desc&per_page=1").await.json();
    assert_eq!(names(&down), ["r24.test@file"]);
    let beyond = router.api("/http/routers?page=9").await;
    assert_eq!(beyond.status, 400);
    assert_eq!(beyond.json(), json!({"message": "invalid request: page: 9, per_page: 100"}));
    router.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_circuit_is_shown_and_closed_by_a_call() {
    let back = Backend::start("back").await;
    let fuse = "{circuitBreaker: {expression: 'ResponseCodeRatio(500, 600, 0, 600) > 0.5', checkPeriod: 1ms, \
                fallbackDuration: 1h}}";
    let text = routes(&["a.test"], &[back.url()]).replace("service: s}", "service: s, middlewares: [fuse]}");
    let settings = "entryPoints: {web: {address: '127.0.0.1:0'}}\napi: {writes: {token: s3cret}}";
    let router = Router::start_with(settings, &format!("{text}  middlewares: {{fuse: {fuse}}}\n")).await;
    router.answers(200, "a.test", "/").await;
    router.answers(503, "a.test", "/status/500").await;
    let breakers = router.api("/x/circuit-breakers").await.json();
    let open = &breakers.as_array().expect("a list").iter().find(|one| one["router"] == "a.test@file").cloned();
    let open = open.as_ref().expect("the breaker is listed");
    assert_eq!((&open["middleware"], &open["state"]), (&json!("fuse@file"), &json!("open")), "{breakers}");
    let (id, api) = (open["id"].as_str().expect("it has a number").to_owned(), router.address("traefik"));
    let call = async |path: String| {
        let lines = "Authorization: Bearer s3cret\r\nX-TrafficCop-Action: 1\r\n";
        ask_with("POST", api, "127.0.0.1", &path, lines).await
    };
    assert_eq!(call("/admin/circuit-breakers/none/reset".to_owned()).await.status, 404);
    assert_eq!(call(format!("/admin/circuit-breakers/{id}/reset")).await.status, 200);
    assert_eq!(router.get("a.test", "/").await.status, 200);
    router.app.stop().await;
}
