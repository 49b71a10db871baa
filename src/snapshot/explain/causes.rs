//! What is wrong beyond single routers, and which host was probably meant.

use trafficcop_config::suggest::nearest;
use trafficcop_router::Syntax;
use trafficcop_router::rule::parse_http;

use super::Explanation;
use crate::Snapshot;

/// Most remarks of a snapshot that are repeated.
const MAX_NOTES: usize = 10;

/// Adds what may be to blame when nothing serves the request: documents, labels and containers that were left out.
pub(super) fn add(snapshot: &Snapshot, found: &mut Explanation) {
    if found.winner.is_some() {
        return;
    }
    found.causes.extend(snapshot.report.notes.iter().take(MAX_NOTES).map(|note| note.error.to_string()));
    if found.entry_point.is_some() {
        found.causes.push("no router holds: the answer is 404".to_owned());
    }
}

/// The host among those of all routers that is most like this one.
pub(super) fn similar_host(snapshot: &Snapshot, host: &str) -> Option<String> {
    let mut hosts = Vec::new();
    for router in snapshot.merged.http.routers.values() {
        let settings = &router.object.settings.value;
        if let Ok(rule) = parse_http(&settings.rule, Syntax::named(&settings.rule_syntax)) {
            hosts.extend(rule.domains());
        }
    }
    nearest(host, hosts.iter().map(String::as_str)).map(str::to_owned)
}
