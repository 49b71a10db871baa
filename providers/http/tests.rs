//! What is fetched from a server of ours, and what comes of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use trafficcop_config::settings::providers::Http as Settings;
use trafficcop_provider::{Event, Provider, Publisher};

use crate::Http;

/// Answers each request with the next of `answers`; the last is repeated. Requests are kept.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

async fn server(answers: &[&str]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/dynamic", listener.local_addr().expect("an address"));
    let mut answers: VecDeque<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                request.push(byte);
            }
            kept.lock().expect("no panic").push(String::from_utf8_lossy(&request).into_owned());
            let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
            let _client_may_be_gone = stream.write_all(answer.unwrap_or_default().as_bytes()).await;
        }
    });
    Server { url, requests }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}", body.len())
}

fn yaml(router: &str) -> String {
    format!("http: {{routers: {{{router}: {{rule: Host(`a`), service: s}}}}}}")
}

fn started(settings: Settings) -> mpsc::Receiver<Event> {
    let (send, events) = mpsc::channel(8);
    let out = Publisher::new("http", send, Arc::new(|_, _| Ok(())));
    let interval = "10ms".parse().expect("a duration");
    let mut http = Http::new(Settings { poll_interval: interval, ..settings }).expect("the settings are right");
    tokio::spawn(async move { http.run(&out).await });
    events
}

/// The names of the routers that are published next, or the errors.
async fn next(events: &mut mpsc::Receiver<Event>) -> Result<Vec<String>, String> {
    match timeout(Duration::from_secs(10), events.recv()).await.expect("an event in time").expect("it runs") {
        Event::Configuration { configuration, .. } => {
            Ok(configuration.http.iter().flat_map(|http| http.routers.keys().cloned()).collect())
        }
        Event::Refused { errors, .. } => Err(errors.to_string()),
    }
}

#[tokio::test]
async fn each_notation_is_read() {
    let json = r#"{"http":{"routers":{"b":{"rule":"Host(`a`)","service":"s"}}}}"#;
    let toml = "[http.routers.c]\nrule = \"Host(`a`)\"\nservice = \"s\"";
    let server = server(&[
        &answer("200 OK", "", &yaml("a")),
        &answer("200 OK", "Content-Type: application/json\r\n", json),
        &answer("200 OK", "Content-Type: application/toml\r\n", toml),
    ])
    .await;
    let headers = [("X-Key".to_owned(), "secret".to_owned()), ("Host".to_owned(), "config.test".to_owned())].into();
    let mut events = started(Settings { endpoint: server.url.clone(), headers, ..Settings::default() });
    for name in ["a", "b", "c"] {
        assert_eq!(next(&mut events).await, Ok(vec![name.to_owned()]));
    }
    let first = server.requests.lock().expect("no panic")[0].to_lowercase();
    assert!(first.contains("x-key: secret\r\n") && first.contains("host: config.test\r\n"), "{first}");
}

#[tokio::test]
async fn what_is_no_good_changes_nothing_and_is_told() {
    let server = server(&[
        &answer("200 OK", "", &yaml("a")),
        &answer("500 Oh", "", "no"),
        &answer("200 OK", "", "http: {routers: {a: {ruel: x}}}"),
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhttp:",
        &answer("200 OK", "", &"x".repeat(2000)),
        &answer("200 OK", "", &yaml("b")),
    ])
    .await;
    let settings = Settings { endpoint: server.url.clone(), max_response_body_size: 1000, ..Settings::default() };
    let mut events = started(settings);
    assert_eq!(next(&mut events).await, Ok(vec!["a".to_owned()]));
    let refused = next(&mut events).await.unwrap_err();
    assert!(refused.starts_with(&server.url), "{refused}");
    assert!(refused.contains("node: ruel (did you mean rule?)"), "{refused}");
    assert_eq!(next(&mut events).await, Ok(vec!["b".to_owned()]));
}

#[tokio::test]
async fn marks_are_sent_back_to_whom_they_came_from() {
    let first = server(&[
        &answer("200 OK", "ETag: \"1\"\r\nLast-Modified: Tue, 01 Jan 2030 00:00:00 GMT\r\n", &yaml("a")),
        &answer("304 Not Modified", "", ""),
        &answer("500 Oh", "", ""),
        &answer("200 OK", "", &yaml("c")),
    ])
    .await;
    let second = server(&[&answer("200 OK", "", &yaml("b"))]).await;
    let endpoints = vec![second.url.clone()];
    let mut events = started(Settings { endpoint: first.url.clone(), endpoints, ..Settings::default() });
    for name in ["a", "b", "c"] {
        assert_eq!(next(&mut events).await, Ok(vec![name.to_owned()]));
    }
    let requests = first.requests.lock().expect("no panic").clone();
    let has_marks = |request: &String| {
        let request = request.to_lowercase();
        request.contains("if-none-match: \"1\"") && request.contains("if-modified-since: tue, 01 jan 2030")
    };
    let marks: Vec<_> = requests.iter().take(4).map(has_marks).collect();
    assert_eq!(marks, [false, true, true, false], "the last one comes after another endpoint's document");
    assert!(!has_marks(&second.requests.lock().expect("no panic")[0]));
}

#[test]
fn settings_that_can_never_work() {
    let error = |settings| Http::new(settings).map(drop).unwrap_err().to_string();
    assert_eq!(error(Settings::default()), "providers.http.endpoint is missing");
    let endpoint = "http://a.test".to_owned();
    let none = trafficcop_config::Duration::ZERO;
    let settings = Settings { endpoint: endpoint.clone(), poll_interval: none, ..Settings::default() };
    assert_eq!(error(settings), "providers.http.pollInterval must be greater than 0");
    let headers = [("a b".to_owned(), String::new())].into();
    let settings = Settings { endpoint, headers, ..Settings::default() };
    assert_eq!(error(settings), "providers.http.headers.a b: expected the name of a header");
}
