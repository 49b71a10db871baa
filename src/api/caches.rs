//! `/api/x/cache`: what the caches of routers hold, and how to empty those that allow it. Ours; Traefik has none.

use serde_json::{Value, json};
use trafficcop_exchange::StatusCode;
use trafficcop_middleware::Cached;

use crate::answer::Answer;
use crate::page::Query;

pub(crate) fn list() -> Answer {
    let shown = |cache: &Cached| {
        json!({
            "router": cache.router,
            "middleware": cache.middleware,
            "entries": cache.entries,
            "bytes": cache.bytes,
            "hits": cache.hits,
            "misses": cache.misses,
            "stored": cache.stored,
            "purge": cache.may_be_purged,
        })
    };
    Answer::json(&Value::from(trafficcop_middleware::caches().iter().map(shown).collect::<Vec<_>>()))
}

/// `DELETE`, with `router` and `url` as parameters.
pub(crate) fn purge(query: &Query) -> Answer {
    let given = |name: &str| Some(query.get(name)).filter(|value| !value.is_empty()).map(ToOwned::to_owned);
    let (router, url) = (given("router"), given("url"));
    match trafficcop_middleware::purge(router.as_deref(), url.as_deref()) {
        Some(count) => Answer::json(&json!({ "removed": count })),
        None => Answer::Message(
            StatusCode::NOT_FOUND,
            "no cache of that router may be emptied; its middleware has to say `purge: true`".to_owned(),
        ),
    }
}
