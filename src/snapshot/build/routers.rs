//! HTTP routers: from their settings to routes, bound to entry points.

use std::collections::BTreeMap;
use std::sync::Arc;

use trafficcop_config::Name;
use trafficcop_config::dynamic::http::{Router, RouterObservability};
use trafficcop_exchange::{Chain, RouteInfo, Service};
use trafficcop_merger::{HttpRouter, Note};
use trafficcop_router::{HttpRule, MAX_PRIORITY, RouteTable, default_priority};

use super::guards;
use super::layer::Layer;
use super::memory::{Memo, Part};
use super::pass::{Failure, Kind, Pass};
use super::rules::Parsed;
use super::spans;
use super::words;
use crate::Route;

/// A route with what decides about its place in a table.
#[derive(Clone)]
pub(super) struct BuiltRoute {
    pub(super) route: Arc<Route>,
    pub(super) rule: Arc<HttpRule>,
    pub(super) priority: i64,
    pub(super) precedence: usize,
    pub(super) name: Name,
}

impl BuiltRoute {
    pub(super) fn ranked(&self) -> trafficcop_router::Route<Arc<HttpRule>, Arc<Route>> {
        trafficcop_router::Route {
            rule: Arc::clone(&self.rule),
            priority: self.priority,
            precedence: self.precedence,
            name: self.name.shared(),
            route: Arc::clone(&self.route),
        }
    }
}

/// A rule with its rank that leads nowhere.
pub(super) type Ranked = trafficcop_router::Route<Arc<HttpRule>, ()>;

/// What an entry point is going to serve.
#[derive(Default)]
pub(super) struct Binding {
    pub(super) http: Vec<BuiltRoute>,
    pub(super) https: Vec<BuiltRoute>,
    /// Rules of disabled routers, and whether they ask for TLS.
    pub(super) disabled: Vec<(bool, Ranked)>,
    /// Hosts of TLS routers and the options they are to get, even if the router itself cannot be served.
    pub(super) hosts: Vec<(Arc<[String]>, Arc<str>)>,
}

/// What the entry point serves so far.
fn binding<'a>(bindings: &'a mut BTreeMap<Arc<str>, Binding>, entry_point: &Arc<str>) -> &'a mut Binding {
    bindings.entry(Arc::clone(entry_point)).or_default()
}

/// A version that nothing has.
const NEVER: u64 = 0;

/// What a child takes from the routers above it.
#[derive(Clone)]
pub(super) struct Above {
    /// `parent@x -> child@x`
    pub(super) path: Arc<str>,
    access_logs: bool,
    pub(super) metrics: bool,
    tracing: bool,
    /// Spans of every part of the way are wanted.
    detailed: bool,
}

