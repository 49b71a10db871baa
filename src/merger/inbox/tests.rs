use tokio::time::{Duration, Instant, advance};
use trafficcop_config::dynamic::http::{Http, Router};
use trafficcop_config::{At, ConfigErrors};

use super::*;

fn configuration(rule: &str) -> Arc<Configuration> {
    let router = Router { rule: At::from(rule.to_owned()), ..Router::default() };
    let mut http = Http::default();
    http.routers.insert("r".to_owned(), At::from(router).into());
    Arc::new(Configuration { http: Some(http), ..Configuration::default() })
}

fn says(provider: &str, rule: &str) -> News {
    News::Configuration { provider: provider.into(), configuration: configuration(rule) }
}

fn broken() -> ConfigErrors {
    let problem = trafficcop_config::Problem::Other { message: "broken".to_owned() };
    let error = trafficcop_config::ConfigError { at: trafficcop_config::Origin::Unknown, path: String::new(), problem };
    ConfigErrors(vec![error])
}

fn rule(round: &Round, provider: &str) -> String {
    round.configurations[provider].http.as_ref().unwrap().routers["r"].rule.to_string()
}

fn inbox(throttle: Option<trafficcop_config::Duration>) -> (mpsc::Sender<News>, Inbox<News>) {
    let (send, receive) = mpsc::channel(100);
    (send, Inbox::new(receive, |news| news, throttle, None))
}

#[tokio::test(start_paused = true)]
async fn a_lone_change_goes_at_once_and_a_storm_is_gathered() {
    let (send, mut inbox) = inbox(None);
    let start = Instant::now();
    send.send(says("file", "1")).await.unwrap();
    assert_eq!(rule(&inbox.next().await.unwrap(), "file"), "1");
    assert_eq!(start.elapsed(), Duration::ZERO);

    for number in 2..50 {
        send.send(says("file", &number.to_string())).await.unwrap();
    }
    assert_eq!(rule(&inbox.next().await.unwrap(), "file"), "49");
    assert!(start.elapsed() <= STORM_PAUSE + Duration::from_millis(1), "{:?}", start.elapsed());

    advance(Duration::from_secs(1)).await;
    // The pause counts from the moment of asking, which is long ago only for one who waits.
    let waiting = tokio::spawn(async move { (inbox.next().await, inbox) });
    tokio::task::yield_now().await;
    advance(Duration::from_secs(1)).await;
    let before = Instant::now();
    send.send(says("file", "last")).await.unwrap();
    let (round, _) = waiting.await.unwrap();
    assert_eq!(rule(&round.unwrap(), "file"), "last");
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn building_never_takes_more_than_half_of_the_time() {
    let (send, mut inbox) = inbox(None);
    send.send(says("file", "1")).await.unwrap();
    inbox.next().await.unwrap();
    advance(Duration::from_millis(300)).await;
    let built = Instant::now();
    send.send(says("file", "2")).await.unwrap();
    inbox.next().await.unwrap();
    assert!((300..=302).contains(&built.elapsed().as_millis()), "{:?}", built.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_duration_of_the_user_holds_per_provider() {
    let (send, mut inbox) = inbox(Some(trafficcop_config::Duration::from_secs(2)));
    send.send(says("file", "1")).await.unwrap();
    send.send(says("file", "2")).await.unwrap();
    send.send(says("file", "3")).await.unwrap();
    let start = Instant::now();
    assert_eq!(rule(&inbox.next().await.unwrap(), "file"), "1");
    send.send(says("docker", "1")).await.unwrap();
    assert_eq!(rule(&inbox.next().await.unwrap(), "docker"), "1");
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(rule(&inbox.next().await.unwrap(), "file"), "3");
    assert!((2000..=2002).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_equal_or_unready_is_not_handed_on() {
    let (send, receive) = mpsc::channel(100);
    let mut inbox = Inbox::new(receive, |news| news, None, Some("internal"));
    send.send(says("file", "1")).await.unwrap();
    send.send(says("internal", "i")).await.unwrap();
    let round = inbox.next().await.unwrap();
    assert_eq!(round.configurations.len(), 2);
    send.send(says("file", "1")).await.unwrap();
    drop(send);
    assert!(inbox.next().await.is_none(), "an equal configuration is no news");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_leaves_the_last_word_in_force_until_the_next() {
    let (send, mut inbox) = inbox(None);
    send.send(says("file", "1")).await.unwrap();
    inbox.next().await.unwrap();
    send.send(News::Refused { provider: "file".into(), errors: broken() }).await.unwrap();
    let round = inbox.next().await.unwrap();
    assert_eq!((rule(&round, "file").as_str(), round.refused.len()), ("1", 1));
    send.send(says("file", "1")).await.unwrap();
    assert!(inbox.next().await.unwrap().refused.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_left_out_is_told_until_it_is_not() {
    let (send, mut inbox) = inbox(None);
    let said = |problems| News::Part { provider: "docker".into(), configuration: configuration("1"), problems };
    send.send(said(broken())).await.unwrap();
    assert_eq!(inbox.next().await.unwrap().refused.len(), 1);
    send.send(said(ConfigErrors::default())).await.unwrap();
    assert!(inbox.next().await.unwrap().refused.is_empty());
}
