//! Keys behind a URL: fetched when first needed, kept, fetched again when they are old or a token names an unknown key.
//!
//! While a fetch fails the last keys stay in use. One fetch runs at a time, whichever worker began it; a flood of tokens
//! with invented key names costs one fetch in ten seconds.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use trafficcop_exchange::{Exchange, Method, Request, Service, Target};
use url::Url;

use super::keys::KeySet;

/// The shortest time between two fetches.
const PAUSE: Duration = Duration::from_secs(10);
/// The largest answer that is read.
const MAX_ANSWER: u64 = 1 << 20;

pub(super) struct Remote {
    pub(super) service: Arc<dyn Service>,
    pub(super) url: Url,
    /// For a whole fetch, repetitions included.
    pub(super) deadline: Duration,
    pub(super) retries: u32,
    /// Age at which keys are fetched again.
    pub(super) refresh: Duration,
    pub(super) state: Mutex<State>,
    pub(super) done: Notify,
}

#[derive(Default)]
pub(super) struct State {
    keys: Option<(Arc<KeySet>, Instant)>,
    tried: Option<Instant>,
    is_busy: bool,
}

/// What is to be done for keys.
enum Plan {
    Use(Option<Arc<KeySet>>),
    Fetch,
}

/// Gives the turn back, also when the request that fetched is dropped.
struct Turn<'a>(&'a Remote);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state.lock().is_busy = false;
        self.0.done.notify_waiters();
    }
}

impl Remote {
    /// The keys; fetched anew when they are old or `serve` says that they will not do.
    pub(super) async fn keys(&self, cx: &Exchange, serve: impl Fn(&KeySet) -> bool) -> Option<Arc<KeySet>> {
        let mut waited = false;
        loop {
            // Made before looking, so that no end of a fetch is missed.
            let done = self.done.notified();
            let plan = {
                let mut state = self.state.lock();
                let now = Instant::now();
                let fresh = state.keys.as_ref().is_some_and(|(_, at)| now.duration_since(*at) < self.refresh);
                let enough = state.keys.as_ref().is_some_and(|(keys, _)| serve(keys));
                let rested = state.tried.is_none_or(|tried| now.duration_since(tried) >= PAUSE);
                let kept = state.keys.as_ref().map(|(keys, _)| Arc::clone(keys));
                if enough && (fresh || state.is_busy || !rested) || waited {
                    Some(Plan::Use(kept))
                } else if state.is_busy {
                    None
                } else if rested {
                    state.is_busy = true;
                    state.tried = Some(now);
                    Some(Plan::Fetch)
                } else {
                    Some(Plan::Use(kept))
                }
            };
            match plan {
                Some(Plan::Use(keys)) => return keys,
                Some(Plan::Fetch) => {
                    let _turn = Turn(self);
                    if let Some(keys) = timeout(self.deadline, self.fetch(cx)).await.ok().flatten() {
                        self.state.lock().keys = Some((Arc::new(keys), Instant::now()));
                    }
                }
                None => drop(timeout(self.deadline, done).await),
            }
            waited = true;
        }
    }

    async fn fetch(&self, cx: &Exchange) -> Option<KeySet> {
        for _ in 0..=self.retries {
            match self.ask(cx).await {
                Ok(keys) => return Some(keys),
                Err(error) => tracing::warn!(url = %self.url, error, "The keys could not be fetched."),
            }
        }
        None
    }

    async fn ask(&self, cx: &Exchange) -> Result<KeySet, String> {
        let target = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        };
        let mut request = Request::new(Method::GET, Target::parse(Bytes::from(target)));
        request.headers.append("Accept", "application/json");
        // What becomes of this question is not what becomes of the request.
        let mut own = Exchange::new(cx.connection.clone());
        let mut answer = self.service.call(request, &mut own).await;
        if let Some(fault) = &own.fault {
            return Err(fault.source.to_string());
        }
        if !answer.status.is_success() {
            return Err(format!("answered {}", answer.status));
        }
        let body = answer.body.collect(MAX_ANSWER).await.map_err(|error| error.to_string())?;
        KeySet::jwks(&body)
    }
}
