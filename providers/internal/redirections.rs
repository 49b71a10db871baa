//! Redirections of everything that arrives at an entry point, to another entry point or port.

use trafficcop_config::dynamic::http::{Http, Router};
use trafficcop_config::settings::Settings;
use trafficcop_config::settings::entry_points::RedirectEntryPoint;
use trafficcop_config::{At, EntryAddress};

use crate::{OWN_SYNTAX, flag, map, middleware, text};

/// Every request that says a host.
const EVERYTHING: &str = "HostRegexp(`^.+$`)";
const EVERYTHING_BUT_ACME: &str = "HostRegexp(`^.+$`) && !PathPrefix(`/.well-known/acme-challenge/`)";

pub(crate) fn add(settings: &Settings, http: &mut Http) {
    for (name, entry_point) in &settings.entry_points {
        let Some(redirection) = &entry_point.http.redirections.entry_point else { continue };
        let port = match port(settings, redirection) {
            Ok(port) => port,
            Err(problem) => {
                tracing::error!(entryPointName = name, "Redirection is not possible: {problem}.");
                continue;
            }
        };
        let router_name = normalize(&format!("{name}-to-{}", redirection.to));
        let middleware_name = format!("redirect-{router_name}");
        let rule = if entry_point.allow_acme_by_pass { EVERYTHING_BUT_ACME } else { EVERYTHING };
        let router = Router {
            entry_points: vec![name.clone()],
            middlewares: vec![middleware_name.clone()],
            service: "noop@internal".to_owned(),
            rule: At::from(rule.to_owned()),
            rule_syntax: OWN_SYNTAX.to_owned(),
            priority: redirection.priority,
            ..Router::default()
        };
        http.routers.insert(router_name, router.into());
        let settings = map([
            ("scheme", text(&redirection.scheme)),
            ("port", text(&port)),
            ("permanent", flag(redirection.permanent)),
        ]);
        middleware(http, &middleware_name, "redirectScheme", settings);
    }
}

/// The port to redirect to, or why there is none.
fn port(settings: &Settings, redirection: &RedirectEntryPoint) -> Result<String, String> {
    let to = &redirection.to;
    if to.is_empty() {
        return Err("the entry point or the port is missing".to_owned());
    }
    if let Some(port) = to.strip_prefix(':').filter(|port| port.bytes().all(|digit| digit.is_ascii_digit())) {
        return Ok(port.to_owned());
    }
    let target = settings.entry_points.get(to).ok_or_else(|| {
        let known = settings.entry_points.keys().map(String::as_str);
        let hint = trafficcop_config::suggest::nearest(to, known);
        let hint = hint.map(|nearest| format!(" (did you mean {nearest}?)")).unwrap_or_default();
        format!("'to' names the entry point {to}, which does not exist{hint}")
    })?;
    let address: EntryAddress = target.address.parse().map_err(|error| format!("{error}"))?;
    Ok(address.port.to_string())
}

/// Letters and digits, and a dash for whatever is between them.
fn normalize(name: &str) -> String {
    let words: Vec<_> = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}
