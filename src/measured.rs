//! The access log and the metrics that the settings ask for, and what metrics show of the configuration in force.

use std::sync::Arc;
use std::time::Duration;

use trafficcop_api::Window;
use trafficcop_config::settings::{Settings, observability as config};
use trafficcop_observe::access::Access;
use trafficcop_observe::metrics::{Certificate, Metrics, Present, Prometheus, ProviderState, Pusher, Server, World};
use trafficcop_observe::{Nobody, Observer, Pulse, Recorder, Tail};
use trafficcop_provider::States;

use crate::exports::Exports;
use crate::receivers::{self, Where};

/// How long the last lines of the access log may take to be written when the router stops.
const LAST_LINES: Duration = Duration::from_secs(2);

/// What is on.
#[derive(Clone, Default)]
pub(crate) struct Measured {
    access: Option<Arc<Access>>,
    metrics: Option<Arc<Metrics>>,
    /// Of the providers.
    states: States,
    /// Sent to where, and what is counted for it.
    pushed: Vec<(Where, Arc<Metrics>)>,
    exports: Exports,
    /// For the dashboard.
    pulse: Option<Arc<Pulse>>,
    tail: Option<Arc<Tail>>,
}

impl Measured {
    /// An access log that cannot be opened is an error in the log and nothing more: traffic goes first.
    pub(crate) fn new(settings: &Settings) -> Self {
        let open = |settings, sent| match Access::new(settings, sent) {
            Ok(access) => Some(Arc::new(access)),
            Err(error) => {
                tracing::error!(%error, "Unable to create access logger: the access log cannot be opened.");
                None
            }
        };
        let prometheus = settings.metrics.as_ref().and_then(|metrics| metrics.prometheus.as_ref());
        let measured = |prometheus: &config::Prometheus| {
            let tcp = |name: &&String| {
                settings.entry_points.get(*name).is_some_and(|entry| entry.listen().is_ok_and(|address| !address.udp))
            };
            Arc::new(Metrics::new(prometheus, settings.entry_points.keys().filter(tcp).map(String::as_str)))
        };
        let pushed = settings.metrics.iter().flat_map(receivers::all);
        let pushed = pushed.map(|(to, labels)| (to, measured(&labels))).collect();
        let (exports, sent) = Exports::new(settings);
        let shown = settings.api.as_ref().filter(|api| api.dashboard);
        let tail = shown.and_then(|api| api.live_tail.as_ref());
        let tail = tail.map(|tail| Tail::new(usize::try_from(tail.size).unwrap_or(0), tail.sample_rate));
        Self {
            access: settings.access_log.as_ref().and_then(|log| open(log, sent)),
            exports,
            metrics: prometheus.map(measured),
            states: States::default(),
            pushed,
            pulse: shown.map(|_| Arc::default()),
            tail: tail.map(Arc::new),
        }
    }

    /// How providers fare; filled in by whoever starts them.
    pub(crate) fn states(&self) -> &States {
        &self.states
    }

