//! A store of ours that does as it is told, and what is published of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use trafficcop_config::dynamic::Configuration;
use trafficcop_provider::{Event, Publisher};

use super::*;

/// Opens with what it is told first, then says what it is told next.
struct Told(mpsc::Receiver<Result<Change, StoreError>>);

impl Store for Told {
    const NAME: &'static str = "teststore";

    async fn open(&mut self) -> Result<Pairs, StoreError> {
        match self.next().await? {
            Change::Whole(pairs) => Ok(pairs),
            Change::Keys(_) => unreachable!("the test opens it with all there is"),
        }
    }

    async fn next(&mut self) -> Result<Change, StoreError> {
        match self.0.recv().await {
            Some(said) => said,
            None => std::future::pending().await,
        }
    }
}

type Say = mpsc::Sender<Result<Change, StoreError>>;

fn started() -> (Say, mpsc::Receiver<Event>, Publisher) {
    let ((say, told), (send, events)) = (mpsc::channel(4096), mpsc::channel(64));
    let out = Publisher::new("teststore", send, Arc::new(|_, _| Ok(())));
    let mine = out.clone();
    tokio::spawn(async move { watch(&mut Told(told), "traefik", &mine).await });
    (say, events, out)
}

fn whole(keys: &[(&str, &str)]) -> Change {
    let mut pairs = Pairs::default();
    for (key, value) in keys {
        pairs.put((*key).to_owned(), value.as_bytes().to_vec()).expect("it is small");
    }
    Change::Whole(pairs)
}

fn key(key: &str, value: Option<&str>) -> Change {
    Change::Keys(vec![(key.to_owned(), value.map(|value| value.as_bytes().to_vec()))])
}

/// Routers and their rules, or what is refused.
async fn next(events: &mut mpsc::Receiver<Event>) -> Result<Vec<String>, String> {
    match events.recv().await.expect("it runs") {
        Event::Configuration { configuration, .. } => Ok(rules(&configuration)),
        Event::Refused { errors, .. } => Err(errors.to_string()),
    }
}

fn rules(configuration: &Configuration) -> Vec<String> {
    let routers = configuration.http.iter().flat_map(|http| &http.routers);
    routers.map(|(name, router)| format!("{name} {}", router.rule.value)).collect()
}

const A: (&str, &str) = ("traefik/http/routers/a/rule", "x");

#[tokio::test(start_paused = true)]
async fn one_key_changes() {
    let (say, mut events, _) = started();
    say.send(Ok(whole(&[A]))).await.expect("it runs");
    assert_eq!(next(&mut events).await, Ok(vec!["a x".to_owned()]));
    say.send(Ok(key("traefik/http/routers/b/rule", Some("y")))).await.expect("it runs");
    assert_eq!(next(&mut events).await, Ok(vec!["a x".to_owned(), "b y".to_owned()]));
    say.send(Ok(key(A.0, None))).await.expect("it runs");
    assert_eq!(next(&mut events).await, Ok(vec!["b y".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_storm_is_one_configuration() {
    let (say, mut events, _) = started();
    say.send(Ok(whole(&[A]))).await.expect("it runs");
    next(&mut events).await.expect("it is good");
    for number in 0..1000 {
        say.send(Ok(key(A.0, Some(&number.to_string())))).await.expect("it runs");
    }
    assert_eq!(next(&mut events).await, Ok(vec!["a 999".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn rubbish_and_loss_change_nothing_and_are_told() {
    let (say, mut events, out) = started();
    say.send(Ok(whole(&[A]))).await.expect("it runs");
    next(&mut events).await.expect("it is good");
    say.send(Ok(key("traefik/http/routers/a/ruel", Some("y")))).await.expect("it runs");
    let refused = next(&mut events).await.unwrap_err();
    assert_eq!(
        refused,
        "teststore, key traefik/http/routers/a/ruel: http.routers.a.ruel: field not found, node: ruel (did you mean rule?)"
    );
    let bytes =
        Change::Keys(vec![("traefik/http/routers/a/ruel".to_owned(), None), (A.0.to_owned(), Some(vec![0xff]))]);
    say.send(Ok(bytes)).await.expect("it runs");
    let refused = next(&mut events).await.unwrap_err();
    assert_eq!(refused, "teststore, key traefik/http/routers/a/rule: the value is not UTF-8 text");
    say.send(Err(StoreError::lost("gone"))).await.expect("it runs");
    say.send(Ok(whole(&[("traefik/http/routers/b/rule", "z")]))).await.expect("it runs");
    assert_eq!(next(&mut events).await, Ok(vec!["b z".to_owned()]));
    assert_eq!(out.state().show().is_up, Some(true));
}

#[tokio::test(start_paused = true)]
async fn the_same_read_again_is_no_change() {
    let (say, mut events, _) = started();
    for _ in 0..3 {
        say.send(Ok(whole(&[A]))).await.expect("it runs");
    }
    next(&mut events).await.expect("it is good");
    let more = tokio::time::timeout(Duration::from_secs(5), events.recv()).await;
    assert!(more.is_err(), "{more:?}");
}

#[test]
fn too_much_is_refused() {
    let mut pairs = Pairs::default();
    pairs.put("a".into(), vec![0; MAX_BYTES - 1]).expect("it just fits");
    assert_eq!(pairs.clone().put("b".into(), vec![0]), Err(StoreError::TooLarge));
    pairs.put("a".into(), vec![0]).expect("it takes the other's place");
    assert_eq!((pairs.len(), pairs.bytes()), (1, 2));
}
