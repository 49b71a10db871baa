//! Middlewares: from their settings to the steps of one router's chain.

use std::sync::Arc;

use trafficcop_config::Name;
use trafficcop_config::dynamic::Middleware;
use trafficcop_config::dynamic::tcp::TlsClient;
use trafficcop_exchange::{Service, Step};
use trafficcop_merger::nearest;
use trafficcop_middleware as middleware;
use trafficcop_middleware::{BuildError, ChainBuilder};

use super::memory::{Memo, Part, StepsKey};
use super::pass::{Failure, Kind, Pass};
use super::{spans, words};

impl Pass<'_> {
    /// The steps of these middlewares for `owner`. They are looked at from the last to the first, so that of several
    /// errors the one is told which Traefik tells.
    /// Each goes in a span of its own where `has_spans` says so.
    pub(super) fn chain(&mut self, owner: &Arc<str>, names: &[Name], has_spans: bool) -> Result<Vec<Step>, Failure> {
        let mut all = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate().rev() {
            let number = names[..index].iter().filter(|other| *other == name).count() as u32;
            let (owner, within) = (Arc::clone(owner), "".into());
            let steps = self.steps(StepsKey { owner, within, middleware: name.clone(), number })?;
            let span = self.span(name);
            let steps = span.into_iter().chain(steps.iter().cloned());
            // Those of a chain's members are in its steps, whoever asks.
            all.push(steps.filter(|step| has_spans || !spans::is_span(step)).collect::<Vec<_>>());
        }
        Ok(all.iter().rev().flat_map(|steps| steps.iter().cloned()).collect())
    }

    /// The span around a middleware.
    fn span(&self, name: &Name) -> Option<Step> {
        let kinds = self.merged.http.middlewares.get(name).map(|object| &object.settings.value.kinds)?;
        spans::of_middleware(name.as_str(), &kinds.first()?.0)
    }

    fn steps(&mut self, key: StepsKey) -> Result<Arc<[Step]>, Failure> {
        let name = key.middleware.clone();
        if let Some(memo) = self.memory.steps.get(&key).filter(|memo| memo.pass == self.number) {
            let (version, built) = (memo.version, Arc::clone(&memo.built));
            self.used(Part::Steps(key), version);
            return Ok(built);
        }
        let Some(object) = self.merged.http.middlewares.get(&name) else {
            let hint = nearest(&name, self.merged.http.middlewares.keys());
            return Err(Failure::hinting(format!("middleware {:?} does not exist", name.as_str()), hint));
        };
        let settings = &object.settings.value;
        let result = self.enter("middleware", &name, |pass| {
            if let Some(kept) = pass.keep_steps(&key) {
                return Ok(kept);
            }
            let (built, parts) = pass.with_parts(|pass| pass.build_middleware(&key, settings));
            let built: Arc<[Step]> = built?.into();
            let version = pass.memory.next_version();
            let memo = Memo { version, pass: pass.number, parts, built: Arc::clone(&built) };
            pass.memory.steps.insert(key.clone(), memo);
            Ok((version, built))
        });
        match result {
            Ok((version, built)) => {
                self.used(Part::Steps(key), version);
                Ok(built)
            }
            Err(failure) => {
                self.fail(Kind::Middleware, &name, "", &failure);
                Err(failure)
            }
        }
    }

    pub(super) fn steps_version(&mut self, key: &StepsKey) -> Option<u64> {
        self.steps(key.clone()).ok()?;
        Some(self.memory.steps.get(key)?.version)
    }

    fn keep_steps(&mut self, key: &StepsKey) -> Option<(u64, Arc<[Step]>)> {
        let parts = Arc::clone(&self.memory.steps.get(key)?.parts);
        let before = self.before?.http.middlewares.get(&key.middleware)?;
        let now = self.merged.http.middlewares.get(&key.middleware)?;
        if before.settings != now.settings || !self.are_as_before(&parts) {
            return None;
        }
        let memo = self.memory.steps.get_mut(key)?;
        memo.pass = self.number;
        Some((memo.version, Arc::clone(&memo.built)))
    }

    fn build_middleware(&mut self, key: &StepsKey, settings: &Middleware) -> Result<Vec<Step>, Failure> {
        let name = &key.middleware;
        let (kind, settings) = match settings.kinds.as_slice() {
            [(kind, settings)] => (kind, settings),
            [] => {
                let what = "invalid middleware type or middleware does not exist";
                return Err(Failure::new(format!("invalid middleware {:?} configuration: {what}", name.as_str())));
            }
            _ => {
                let message = "cannot create middleware: multi-types middleware not supported, consider declaring two \
                               different pieces of middleware instead";
                return Err(Failure::new(message));
            }
        };
        let Some(kind) = middleware::find(kind) else {
            let hint = trafficcop_merger::hint(kind, middleware::KINDS.iter().map(|kind| kind.name));
            return Err(Failure::hinting(unknown_kind(name, kind, settings), hint));
        };
        let mut parts = PartsOf { pass: self, key, used: Vec::new() };
        let mut chain = ChainBuilder::new(name.as_str(), name.provider(), &key.owner, &mut parts);
        (kind.build)(settings, &mut chain).map_err(|error| Failure::new(words::middleware(&error.to_string())))?;
        Ok(chain.finish())
    }
}

fn unknown_kind(name: &Name, kind: &str, settings: &trafficcop_config::Node) -> String {
    if kind.eq_ignore_ascii_case("plugin")
        && let trafficcop_config::Value::Map(plugins) = &settings.value
        && let [(plugin, _)] = plugins.as_slice()
    {
        return format!("plugin: unknown plugin type: {plugin}");
    }
    format!("invalid middleware {:?} configuration: {kind} is not a kind of middleware here", name.as_str())
}

/// What a middleware may ask for while it is built.
struct PartsOf<'a, 'p> {
    pass: &'a mut Pass<'p>,
    key: &'a StepsKey,
    /// Members so far: each gets a number of its own when it comes again.
    used: Vec<Name>,
}

impl middleware::Parts for PartsOf<'_, '_> {
    fn middleware(&mut self, name: &str) -> Result<Vec<Step>, BuildError> {
        let name = Name::qualify(name, "");
        let number = self.used.iter().filter(|other| **other == name).count() as u32;
        self.used.push(name.clone());
        let StepsKey { owner, within, middleware, number: own } = self.key;
        let within = format!("{within}/{middleware}#{own}").into();
        let span = self.pass.span(&name);
        let key = StepsKey { owner: Arc::clone(owner), within, middleware: name, number };
        let steps = self.pass.steps(key).map_err(|failure| BuildError::Reference(failure.message))?;
        Ok(span.into_iter().chain(steps.iter().cloned()).collect())
    }

    fn service(&mut self, name: &str) -> Result<Arc<dyn Service>, BuildError> {
        let built = self.pass.service(&Name::qualify(name, ""));
        built.map(|built| built.service).map_err(|failure| BuildError::Reference(failure.message))
    }

    fn client(&mut self, url: &str, tls: Option<&TlsClient>) -> Result<Arc<dyn Service>, BuildError> {
        trafficcop_proxy::http::client(url, tls).map_err(|error| BuildError::invalid(error.to_string()))
    }
}