    /// Begins to send metrics to whom the settings name. What cannot be begun is an error in the log: traffic goes first.
    pub(crate) fn push(&self, settings: &Settings, window: &Window) -> Vec<Pusher> {
        let Some(metrics) = &settings.metrics else { return Vec::new() };
        let begin = |(to, counted): &(Where, Arc<Metrics>)| {
            let world = self.in_force(window);
            match Pusher::start(Arc::clone(counted), world, to(metrics)?) {
                Ok(pusher) => Some(pusher),
                Err(error) => {
                    tracing::error!(%error, "Metrics cannot be sent.");
                    None
                }
            }
        };
        self.pushed.iter().filter_map(begin).collect()
    }

    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        if self.access.is_none()
            && self.metrics.is_none()
            && self.pushed.is_empty()
            && self.pulse.is_none()
            && self.exports.tracer.is_none()
        {
            return Arc::new(Nobody);
        }
        let pushed = self.pushed.iter().map(|(_, metrics)| Arc::clone(metrics)).collect();
        let recorder = Recorder::new(self.access.clone(), self.metrics.clone(), pushed);
        recorder.watched(self.pulse.clone(), self.tail.clone()).traced(self.exports.tracer.clone()).observer()
    }

    pub(crate) fn pulse(&self) -> Option<Arc<Pulse>> {
        self.pulse.clone()
    }

    pub(crate) fn tail(&self) -> Option<Arc<Tail>> {
        self.tail.clone()
    }

    /// The service behind `prometheus@internal`.
    pub(crate) fn prometheus(&self, window: &Window) -> Option<Prometheus> {
        Some(Prometheus::new(Arc::clone(self.metrics.as_ref()?), self.in_force(window)))
    }

    fn in_force(&self, window: &Window) -> InForce {
        let pushed = self.pushed.iter().map(|(_, metrics)| Arc::clone(metrics)).collect();
        let (access, exports, states) = (self.access.clone(), self.exports.clone(), self.states.clone());
        InForce { window: window.clone(), access, exports, states, pushed }
    }

    /// A new configuration is in force.
    pub(crate) fn reloaded(&self, took: Duration) {
        for metrics in self.metrics.iter().chain(self.pushed.iter().map(|(_, metrics)| metrics)) {
            metrics.reloaded(took);
        }
    }

    /// Opens the access log's file anew. Never waits.
    pub(crate) fn reopen(&self) {
        if let Some(access) = &self.access {
            access.reopen();
        }
    }

    /// Has the last lines written. Not to be called where waiting is forbidden.
    pub(crate) fn flush(&self, pushers: &[Pusher]) {
        for pusher in pushers {
            pusher.flush(LAST_LINES);
        }
        if let Some(access) = &self.access {
            access.flush(LAST_LINES);
        }
        self.exports.flush(LAST_LINES);
    }
}

/// The configuration that the traffic sees.
struct InForce {
    window: Window,
    access: Option<Arc<Access>>,
    exports: Exports,
    states: States,
    pushed: Vec<Arc<Metrics>>,
}

impl World for InForce {
    fn present(&self) -> Present {
        let lost_lines = self.access.as_ref().map(|access| access.lost());
        let failed_pushes =
            (!self.pushed.is_empty()).then(|| self.pushed.iter().map(|metrics| metrics.failures()).sum());
        let since_1970 = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok();
        let provider = |(name, state): (Arc<str>, trafficcop_provider::state::Shown)| ProviderState {
            name,
            is_up: state.is_up,
            last_event: state.last_event.and_then(since_1970).map(|time| time.as_secs()),
        };
        let providers = self.states.show().into_iter().map(provider).collect();
        let lost_exports = self.exports.lost();
        let mut present = Present { lost_lines, failed_pushes, lost_exports, providers, ..Present::default() };
        let Some(snapshot) = self.window.look() else { return present };
        for (name, router) in &snapshot.merged.http.routers {
            let service = match router.object.settings.value.service.as_str() {
                _ if !router.children.is_empty() => String::new(),
                service => trafficcop_config::Name::qualify(service, name.provider()).to_string(),
            };
            present.routers.insert(name.to_string(), service);
        }
        for (name, service) in &snapshot.merged.http.services {
            present.services.insert(name.to_string());
            let balancer = service.settings.value.load_balancer.as_ref();
            if balancer.is_none_or(|balancer| balancer.health_check.is_none()) {
                continue;
            }
            let servers = snapshot.report.http.services.get(name).and_then(|report| report.servers.as_ref());
            let mut servers = servers.map(|servers| servers.status()).unwrap_or_default();
            servers.sort();
            servers.dedup_by(|one, other| one.0 == other.0);
            let shown = |(url, is_up)| Server { service: name.to_string(), url, is_up };
            present.servers.extend(servers.into_iter().map(shown));
        }
        let ending = |end: trafficcop_api::CertificateEnd| Certificate {
            cn: end.common_name,
            serial: end.serial,
            sans: end.names.join(","),
            not_after: end.not_after,
        };
        present.certificates = trafficcop_api::certificate_ends(&snapshot).into_iter().map(ending).collect();
        present
    }
}
