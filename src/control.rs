//! The control plane's loop: what providers say becomes the snapshot in force.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use trafficcop_config::dynamic::Middleware;
use trafficcop_config::{At, ConfigError, ConfigErrors, Problem};
use trafficcop_merger::{Configurations, Inbox, News, Note, Severity};
use trafficcop_provider::publisher::MiddlewareCheck;
use trafficcop_provider::{Event, workshop};
use trafficcop_snapshot::{Builder, Live, Report, Snapshot};

use crate::last_good::LastGood;
use crate::measured::Measured;

/// Everything that the loop works on.
pub(crate) struct Plane {
    pub(crate) inbox: Inbox<Event>,
    /// What is there before any provider has spoken.
    pub(crate) first: Configurations,
    /// Told which providers have been heard, when what they said is in force.
    pub(crate) heard: watch::Sender<BTreeSet<Arc<str>>>,
    pub(crate) builder: Builder,
    pub(crate) live: Arc<Live>,
    /// Told of every configuration that comes into force.
    pub(crate) measured: Measured,
    /// Told of it, too.
    pub(crate) last_good: Option<LastGood>,
    #[cfg(feature = "acme")]
    pub(crate) acme: crate::acme::Acme,
}

/// Runs until every provider is gone. Merging and building happen in the workshop: a large build holds up nothing.
pub(crate) async fn run(plane: Plane) {
    #[cfg(feature = "acme")]
    let acme = plane.acme.clone();
    let Plane { mut inbox, first, heard, mut builder, live, measured, last_good, .. } = plane;
    #[cfg(feature = "acme")]
    let seen = Arc::clone(&live);
    while let Some(round) = inbox.next().await {
        let gathered = Instant::now();
        let names: BTreeSet<_> = round.configurations.keys().chain(round.refused.keys()).cloned().collect();
        if let Some(last_good) = &last_good {
            last_good.keep(&round.configurations);
        }
        let mut configurations = first.clone();
        configurations.extend(round.configurations);
        let live = Arc::clone(&live);
        let built = workshop::work(move || {
            let before = live.current(0);
            let snapshot = builder.apply(&configurations);
            live.swap(&with_refusals(&snapshot, &round.refused));
            tell(&before.report, &snapshot.report);
            builder
        });
        let Some(kept) = built.await else {
            tracing::error!("Building a snapshot failed inside; the last one stays in force.");
            return;
        };
        builder = kept;
        measured.reloaded(gathered.elapsed());
        heard.send_replace(names);
        #[cfg(feature = "acme")]
        acme.tell(&seen.current(0));
    }
}

/// The snapshot, saying also which documents were refused: whoever asks the API is to see why a change had no effect.
/// They are logged where they come by, see [`news`].
fn with_refusals(snapshot: &Arc<Snapshot>, refused: &BTreeMap<Arc<str>, ConfigErrors>) -> Arc<Snapshot> {
    if refused.is_empty() {
        return Arc::clone(snapshot);
    }
    let mut report = Report::clone(&snapshot.report);
    report.notes.extend(refused.values().flat_map(|errors| &errors.0).map(|error| Note::also(error.clone())));
    let (entries, tls, merged) = (snapshot.entries.clone(), Arc::clone(&snapshot.tls), Arc::clone(&snapshot.merged));
    Arc::new(Snapshot { entries, tls, merged, report: Arc::new(report) })
}

/// Logs what is wrong now and was not before.
fn tell(before: &Report, now: &Report) {
    let protocols = [("HTTP", &before.http, &now.http), ("TCP", &before.tcp, &now.tcp), ("UDP", &before.udp, &now.udp)];
    for (protocol, before, now) in protocols {
        let kinds = [
            ("router", &before.routers, &now.routers),
            ("service", &before.services, &now.services),
            ("middleware", &before.middlewares, &now.middlewares),
        ];
        for (kind, before, now) in kinds {
            for (name, object) in now {
                let told = before.get(name).map(|object| object.notes.as_slice()).unwrap_or_default();
                for note in object.notes.iter().filter(|note| !told.contains(note)) {
                    match note.severity {
                        Severity::Error => tracing::error!(protocol, %name, "{kind} is disabled: {}", note.error),
                        Severity::Warning => tracing::warn!(protocol, %name, "{kind}: {}", note.error),
                    }
                }
            }
        }
    }
    for note in now.notes.iter().filter(|note| !before.notes.contains(note)) {
        tracing::warn!("{}", note.error);
    }
}

/// What a provider says, in the merger's words. Refusals are logged here, where every provider's come by.
pub(crate) fn news(event: Event) -> News {
    match event {
        Event::Configuration { provider, configuration, problems } => News::Part { provider, configuration, problems },
        Event::Refused { provider, errors } => {
            for error in &errors.0 {
                tracing::error!(
                    provider = &*provider,
                    "Configuration is refused; the last good one stays in force. {error}"
                );
            }
            News::Refused { provider, errors }
        }
    }
}

/// Kinds for TCP; they are looked at when they are built.
const TCP_KINDS: [&str; 3] = ["inFlightConn", "ipAllowList", "ipWhiteList"];

/// Are a middleware's settings of a form that its kind understands? Providers ask before they publish.
pub(crate) fn middleware_check() -> MiddlewareCheck {
    Arc::new(|path: &str, middleware: &At<Middleware>| {
        let mut errors = Vec::new();
        for (kind, settings) in &middleware.kinds {
            let not_yet = if path.starts_with("tcp.") { &TCP_KINDS[..] } else { &[] };
            match trafficcop_middleware::find(kind) {
                _ if not_yet.iter().any(|known| known.eq_ignore_ascii_case(kind)) => {}
                Some(known) => errors.extend((known.check)(settings).err().into_iter().flat_map(|found| found.0)),
                None => errors.push(ConfigError {
                    at: settings.at.clone(),
                    path: path.to_owned(),
                    problem: Problem::UnknownField {
                        field: kind.to_string(),
                        nearest: trafficcop_middleware::nearest(kind),
                    },
                }),
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(ConfigErrors(errors)) }
    })
}
