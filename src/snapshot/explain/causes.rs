//! What is wrong beyond single routers, and which host was probably meant.

use trafficcop_config::Name;
use trafficcop_config::settings::Settings;
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

/// The router that serves the request may ask somebody for its certificate who does not exist.
pub(super) fn resolver(snapshot: &Snapshot, settings: &Settings, found: &mut Explanation) {
    let Some(winner) = &found.winner else { return };
    let router = snapshot.merged.http.routers.get(&Name::qualify(&winner.router, ""));
    let Some(tls) = router.and_then(|router| router.object.settings.tls.as_ref()) else { return };
    let known = &settings.certificates_resolvers;
    let why = match known.get(&tls.cert_resolver) {
        _ if tls.cert_resolver.is_empty() => return,
        Some(resolver) if resolver.acme.is_some() => return,
        Some(_) => "which has no acme and so brings none".to_owned(),
        None => {
            let meant = nearest(&tls.cert_resolver, known.keys().map(String::as_str));
            let hint = meant.map(|meant| format!(" (did you mean {meant}?)")).unwrap_or_default();
            format!("which does not exist{hint}")
        }
    };
    found.causes.push(format!(
        "{} asks the certificate resolver {} for its certificate, {why}: the answer comes with another certificate, or with \
         the default one",
        winner.router, tls.cert_resolver
    ));
}

/// The host among those of all routers that is most like this one.
pub(super) fn similar_host(snapshot: &Snapshot, host: &str) -> Option<String> {
    let mut hosts = Vec::new();
    for router in snapshot.merged.http.routers.values() {
        let settings = &router.object.settings.value;
        if let Ok(rule) = parse_http(&settings.rule, Syntax::named(&settings.rule_syntax)) {
            hosts.extend(rule.domains().iter().cloned());
        }
    }
    nearest(host, hosts.iter().map(String::as_str)).map(str::to_owned)
}
