//! [`Mirror`]: shows on this instance's entry points what other instances have to show to an authority.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use trafficcop_kv::Shared;

use crate::lock::now;
use crate::stage::Stage;

pub(crate) const CHALLENGE: &str = "challenge/";
/// How long an answer may be of use; whoever wrote it is gone by then.
const USEFUL: u64 = 3600;

/// An answer as it is shared.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Answer {
    /// Seconds since 1970.
    until: u64,
    name: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
enum What {
    Http {
        token: String,
        authorization: String,
    },
    /// In base64.
    Tls {
        digest: String,
    },
}

impl Answer {
    pub(crate) fn http(name: &str, token: &str, authorization: &str) -> Self {
        let what = What::Http { token: token.to_owned(), authorization: authorization.to_owned() };
        Self { until: now() + USEFUL, name: name.to_owned(), what }
    }

    pub(crate) fn tls(name: &str, digest: &[u8]) -> Self {
        Self { until: now() + USEFUL, name: name.to_owned(), what: What::Tls { digest: STANDARD.encode(digest) } }
    }

    pub(crate) fn show(&self, stage: &Stage) -> Result<(), String> {
        match &self.what {
            What::Http { token, authorization } => stage.answers.put(token, &self.name, authorization),
            What::Tls { digest } => {
                stage.show_tls(&self.name, &STANDARD.decode(digest).map_err(|error| error.to_string())?)?;
            }
        }
        Ok(())
    }

    pub(crate) fn hide(&self, stage: &Stage) {
        match &self.what {
            What::Http { token, .. } => stage.answers.remove(token),
            What::Tls { .. } => stage.challenges.remove(&self.name),
        }
    }
}

/// One per shared storage.
#[derive(Default)]
pub(crate) struct Mirror(BTreeMap<String, Answer>);

impl Mirror {
    /// Shows what is there now and no longer what is gone.
    pub(crate) fn follow(&mut self, shared: &Shared, stage: &Stage) {
        // While the store is away, what was there stays: it may be asked for just now.
        let Ok(pairs) = shared.pairs() else { return };
        let mut there = BTreeMap::new();
        for (key, value) in pairs.into_iter().filter(|(key, _)| key.starts_with(CHALLENGE)) {
            match serde_json::from_slice::<Answer>(&value) {
                Ok(answer) if answer.until > now() => drop(there.insert(key, answer)),
                _ => sweep(shared, key, value),
            }
        }
        for (_, gone) in self.0.iter().filter(|(key, answer)| there.get(*key) != Some(answer)) {
            gone.hide(stage);
        }
        for (_, new) in there.iter().filter(|(key, answer)| self.0.get(*key) != Some(answer)) {
            if let Err(error) = new.show(stage) {
                tracing::warn!(name = new.name, "A challenge of another instance cannot be answered: {error}");
            }
        }
        self.0 = there;
    }
}

/// Takes away what an instance left behind.
fn sweep(shared: &Shared, key: String, value: Vec<u8>) {
    let shared = shared.clone();
    tokio::spawn(async move {
        // It does not matter whether another instance was faster.
        let _gone = shared.swap(&key, Some(&value), None).await;
    });
}
