//! [`Builder`]: each merged configuration becomes a snapshot; what did not change is kept.

mod entries;
mod guards;
mod layer;
mod memory;
mod middlewares;
mod origin;
mod other;
mod pass;
mod routers;
mod rules;
mod services;
mod spans;
mod tcp;
mod udp;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::runtime::Handle;
use trafficcop_config::settings::Settings;
use trafficcop_exchange::Service;
use trafficcop_merger::{Configurations, Context, Merged, Note, merge};
use trafficcop_proxy::http::Forwarding;
use trafficcop_tls::TlsState;

use crate::{Entry, Report, Snapshot};
use memory::Memory;
use pass::Pass;
use rules::Rules;

/// What a builder needs to know besides the merged configuration.
#[derive(Clone)]
pub struct Environment {
    pub settings: Arc<Settings>,
    /// Services of our own by their local name: `api`, `dashboard`, `ping`, `noop`, `rest`, `prometheus`, `acme-http`.
    pub internal: BTreeMap<String, Arc<dyn Service>>,
    /// Where health checks run: the control plane's runtime, never a worker's.
    pub control: Handle,
}

/// Keeps what was built. Lives on the control plane; building never happens on a worker.
pub struct Builder {
    environment: Environment,
    context: Context,
    forwarding: Forwarding,
    memory: Memory,
    rules: Rules,
    last: Option<Arc<Snapshot>>,
}

impl Builder {
    pub fn new(environment: Environment) -> Self {
        let context = Context::new(&environment.settings);
        let not_append_x_forwarded_for = environment.settings.global.not_append_x_forwarded_for;
        let forwarding = Forwarding { not_append_x_forwarded_for };
        Self { environment, context, forwarding, memory: Memory::default(), rules: Rules::default(), last: None }
    }

    /// Merges and builds.
    pub fn apply(&mut self, configurations: &Configurations) -> Arc<Snapshot> {
        let rules = &mut self.rules;
        let merged = merge(configurations, &self.context, &mut |rule, syntax| rules.hosts(rule, syntax));
        self.build(Arc::new(merged))
    }

    /// Builds the whole. Never fails: what cannot be built is disabled, and the report says why.
    pub fn build(&mut self, merged: Arc<Merged>) -> Arc<Snapshot> {
        let (tls, problems) = TlsState::build(&merged.tls, self.last.as_ref().map(|last| &*last.tls));
        let mut report = Report { notes: merged.notes.clone(), ..Report::default() };
        report.notes.extend(problems.iter().map(|problem| Note::also(problem.clone())));
        report.notes.extend(tls.warnings().iter().map(|warning| Note::remark(warning.clone())));

        let before = self.last.as_ref().map(|last| Arc::clone(&last.merged));
        let mut pass = Pass {
            environment: &self.environment,
            forwarding: &self.forwarding,
            merged: &merged,
            before: before.as_deref(),
            tls: &tls,
            tls_problems: &problems,
            number: self.memory.begin(),
            memory: &mut self.memory,
            rules: &mut self.rules,
            report,
            frames: Vec::new(),
            path: Vec::new(),
            failed: BTreeMap::new(),
            visited: BTreeSet::new(),
        };
        let mut bindings = pass.bind_routers();
        let mut tcp = pass.bind_tcp();
        let mut udp = pass.bind_udp();
        let report = Arc::new(pass.report);
        self.memory.forget_the_rest();
        self.rules.forget_the_rest();

        let kept = self.last.as_ref().map(|last| &*last.entries);
        let entries = self.context.entry_points.iter().enumerate().map(|(index, entry_point)| {
            let before = kept.and_then(|kept: &[Arc<Entry>]| kept.get(index));
            let name = entry_point.name.as_str();
            let raw = entries::Raw { tcp: tcp.remove(name).unwrap_or_default(), udp: udp.remove(name) };
            entries::entry(name, &bindings.remove(name).unwrap_or_default(), raw, before)
        });
        let snapshot = Arc::new(Snapshot { entries: entries.collect(), tls: Arc::new(tls), merged, report });
        self.last = Some(Arc::clone(&snapshot));
        snapshot
    }
}
