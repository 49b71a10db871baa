//! # cache
//!
//! Keeps answers and gives them again while they are fresh, as RFC 9111 says for shared caches; an extension.
//!
//! ```yaml
//! middlewares:
//!   kept: {cache: {maxBytes: 67108864, staleWhileRevalidate: 30s, staleIfError: 1h}}
//! ```
//!
//! Kept are answers to GET whose headers allow it and that have a lifetime or a validator, up to `maxEntryBytes` each and
//! `maxBytes` together; what was not asked for longest goes first. Each router has its own cache, which survives whatever
//! leaves the middleware as it is. `defaultTtl` is the lifetime of answers with 200 that say nothing of theirs (0: they are
//! not kept, unless `Last-Modified` lets one be guessed). Answers with `Set-Cookie` are never kept.
//!
//! What is stale is asked for again with its validators. `stale-while-revalidate` and `stale-if-error` of the answer (or
//! the options of that name, where it has none) give it at once and ask behind it, or give it when the service fails.
//! Requests for the same that come together wait for the first. HEAD, conditions and ranges are answered from what is
//! kept. POST, PUT, PATCH and DELETE that worked drop it. `Cache-Status` (RFC 9211) says what was done, `Age` how old it is.
//!
//! `GET /api/x/cache` lists the caches; with `purge: true` one may be emptied: `DELETE /api/x/cache?router=shop@file`, with
//! `&url=https://shop.example.org/a` of one address, with a `*` at its end of all that begin like it.

mod answer;
mod directives;
mod list;
mod store;
mod stored;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use trafficcop_config::Duration;
use trafficcop_exchange::{Around, Body, Exchange, LocalBoxFuture, Method, Next, Request, Response};

pub use self::list::{Cached, caches, purge};
use self::store::Store;
use crate::{BuildError, ChainBuilder, Middleware};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Cache {
    /// Bytes of memory, all answers together.
    max_bytes: i64,
    /// Bytes of one body; what is longer passes unkept.
    max_entry_bytes: i64,
    /// The lifetime of answers with 200 that say nothing of theirs.
    default_ttl: Duration,
    /// How long what is stale may be given while it is asked for anew, where the answer does not say.
    stale_while_revalidate: Duration,
    /// How long what is stale may be given when the service fails, where the answer does not say.
    stale_if_error: Duration,
    /// Whether the API may empty it.
    purge: bool,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_entry_bytes: 1 << 20,
            default_ttl: Duration::ZERO,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            purge: false,
        }
    }
}

impl Middleware for Cache {
    const NAME: &'static str = "cache";

    fn build(self, chain: &mut ChainBuilder<'_>) -> Result<(), BuildError> {
        let (Ok(most), Ok(most_each)) = (usize::try_from(self.max_bytes), usize::try_from(self.max_entry_bytes)) else {
            return Err(BuildError::invalid("maxBytes and maxEntryBytes must be 0 or more"));
        };
        let kept = Arc::new(Kept {
            router: chain.router.into(),
            middleware: chain.name.into(),
            may_be_purged: self.purge,
            most_each: most_each.min(most),
            default_ttl: self.default_ttl.positive(),
            while_revalidate: self.stale_while_revalidate.positive().unwrap_or_default(),
            if_error: self.stale_if_error.positive().unwrap_or_default(),
            began: (SystemTime::now(), Instant::now()),
            store: Store::new(most),
        });
        list::register(&kept);
        chain.around(Caching(kept));
        Ok(())
    }
}

/// One router's cache.
struct Kept {
    router: Box<str>,
    middleware: Box<str>,
    may_be_purged: bool,
    most_each: usize,
    default_ttl: Option<std::time::Duration>,
    while_revalidate: std::time::Duration,
    if_error: std::time::Duration,
    /// What the clocks said when it was built.
    began: (SystemTime, Instant),
    store: Store,
}

impl Kept {
    /// The time of day that never goes backwards.
    fn now(&self) -> SystemTime {
        self.began.0 + self.began.1.elapsed()
    }
}

/// The middleware.
struct Caching(Arc<Kept>);

impl Around for Caching {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response> {
        let is_read = req.method == Method::GET || req.method == Method::HEAD;
        if is_read && req.upgrade.is_none() && matches!(req.body, Body::Empty) {
            return Box::pin(answer::answer(&self.0, req, cx, next));
        }
        let is_safe = is_read || req.method == Method::OPTIONS || req.method == Method::TRACE;
        Box::pin(async move {
            let key = (!is_safe).then(|| answer::key(&req, cx));
            let mut response = next.run(req, cx).await;
            if let Some(key) = key
                && (response.status.is_success() || response.status.is_redirection())
            {
                self.0.store.remove(&key);
            }
            response.headers.append("Cache-Status", "TrafficCop; fwd=method");
            response
        })
    }
}
