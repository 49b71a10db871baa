//! What is put, what is answered, and what is published.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use trafficcop_exchange::{ConnectionInfo, Exchange, Method, Request, Service, Target};
use trafficcop_provider::{Event, Publisher};

use super::Rest;

/// Puts `body` at `path`: status, answer, and the names of the routers that were published.
async fn put(method: Method, path: &'static str, body: &str) -> (u16, String, Option<Vec<String>>) {
    let (send, mut events) = mpsc::channel(4);
    let rest = Rest::new(Publisher::new("rest", send, Arc::new(|_, _| Ok(()))));
    let mut request = Request::new(method, Target::parse(Bytes::from_static(path.as_bytes())));
    request.body = body.to_owned().into();
    let nobody = ([127, 0, 0, 1], 0).into();
    let connection = ConnectionInfo::new("traefik".into(), nobody, nobody, None).into();
    let mut response = rest.call(request, &mut Exchange::new(connection)).await;
    let text = response.body.collect(1 << 20).await.expect("a body");
    let published = match events.try_recv() {
        Ok(Event::Configuration { configuration, .. }) => {
            Some(configuration.http.iter().flat_map(|http| http.routers.keys().cloned()).collect())
        }
        _ => None,
    };
    (response.status.as_u16(), String::from_utf8_lossy(&text).into_owned(), published)
}

#[tokio::test]
async fn a_configuration_is_published_and_shown() {
    let body = r#"{"http":{"routers":{"a":{"rule":"Host(`a`)","service":"s"}}}}"#;
    let (status, text, published) = put(Method::PUT, "/api/providers/rest", body).await;
    assert_eq!((status, published), (200, Some(vec!["a".to_owned()])));
    assert!(text.contains(r#""rule":"Host(`a`)""#), "{text}");
}

#[tokio::test]
async fn unknown_keys_are_passed_over() {
    let body =
        r#"{"x":1,"http":{"routers":{"a.b":{"rule":"Host(`a`)","ruel":2,"tls":{"domains":[{"main":"a","mian":1}]}}}}}"#;
    let (status, text, published) = put(Method::PUT, "/api/providers/rest", body).await;
    assert_eq!((status, published), (200, Some(vec!["a.b".to_owned()])), "{text}");
}

#[tokio::test]
async fn what_cannot_be_read_changes_nothing() {
    let (status, text, published) = put(Method::PUT, "/api/providers/rest", r#"{"http":{"routers":[1]}}"#).await;
    assert_eq!((status, published), (400, None));
    assert!(text.contains("http.routers"), "{text}");
    let (status, text, published) = put(Method::PUT, "/api/providers/rest", "{").await;
    assert_eq!((status, published), (400, None));
    assert!(text.contains("PUT /api/providers/rest:1:"), "{text}");
}

#[tokio::test]
async fn other_requests() {
    let (status, text, _) = put(Method::PUT, "/api/providers/file", "{}").await;
    assert_eq!((status, text.as_str()), (400, "Only 'rest' provider can be updated through the REST API\n"));
    assert_eq!(put(Method::GET, "/api/providers/rest", "").await.0, 405);
    assert_eq!(put(Method::PUT, "/api/providers/rest/x", "{}").await.0, 404);
    assert_eq!(put(Method::PUT, "/api/providers/", "{}").await.0, 404);
}
