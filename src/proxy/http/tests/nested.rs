//! Services made of services.

use std::sync::Arc;

use trafficcop_balancer::Status;
use trafficcop_config::dynamic::http as config;
use trafficcop_exchange::{Body, Exchange, LocalBoxFuture, Method, Request, Response, Service, StatusCode};

use super::streams::pieces;
use crate::BuildError;
use crate::http::testing::*;
use crate::http::{Child, Failover, HighestRandomWeight, Mirrored, Mirroring, Weighted};

/// Answers with its name and the body it got.
struct Named(&'static str, u16);

impl Service for Named {
    fn call<'a>(&'a self, mut request: Request, _: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let mut response = Response::new(StatusCode::from_u16(self.1).unwrap());
            let body = request.body.collect(1 << 20).await.unwrap();
            response.body = Body::from([self.0.as_bytes(), &body].concat());
            response
        })
    }
}

fn child(name: &'static str, health: Option<&Arc<Status>>) -> Child {
    Child { name: name.into(), weight: None, service: Arc::new(Named(name, 200)), health: health.cloned() }
}

fn sticky() -> config::Sticky {
    config::Sticky { cookie: Some(config::Cookie { name: "lvl".into(), ..config::Cookie::default() }), header: None }
}

#[tokio::test]
async fn weighted_by_weight() {
    let children = ["a", "b", "c"].into_iter().zip([3, 1, 0]);
    let children = children.map(|(name, weight)| Child { weight: Some(weight), ..child(name, None) }).collect();
    let service = Weighted::new("w@file", &config::Weighted::default(), children).unwrap();
    let mut counts = [0, 0, 0];
    for _ in 0..16 {
        let (_, name) = get(&*service).await;
        counts[["a", "b", "c"].iter().position(|known| **known == name).unwrap()] += 1;
    }
    assert_eq!(counts, [12, 4, 0]);
    assert!(service.health().is_none());
}

#[tokio::test]
async fn weighted_and_sticky() {
    let settings = config::Weighted { sticky: Some(sticky()), ..config::Weighted::default() };
    let service = Weighted::new("w@file", &settings, vec![child("a", None), child("b", None)]).unwrap();
    let mut response = service.call(request(Method::GET, "/"), &mut exchange()).await;
    let cookie = response.headers.get_str("set-cookie").unwrap().to_owned();
    let home = text(&mut response).await;
    assert_eq!(cookie, format!("lvl={}; Path=/", trafficcop_balancer::sticky::value(&home)));
    for _ in 0..4 {
        let mut request = request(Method::GET, "/");
        request.headers.append("Cookie", cookie.split(';').next().unwrap().to_owned());
        let mut response = service.call(request, &mut exchange()).await;
        assert_eq!(text(&mut response).await, home);
        assert!(!response.headers.contains("set-cookie"));
    }
}

#[tokio::test]
async fn states_go_up_where_they_are_declared() {
    let (a, b) = (Status::leaf(), Status::leaf());
    let settings = config::Weighted { health_check: Some(config::HealthPropagation {}), ..config::Weighted::default() };
    let service = Weighted::new("w@file", &settings, vec![child("a", Some(&a)), child("b", Some(&b))]).unwrap();
    let health = service.health().unwrap();
    a.set(false);
    for _ in 0..4 {
        assert_eq!(get(&*service).await, (200, "b".into()));
    }
    b.set(false);
    assert!(!health.is_up());
    assert_eq!(get(&*service).await, (503, "no available server\n".into()));
    let without = Weighted::new("w@file", &settings, vec![child("a", None)]);
    assert!(matches!(without, Err(BuildError::ChildWithoutHealthCheck { child, .. }) if child == "a"));
}

#[tokio::test]
async fn the_address_decides() {
    let children = vec![child("a", None), child("b", None)];
    let service = HighestRandomWeight::new("h@file", &config::HighestRandomWeight::default(), children).unwrap();
    let (_, home) = get(&*service).await;
    for _ in 0..4 {
        assert_eq!(get(&*service).await, (200, home.clone()));
    }
}

