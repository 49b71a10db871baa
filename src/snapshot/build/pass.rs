//! [`Pass`]: one going-through of a merged configuration.

use std::collections::{BTreeMap, BTreeSet};

use trafficcop_config::{ConfigError, Name, Origin, Problem};
use trafficcop_merger::{HttpRouter, Merged, Note};
use trafficcop_proxy::http::Forwarding;
use trafficcop_tls::TlsState;

use super::Environment;
use super::memory::{Memory, Part, Parts};
use super::rules::Rules;
use crate::{ObjectReport, Report};

/// Why something could not be built.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// As Traefik's API words it.
    pub(super) message: String,
    /// What was probably meant.
    pub(super) hint: Option<String>,
    /// In our words, hint included, where they say more.
    pub(super) ours: Option<String>,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, ours: None }
    }

    pub(super) fn hinting(message: impl Into<String>, hint: Option<String>) -> Self {
        Self { hint, ..Self::new(message) }
    }

    pub(super) fn note(&self, at: &Origin, path: String) -> Note {
        let mut note = Note::error(at, path, self.message.clone(), self.hint.clone());
        if let Some(ours) = &self.ours {
            note.error.problem = Problem::Other { message: ours.clone() };
        }
        note
    }

    pub(super) fn within(self, what: &str) -> Self {
        let message = format!("{what}: {}", self.message);
        Self { message, ours: self.ours.map(|ours| format!("{what}: {ours}")), ..self }
    }
}

pub(super) struct Pass<'a> {
    pub(super) environment: &'a Environment,
    pub(super) forwarding: &'a Forwarding,
    pub(super) merged: &'a Merged,
    /// What the last pass went through.
    pub(super) before: Option<&'a Merged>,
    pub(super) tls: &'a TlsState,
    pub(super) tls_problems: &'a [ConfigError],
    pub(super) number: u64,
    pub(super) memory: &'a mut Memory,
    pub(super) rules: &'a mut Rules,
    pub(super) report: Report,
    /// The parts seen so far of each object that is being built, innermost last.
    pub(super) frames: Vec<Vec<(Part, u64)>>,
    /// What is being built, outermost first: a name that comes again is a loop.
    pub(super) path: Vec<String>,
    /// Services that cannot be built in this pass.
    pub(super) failed: BTreeMap<Name, Failure>,
    /// Routers below others that somebody leads to.
    pub(super) visited: BTreeSet<Name>,
}

/// What a section of the report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Router,
    Service,
    Middleware,
}

impl<'a> Pass<'a> {
    /// What the router was in the last pass.
    pub(super) fn router_before(&self, name: &Name) -> Option<&'a HttpRouter> {
        self.before.and_then(|before| before.http.routers.get(name))
    }
}

impl Pass<'_> {
    /// Tells whoever is being built that `part` went into it.
    pub(super) fn used(&mut self, part: Part, version: u64) {
        if let Some(frame) = self.frames.last_mut() {
            frame.push((part, version));
        }
    }

    /// Builds something and says of which parts.
    pub(super) fn with_parts<T>(&mut self, build: impl FnOnce(&mut Self) -> T) -> (T, Parts) {
        self.frames.push(Vec::new());
        let built = build(self);
        (built, self.frames.pop().unwrap_or_default().into())
    }

    /// Whether these parts are still what they were.
    pub(super) fn are_as_before(&mut self, parts: &Parts) -> bool {
        let (same, _) = self.with_parts(|pass| {
            parts.iter().all(|(part, version)| {
                let now = match part {
                    Part::Transport(name) => pass.transport_version(name),
                    Part::Service(name) => pass.service_version(name),
                    Part::Steps(key) => pass.steps_version(key),
                    Part::Route(path) => pass.route_version(path),
                };
                now == Some(*version)
            })
        });
        same
    }

    /// Goes into an object, unless we are already inside it.
    pub(super) fn enter<T>(
        &mut self,
        kind: &str,
        name: &Name,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let step = format!("{kind}:{name}");
        let is_loop = self.path.contains(&step);
        self.path.push(step);
        let result = if is_loop {
            let way = self.path.join("->");
            Err(Failure::new(format!("could not instantiate {kind} {name}: recursion detected in {way}")))
        } else {
            work(self)
        };
        self.path.pop();
        result
    }

    pub(super) fn http_report(&mut self, kind: Kind, name: &Name) -> &mut ObjectReport {
        let http = &mut self.report.http;
        let objects = match kind {
            Kind::Router => &mut http.routers,
            Kind::Service => &mut http.services,
            Kind::Middleware => &mut http.middlewares,
        };
        objects.entry(name.clone()).or_default()
    }

    /// Notes that an HTTP object is disabled, once per message.
    pub(super) fn fail(&mut self, kind: Kind, name: &Name, field: &str, failure: &Failure) {
        let (section, at) = self.place(kind, name);
        let dot = if field.is_empty() { "" } else { "." };
        let path = format!("http.{section}.{}{dot}{field}", name.local());
        let note = failure.note(&at, path);
        self.http_report(kind, name).push(note);
    }

    fn place(&self, kind: Kind, name: &Name) -> (&'static str, Origin) {
        let http = &self.merged.http;
        let (section, at) = match kind {
            Kind::Router => ("routers", http.routers.get(name).map(|router| &router.object.settings.at)),
            Kind::Service => ("services", http.services.get(name).map(|service| &service.settings.at)),
            Kind::Middleware => ("middlewares", http.middlewares.get(name).map(|found| &found.settings.at)),
        };
        (section, at.cloned().unwrap_or_default())
    }
}