impl Pass<'_> {
    /// Builds every router that is bound to an entry point, and tells which entry point serves what.
    pub(super) fn bind_routers(&mut self) -> BTreeMap<Arc<str>, Binding> {
        let mut bindings: BTreeMap<Arc<str>, Binding> = BTreeMap::new();
        let merged = self.merged;
        let mut known = self.before.map(|before| before.http.routers.iter().peekable());
        for (name, router) in &merged.http.routers {
            // Both are in the order of their names.
            let before = known.as_mut().and_then(|known| {
                while known.next_if(|(known, _)| *known < name).is_some() {}
                known.next_if(|(known, _)| *known == name).map(|(_, router)| router)
            });
            let is_untouched = router.object.used.is_empty();
            if is_untouched || !router.object.notes.is_empty() {
                let report = self.http_report(Kind::Router, name);
                // What merging found goes before what building finds.
                report.notes.splice(0..0, router.object.notes.iter().cloned());
                report.is_untouched |= is_untouched && router.object.settings.parent_refs.is_empty();
            }
            let settings = &router.object.settings.value;
            if is_untouched || !settings.parent_refs.is_empty() {
                continue;
            }
            if settings.tls.is_some()
                && let Ok(parsed) = self.rules.http(&settings.rule, &settings.rule_syntax)
            {
                let options = Arc::clone(&router.tls_options);
                for entry_point in &router.object.used {
                    let hosts = (Arc::clone(&parsed.hosts), Arc::clone(&options));
                    binding(&mut bindings, entry_point).hosts.push(hosts);
                }
            }
            let Some(built) = self.root(name, router, before) else {
                self.bind_disabled(name, router, &mut bindings);
                continue;
            };
            for entry_point in &router.object.used {
                let binding = binding(&mut bindings, entry_point);
                let routes = if settings.tls.is_some() { &mut binding.https } else { &mut binding.http };
                routes.push(built.clone());
            }
        }
        for (name, router) in &merged.http.routers {
            let is_child = !router.object.settings.parent_refs.is_empty() && router.object.used.is_empty();
            if is_child && !self.visited.contains(name) {
                self.http_report(Kind::Router, name).is_untouched = true;
            }
        }
        bindings
    }

    /// A request for a router that is disabled is told so, if no other router takes it.
    fn bind_disabled(&mut self, name: &Name, router: &HttpRouter, bindings: &mut BTreeMap<Arc<str>, Binding>) {
        let settings = &router.object.settings.value;
        let Ok(parsed) = self.rules.http(&settings.rule, &settings.rule_syntax) else { return };
        for entry_point in &router.object.used {
            let rule = Arc::clone(&parsed.rule);
            let ranked = Ranked { rule, priority: 0, precedence: 0, name: name.shared(), route: () };
            bindings.entry(entry_point.clone()).or_default().disabled.push((settings.tls.is_some(), ranked));
        }
    }

    fn root(&mut self, name: &Name, router: &HttpRouter, before: Option<&HttpRouter>) -> Option<BuiltRoute> {
        let settings = &router.object.settings.value;
        let priority = priority(settings);
        if priority > MAX_PRIORITY && name.provider() != "internal" {
            let message =
                format!("the router priority {priority} exceeds the max user-defined priority {MAX_PRIORITY}");
            self.fail(Kind::Router, name, "priority", &Failure::new(message));
            return None;
        }
        let above = self.above(name.shared(), name, settings);
        self.route(name, router, before, &above)
    }

    /// Who hears of a root's requests. Those to our own services are nobody's business unless the settings say so.
    fn above(&self, path: Arc<str>, root: &Name, router: &Router) -> Above {
        let nothing = RouterObservability::default();
        let asked = router.observability.as_ref().unwrap_or(&nothing);
        let provider = router.service.rsplit_once('@').map_or(root.provider(), |(_, provider)| provider);
        let is_internal = provider == "internal";
        let settings = &self.environment.settings;
        let logs = settings.access_log.as_ref().is_some_and(|log| log.add_internals);
        let metrics = settings.metrics.as_ref().is_some_and(|metrics| metrics.add_internals);
        let internals = settings.tracing.as_ref().is_some_and(|tracing| tracing.add_internals);
        let tracing = asked.tracing.unwrap_or(true) && (internals || !is_internal);
        Above {
            path,
            access_logs: asked.access_logs.unwrap_or(true) && (logs || !is_internal),
            metrics: asked.metrics.unwrap_or(true) && (metrics || !is_internal),
            tracing,
            detailed: tracing && settings.tracing.is_some() && asked.trace_verbosity.eq_ignore_ascii_case("detailed"),
        }
    }

    /// The route of a router below `above`, whose path ends with its own name; `before` is what the router was the last
    /// time. None: the report says why.
    fn route(
        &mut self,
        name: &Name,
        router: &HttpRouter,
        before: Option<&HttpRouter>,
        above: &Above,
    ) -> Option<BuiltRoute> {
        let key = Arc::clone(&above.path);
        if let Some((version, built)) = self.keep_route((name, router), before, &key, above) {
            self.used(Part::Route(key), version);
            return Some(built);
        }
        let (built, parts) = self.with_parts(|pass| pass.build_route(name, router, above));
        match built {
            Ok(built) => {
                let version = self.memory.next_version();
                let memo = Memo { version, pass: self.number, parts, built: built.clone() };
                self.memory.routes.insert(Arc::clone(&key), memo);
                self.used(Part::Route(key), version);
                Some(built)
            }
            Err(()) => None,
        }
    }

    pub(super) fn route_version(&mut self, path: &str) -> Option<u64> {
        let names: Vec<_> = path.split(" -> ").collect();
        let root = Name::qualify(names.first()?, "");
        let last = Name::qualify(names.last()?, "");
        let merged = self.merged;
        let above = self.above(path.into(), &root, &merged.http.routers.get(&root)?.object.settings.value);
        let router = merged.http.routers.get(&last).filter(|router| router.object.notes.is_empty())?;
        self.visited.insert(last.clone());
        let before = self.router_before(&last);
        self.route(&last, router, before, &above)?;
        Some(self.memory.routes.get(path)?.version)
    }

    fn keep_route(
        &mut self,
        (name, router): (&Name, &HttpRouter),
        before: Option<&HttpRouter>,
        key: &str,
        above: &Above,
    ) -> Option<(u64, BuiltRoute)> {
        let memo = self.memory.routes.get(key)?;
        if memo.pass == self.number {
            return Some((memo.version, memo.built.clone()));
        }
        let info = &memo.built.route.info;
        let is_observed_alike = (info.access_logs, info.metrics, info.tracing)
            == (above.access_logs, above.metrics, above.tracing)
            && info.detailed == above.detailed;
        let parts = Arc::clone(&memo.parts);
        let before = before?;
        let is_same = is_observed_alike
            && before.object.settings == router.object.settings
            && before.object.settings.default_rule == router.object.settings.default_rule
            && before.children == router.children
            && before.model == router.model
            && before.tls_options == router.tls_options
            && self.check_tls_options(name, &router.object.settings.value).is_ok();
        if !is_same || !self.are_as_before(&parts) {
            return None;
        }
        // The rule's text is the same, so this is a look-up; it tells the cache that the rule is still needed.
        let settings = &router.object.settings;
        self.rules.http(&settings.rule, &settings.rule_syntax).ok()?;
        let memo = self.memory.routes.get_mut(key)?;
        memo.pass = self.number;
        Some((memo.version, memo.built.clone()))
    }

    fn build_route(&mut self, name: &Name, router: &HttpRouter, above: &Above) -> Result<BuiltRoute, ()> {
        let settings = &router.object.settings.value;
        let mut first = FirstFailure::default();
        first.note(self, name, "tls.options", self.check_tls_options(name, settings));
        let end = self.end_of(name, router, above);
        let end = first.note(self, name, "service", end);
        let names: Vec<_> = settings.middlewares.iter().map(|it| Name::qualify(it, name.provider())).collect();
        let steps = self.chain(&name.shared(), &names, above.detailed);
        let steps = first.note(self, name, "middlewares", steps);
        let rule = self.rule(router);
        let rule = first.note(self, name, "rule", rule);
        let (Some((end, service)), Some(steps), Some(parsed)) = (end, steps, rule) else { return Err(()) };
        if first.happened {
            return Err(());
        }
        let (fixed, mut all) = (&self.environment.settings, Vec::new());
        if above.detailed {
            all = spans::of_router(name.as_str(), &service, &settings.rule, above, fixed);
        }
        all.extend(guards::of(name, router, fixed));
        all.extend(steps);
        if above.detailed && router.children.is_empty() {
            all.extend(spans::of_service(&service, above, fixed));
        }
        let info = RouteInfo {
            router: Arc::clone(&above.path),
            service,
            access_logs: above.access_logs,
            metrics: above.metrics,
            tracing: above.tracing,
            detailed: above.detailed,
        };
        let service: Arc<dyn Service> = if all.is_empty() { end } else { Arc::new(Chain::new(all, end)) };
        let tls_options = Arc::clone(&router.tls_options);
        let route = Arc::new(Route { info: Arc::new(info), service, tls_options });
        let precedence = self.precedence(name);
        Ok(BuiltRoute { route, rule: parsed.rule, priority: priority(settings), precedence, name: name.clone() })
    }

    /// What is behind the middlewares: a service or the routers below, and what it is called.
    fn end_of(
        &mut self,
        name: &Name,
        router: &HttpRouter,
        above: &Above,
    ) -> Result<(Arc<dyn Service>, Arc<str>), Failure> {
        if !router.children.is_empty() {
            let layer = self.layer(router, above).map_err(|failure| failure.within("building child routers muxer"))?;
            return Ok((Arc::new(layer), format!("{name}-muxer").into()));
        }
        let service = &router.object.settings.service;
        if service.is_empty() {
            return Err(Failure::new("router must have either a service or child routers"));
        }
        let service = Name::qualify(service, name.provider());
        let built = self.service(&service)?;
        Ok((built.service, service.shared()))
    }

    fn layer(&mut self, router: &HttpRouter, above: &Above) -> Result<Layer, Failure> {
        let merged = self.merged;
        let mut routes = Vec::with_capacity(router.children.len());
        for child in &router.children {
            let path: Arc<str> = format!("{} -> {child}", above.path).into();
            let below = Above { path: Arc::clone(&path), ..above.clone() };
            let healthy = merged.http.routers.get(child).filter(|router| router.object.notes.is_empty());
            let built = healthy.and_then(|router| {
                self.visited.insert(child.clone());
                let before = self.router_before(child);
                self.route(child, router, before, &below)
            });
            match built {
                Some(built) => routes.push(built.ranked()),
                // A child that is left out may come right: then this layer must be built anew.
                None => self.used(Part::Route(path), NEVER),
            }
        }
        if routes.is_empty() {
            let skipped = router.children.len();
            let message = format!("no child routers could be added to muxer ({skipped} skipped)");
            return Err(Failure::new(message));
        }
        Ok(Layer::new(RouteTable::build(routes)))
    }

    fn rule(&mut self, router: &HttpRouter) -> Result<Parsed, Failure> {
        let settings = &router.object.settings.value;
        let parsed = self.rules.http(&settings.rule, &settings.rule_syntax);
        parsed.map_err(|error| {
            let rule = &*settings.rule;
            let message = format!("error while parsing rule {rule}: {}", words::rule(rule, &error));
            Failure { ours: Some(format!("the rule {rule} is not usable: {error}")), ..Failure::new(message) }
        })
    }

    fn check_tls_options(&self, name: &Name, settings: &Router) -> Result<(), Failure> {
        let Some(tls) = &settings.tls else { return Ok(()) };
        let usable = match tls.options.as_str() {
            "" | "default" => self.usable_tls_options("default"),
            given => self.usable_tls_options(Name::qualify(given, name.provider()).as_str()),
        };
        usable.map_err(|failure| failure.within("building router handler"))
    }

    pub(super) fn usable_tls_options(&self, options: &str) -> Result<(), Failure> {
        if self.tls.is_usable(options) {
            return Ok(());
        }
        if !self.tls.has_options(options) {
            let hint = trafficcop_merger::hint(options, self.merged.tls.options.keys().map(String::as_str));
            return Err(Failure::hinting(format!("unknown TLS options: {options}"), hint));
        }
        let path = format!("tls.options.{options}");
        let problem = self.tls_problems.iter().find(|problem| problem.path == path);
        let why = problem.map_or_else(|| "they are broken".to_owned(), |problem| words::tls(&plain(&problem.problem)));
        Err(Failure::new(format!("building TLS config: {why}")))
    }

    pub(super) fn precedence(&self, name: &Name) -> usize {
        let order = &self.environment.settings.providers.precedence;
        let known = |name: &str| order.iter().position(|provider| provider == name);
        // Of several of one kind (`consul-<namespace>`) each has the place of its kind.
        let kind = || name.provider().split_once('-').and_then(|(kind, _)| known(kind));
        known(name.provider()).or_else(kind).unwrap_or(order.len())
    }
}

/// The message of a problem without its place.
fn plain(problem: &trafficcop_config::Problem) -> String {
    let at = trafficcop_config::Origin::Unknown;
    trafficcop_config::ConfigError { at, path: String::new(), problem: problem.clone() }.to_string()
}

fn priority(settings: &Router) -> i64 {
    if settings.priority == 0 { default_priority(&settings.rule) } else { settings.priority }
}

/// Traefik tells the first thing that is wrong with a router; we tell all, the others in our own words only.
#[derive(Default)]
struct FirstFailure {
    happened: bool,
}

impl FirstFailure {
    fn note<T>(&mut self, pass: &mut Pass<'_>, name: &Name, field: &str, result: Result<T, Failure>) -> Option<T> {
        let failure = match result {
            Ok(built) => return Some(built),
            Err(failure) => failure,
        };
        if !self.happened {
            self.happened = true;
            pass.fail(Kind::Router, name, field, &failure);
            return None;
        }
        let at = pass.merged.http.routers.get(name).map(|router| router.object.settings.at.clone()).unwrap_or_default();
        let note = failure.note(&at, format!("http.routers.{}.{field}", name.local()));
        pass.http_report(Kind::Router, name).push(Note::also(note.error));
        None
    }
}
