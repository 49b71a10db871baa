//! A cache at work: what it gives again, what the API says of it, and how it is emptied.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Backend, Router, soon};

async fn delete(router: &Router, path: &str) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(router.address("traefik")).await.expect("the router listens");
        let request = format!("DELETE /api/x/cache{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("the request can be sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("the answer can be read");
        String::from_utf8_lossy(&answer).into_owned()
    };
    soon("DELETE", exchange).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_kept_is_given_again_until_it_is_emptied() {
    let back = Backend::start("back").await;
    let router = Router::start(&format!(
        "http:
  routers:
    kept: {{rule: Host(`kept.test`), service: s, middlewares: [cache]}}
    strict: {{rule: Host(`strict.test`), service: s, middlewares: [strict]}}
  middlewares:
    cache: {{cache: {{defaultTtl: 1h, purge: true}}}}
    strict: {{cache: {{defaultTtl: 1h}}}}
  services: {{s: {{loadBalancer: {{servers: [{{url: '{}'}}]}}}}}}
",
        back.url()
    ))
    .await;
    let told = async |path: &str| {
        let answer = router.get("kept.test", path).await;
        let status = answer.header("Cache-Status").unwrap_or("-").split("; ttl").next().unwrap_or("-").to_owned();
        (status, answer.header("Age").is_some(), answer.body)
    };
    router.answers(200, "kept.test", "/first").await;
    let (miss, hit) = (told("/a").await, told("/a").await);
    assert_eq!((miss.0.as_str(), hit.0.as_str()), ("TrafficCop; fwd=uri-miss; stored", "TrafficCop; hit"));
    assert_eq!((hit.1, hit.2), (true, miss.2));
    let caches = router.api("/x/cache").await.json();
    let mine = caches.as_array().expect("a list").iter().find(|cache| cache["router"] == "kept@file");
    assert_eq!(mine.map(|cache| cache["entries"].as_u64()), Some(Some(2)), "{caches}");
    assert!(delete(&router, "?router=strict@file").await.starts_with("HTTP/1.1 404 "));
    let gone = delete(&router, "?router=kept@file&url=http://kept.test/a").await;
    assert!(gone.ends_with("{\"removed\":1}\n") || gone.ends_with("{\"removed\":1}"), "{gone}");
    assert_eq!(told("/a").await.0, "TrafficCop; fwd=uri-miss; stored");
    assert_eq!(told("/first").await.0, "TrafficCop; hit");
    router.app.stop().await;
}