fn failover(status: &[&str], limit: i64) -> config::Failover {
    let status = status.iter().map(|status| (*status).to_owned()).collect();
    let errors = config::FailoverErrors { max_request_body_bytes: limit, status };
    config::Failover { errors: Some(errors), ..config::Failover::default() }
}

#[tokio::test]
async fn failover_by_health() {
    let (main, fallback) = (Status::leaf(), Status::leaf());
    let settings =
        config::Failover { health_check: Some(config::FailoverHealth::default()), ..config::Failover::default() };
    let service = Failover::new("f@file", &settings, child("a", Some(&main)), child("b", Some(&fallback))).unwrap();
    assert_eq!(get(&*service).await.1, "a");
    main.set(false);
    assert_eq!(get(&*service).await.1, "b");
    fallback.set(false);
    assert_eq!(get(&*service).await, (503, "Service Unavailable\n".into()));
    assert!(!service.health().unwrap().is_up());
    assert!(Failover::new("f@file", &config::Failover::default(), child("a", None), child("b", None)).is_err());
}

#[tokio::test]
async fn failover_by_status() {
    let main = |status| Child { service: Arc::new(Named("a", status)), ..child("a", None) };
    let service = |status, limit| {
        Failover::new("f@file", &failover(&["500-504"], limit), main(status), child("b", None)).unwrap()
    };
    let post = || with_body(request(Method::POST, "/"), "+pay");
    assert_eq!(ask(&*service(503, -1), post()).await, (200, "b+pay".into()));
    assert_eq!(ask(&*service(418, 4), post()).await, (418, "a+pay".into()));
    assert_eq!(ask(&*service(503, 3), post()).await, (413, "Request body too large\n".into()));
}

async fn mirrored(
    settings: config::Mirroring,
    percent: i64,
    requests: impl IntoIterator<Item = Request>,
) -> Vec<String> {
    worker(async {
        let mirror = Backend::answering("mirror").await;
        let mirrors = vec![Mirrored { service: servers(&[&mirror.url]), percent }];
        let service = Mirroring::new("m@file", &settings, child("a", None), mirrors).unwrap();
        let mut count = 0;
        for request in requests {
            let (status, body) = ask(&*service, request).await;
            assert_eq!(status, 200);
            assert!(body.starts_with('a'), "{body}");
            count += 1;
        }
        // Every request that will be mirrored is on its way by now; they are let through before anybody counts.
        for _ in 0..count * 50 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        mirror.seen().iter().map(|seen| seen.split("\r\n\r\n").last().unwrap().to_owned()).collect()
    })
    .await
}

fn post(body: &'static str) -> Request {
    with_body(request(Method::POST, "/"), body)
}

#[tokio::test]
async fn mirrors_get_their_share_and_the_body() {
    let posts = || std::iter::repeat_with(|| post("pay")).take(8);
    assert_eq!(mirrored(config::Mirroring::default(), 50, posts()).await, ["pay"; 4]);
    assert_eq!(mirrored(config::Mirroring::default(), 100, posts().take(1)).await, ["pay"]);
    assert!(mirrored(config::Mirroring::default(), 0, posts()).await.is_empty());
}

#[tokio::test]
async fn bodies_that_are_not_mirrored() {
    let small = config::Mirroring { max_body_size: 4, ..config::Mirroring::default() };
    let streamed = with_body(request(Method::POST, "/"), pieces(&["hel", "lo"], None));
    assert_eq!(mirrored(small, 100, [post("hell"), post("hello"), streamed]).await, ["hell"]);
    let nobody = config::Mirroring { mirror_body: false, ..config::Mirroring::default() };
    assert_eq!(mirrored(nobody, 100, [post("hello"), request(Method::GET, "/")]).await, [""]);
}

#[test]
fn percents_have_limits() {
    let mirrors = vec![Mirrored { service: Arc::new(Named("m", 200)), percent: 101 }];
    assert!(Mirroring::new("m@file", &config::Mirroring::default(), child("a", None), mirrors).is_err());
}
