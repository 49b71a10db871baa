//! The engine goes away and comes back.

use super::Watched;
use super::fake::{Engine, Manners};

#[tokio::test]
async fn what_was_published_stays_until_the_engine_is_back() {
    let mut engine = Engine::modern();
    engine.put("a", "10.0.0.1", &[]);
    let mut watched = Watched::start(&engine.settings(), None);
    assert_eq!(watched.next().await, ["a: Host(`a`) -> a", "a = http://10.0.0.1:80"]);
    engine.followed().await;
    engine.shut().await;
    // Changes while nobody looks.
    engine.put("b", "10.0.0.2", &[]);
    engine.open();
    assert_eq!(
        watched.next().await,
        ["a: Host(`a`) -> a", "b: Host(`b`) -> b", "a = http://10.0.0.1:80", "b = http://10.0.0.2:80"]
    );
    // Only what is new was inspected.
    let inspections = |id: &str| engine.requests().iter().filter(|line| line.ends_with(&format!("/{id}/json"))).count();
    assert_eq!((inspections("a"), inspections("b")), (1, 1));
    // And events are followed again.
    engine.followed().await;
    engine.put("c", "10.0.0.3", &[]);
    engine.tell("c", "start");
    assert!(watched.next().await.contains(&"c = http://10.0.0.3:80".to_owned()));
}

#[tokio::test]
async fn an_engine_that_comes_late() {
    let mut engine = Engine::modern();
    engine.put("a", "10.0.0.1", &[]);
    engine.shut().await;
    let mut watched = Watched::start(&engine.settings(), None);
    tokio::task::yield_now().await;
    engine.open();
    assert_eq!(watched.next().await, ["a: Host(`a`) -> a", "a = http://10.0.0.1:80"]);
}

#[tokio::test]
async fn without_watch_it_lists_once() {
    let engine = Engine::modern();
    engine.put("a", "10.0.0.1", &[]);
    let mut settings = engine.settings();
    settings.watch = false;
    let mut watched = Watched::start(&settings, None);
    assert_eq!(watched.next().await, ["a: Host(`a`) -> a", "a = http://10.0.0.1:80"]);
    (&mut watched.work).await.unwrap();
    assert!(!engine.requests().iter().any(|line| line.ends_with("/events")));
    assert!(watched.events.recv().await.is_none());
}

#[tokio::test]
async fn events_are_refused() {
    let engine = Engine::start("1.24", "1.52", Manners::NoEvents);
    engine.put("a", "10.0.0.1", &[]);
    let mut watched = Watched::start(&engine.settings(), None);
    assert_eq!(watched.next().await, ["a: Host(`a`) -> a", "a = http://10.0.0.1:80"]);
    engine.put("b", "10.0.0.2", &[]);
    assert!(watched.next().await.contains(&"b = http://10.0.0.2:80".to_owned()), "it lists again");
}

#[tokio::test]
async fn an_engine_without_containers_publishes_nothing_to_route() {
    let engine = Engine::modern();
    let mut watched = Watched::start(&engine.settings(), None);
    assert_eq!(watched.next().await, [""; 0]);
}
