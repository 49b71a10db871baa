//! Keys behind a URL that change, vanish and come back.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::advance;
use trafficcop_exchange::{Exchange, LocalBoxFuture, Request, Response, Service, StatusCode};

use super::super::keys::{Algorithm, KeySet};
use super::super::remote::{Remote, State};
use crate::testing;

/// Answers with the set, or 500 when there is none, and counts.
#[derive(Default)]
struct Login(Mutex<(Option<String>, usize)>);

impl Service for Login {
    fn call<'a>(&'a self, _: Request, _: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        let mut login = self.0.lock();
        login.1 += 1;
        let mut response = Response::new(if login.0.is_some() { StatusCode::OK } else { StatusCode::BAD_GATEWAY });
        response.body = login.0.clone().unwrap_or_default().into();
        Box::pin(async move {
            tokio::task::yield_now().await;
            response
        })
    }
}

impl Login {
    fn serve(&self, id: Option<&str>) {
        self.0.lock().0 = id.map(|id| format!(r#"{{"keys":[{{"kty":"oct","kid":"{id}","k":"c2VjcmV0"}}]}}"#));
    }
    fn asked(&self) -> usize {
        self.0.lock().1
    }
}

/// Is the key of that name to be had?
async fn has(remote: &Remote, id: &str) -> bool {
    let serves = |keys: &KeySet| keys.serves(Algorithm::Hs256, Some(id));
    remote.keys(&testing::exchange(), serves).await.is_some_and(|keys| serves(&keys))
}

#[tokio::test(start_paused = true)]
async fn keys_are_kept_rotated_and_used_on_while_the_url_fails() {
    let login = Arc::new(Login::default());
    let remote = Remote {
        service: login.clone(),
        url: "http://login.test/keys".parse().expect("a URL"),
        deadline: Duration::from_secs(5),
        retries: 1,
        refresh: Duration::from_mins(15),
        state: Mutex::new(State::default()),
        done: Notify::new(),
    };
    assert!(!has(&remote, "one").await, "the URL fails");
    assert_eq!(login.asked(), 2, "one repetition");
    login.serve(Some("one"));
    assert!(!has(&remote, "one").await, "not again at once");
    advance(Duration::from_secs(10)).await;
    let both = futures_util::future::join(has(&remote, "one"), has(&remote, "one")).await;
    assert_eq!((both, login.asked()), ((true, true), 3), "one fetch for two");
    login.serve(Some("two"));
    assert!(has(&remote, "one").await && !has(&remote, "two").await, "a flood of unknown names asks no more");
    assert_eq!(login.asked(), 3);
    advance(Duration::from_secs(10)).await;
    assert!(has(&remote, "two").await, "rotated");
    assert!(!has(&remote, "one").await, "and gone");
    login.serve(None);
    advance(Duration::from_secs(1000)).await;
    assert!(has(&remote, "two").await, "old keys serve while the URL fails");
    assert!(login.asked() > 4);
}
