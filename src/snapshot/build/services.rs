//! HTTP services and the transports they send by.

use std::sync::Arc;

use trafficcop_balancer::Status;
use trafficcop_config::Name;
use trafficcop_config::dynamic::WeightedChild;
use trafficcop_config::dynamic::http::{Failover as Failing, HealthCheck, LoadBalancer, Service as Settings};
use trafficcop_exchange::{Chain, Service};
use trafficcop_merger::nearest;
use trafficcop_proxy::BuildError;
use trafficcop_proxy::http::{
    Child, Failover, Files, HighestRandomWeight, Mirrored, Mirroring, Servers, Transport, Weighted,
};

use super::memory::{BuiltService, Memo, Part};
use super::pass::{Failure, Kind, Pass};
use super::{origin, words};

/// The transport of services that name none: what the static configuration says.
const DEFAULT_TRANSPORT: &str = "default@internal";

impl crate::Servers for Servers {
    fn status(&self) -> Vec<(String, bool)> {
        Self::status(self)
    }

    fn drain(&self, server: &str, drained: bool) -> bool {
        Servers::drain(self, server, drained)
    }

    fn drained(&self) -> Vec<String> {
        Servers::drained(self)
    }
}

impl Pass<'_> {
    /// The built form of a service.
    pub(super) fn service(&mut self, name: &Name) -> Result<BuiltService, Failure> {
        if name.provider() == "internal" {
            return self.internal_service(name);
        }
        if let Some(memo) = self.memory.services.get(name).filter(|memo| memo.pass == self.number) {
            let (version, built) = (memo.version, memo.built.clone());
            self.used(Part::Service(name.clone()), version);
            return Ok(built);
        }
        if let Some(failure) = self.failed.get(name) {
            return Err(failure.clone());
        }
        let Some(object) = self.merged.http.services.get(name) else {
            let hint = nearest(name, self.merged.http.services.keys());
            return Err(Failure::hinting(format!("the service {:?} does not exist", name.as_str()), hint));
        };
        let settings = &object.settings.value;
        let result = self.enter("service", name, |pass| {
            if let Some(version) = pass.keep_service(name) {
                return Ok(version);
            }
            let (built, parts) = pass.with_parts(|pass| pass.build_service(name, settings));
            let (version, pass_number) = (pass.memory.next_version(), pass.number);
            pass.memory.services.insert(name.clone(), Memo { version, pass: pass_number, parts, built: built? });
            Ok(version)
        });
        match result {
            Ok(version) => {
                self.used(Part::Service(name.clone()), version);
                let memo = self.memory.services.get(name).expect("it was kept or inserted just now");
                let built = memo.built.clone();
                self.http_report(Kind::Service, name).servers.clone_from(&built.servers);
                Ok(built)
            }
            Err(failure) => {
                self.fail(Kind::Service, name, "", &failure);
                self.failed.insert(name.clone(), failure.clone());
                Err(failure)
            }
        }
    }

    pub(super) fn service_version(&mut self, name: &Name) -> Option<u64> {
        self.service(name).ok()?;
        Some(self.memory.services.get(name)?.version)
    }

    /// Keeps what the last pass built, if nothing about it changed.
    fn keep_service(&mut self, name: &Name) -> Option<u64> {
        let parts = Arc::clone(&self.memory.services.get(name)?.parts);
        let before = self.before?.http.services.get(name)?;
        let now = self.merged.http.services.get(name)?;
        if before.settings != now.settings || !self.are_as_before(&parts) {
            return None;
        }
        let memo = self.memory.services.get_mut(name)?;
        memo.pass = self.number;
        Some(memo.version)
    }

    fn internal_service(&mut self, name: &Name) -> Result<BuiltService, Failure> {
        let local = name.local();
        let service = self.environment.internal.get(local).cloned().ok_or_else(|| {
            Failure::new(match local {
                "api" | "dashboard" | "rest" | "ping" | "prometheus" => format!("{local} is not enabled"),
                "acme-http" => "HTTP challenge is not enabled".to_owned(),
                _ => format!("unknown internal service {name}"),
            })
        })?;
        Ok(BuiltService { service, health: None, servers: None })
    }

    fn build_service(&mut self, name: &Name, settings: &Settings) -> Result<BuiltService, Failure> {
        let kinds = [
            settings.load_balancer.is_some(),
            settings.weighted.is_some(),
            settings.highest_random_weight.is_some(),
            settings.mirroring.is_some(),
            settings.failover.is_some(),
            settings.static_files.is_some(),
        ];
        if kinds.iter().filter(|is_set| **is_set).count() > 1 {
            let message = "cannot create service: multi-types service not supported, consider declaring two different \
                           pieces of service instead";
            return Err(Failure::new(message));
        }
        let mut built = self.build_kind(name, settings)?;
        if !settings.middlewares.is_empty() {
            let names: Vec<_> = settings.middlewares.iter().map(|it| Name::qualify(it, name.provider())).collect();
            let steps = self.chain(&name.as_str().into(), &names, false)?;
            built.service = Arc::new(Chain::new(steps, built.service));
        }
        Ok(built)
    }

    fn build_kind(&mut self, name: &Name, settings: &Settings) -> Result<BuiltService, Failure> {
        let whole = name.as_str();
        let fail = |error: BuildError| in_traefiks_words(error, settings);
        if let Some(load_balancer) = &settings.load_balancer {
            return self.build_load_balancer(name, load_balancer);
        }
        if let Some(weighted) = &settings.weighted {
            let children =
                self.children(name, &weighted.services, |child| format!("building HTTP service {child:?}"))?;
            let service = Weighted::new(whole, weighted, children).map_err(fail)?;
            return Ok(composed(Arc::clone(&service), service.health()));
        }
        if let Some(hrw) = &settings.highest_random_weight {
            let children = self.children(name, &hrw.services, |_| String::new())?;
            let service = HighestRandomWeight::new(whole, hrw, children).map_err(fail)?;
            return Ok(composed(Arc::clone(&service), service.health()));
        }
        if let Some(mirroring) = &settings.mirroring {
            let main = self.child(name, &mirroring.service)?;
            let mut mirrors = Vec::with_capacity(mirroring.mirrors.len());
            for mirror in &mirroring.mirrors {
                let service = self.child(name, &mirror.name)?.service;
                mirrors.push(Mirrored { service, percent: mirror.percent });
            }
            let service = Mirroring::new(whole, mirroring, main, mirrors).map_err(fail)?;
            return Ok(composed(Arc::clone(&service), service.health()));
        }
        if let Some(failover) = &settings.failover {
            let main = self.main_of_failover(name, failover)?;
            let fallback = self.child(name, &failover.fallback)?;
            let service = Failover::new(whole, failover, main, fallback).map_err(fail)?;
            return Ok(composed(Arc::clone(&service), service.health()));
        }
        if let Some(files) = &settings.static_files {
            // Who may label a container may not thereby read what this process can.
            if name.provider() != "file" {
                let message = "static files can be served only by services that the file provider configures";
                return Err(Failure::new(message));
            }
            return Ok(composed(Files::new(files).map_err(fail)?, None));
        }
        Err(Failure::new(format!("the service {whole:?} does not have any type defined")))
    }

    /// The main service; checked as the failover says, if it has servers and no check of its own.
    fn main_of_failover(&mut self, name: &Name, failover: &Failing) -> Result<Child, Failure> {
        let mut main = self.child(name, &failover.service)?;
        let Some(check) = failover.health_check.as_ref().filter(|check| !check.path.is_empty()) else {
            return Ok(main);
        };
        let child = Name::qualify(&failover.service, name.provider());
        let merged = self.merged;
        let Some(object) = merged.http.services.get(&child).filter(|_| main.health.is_none()) else { return Ok(main) };
        let mut settings = object.settings.value.clone();
        if let Some(servers) = &mut settings.load_balancer {
            let mut added = HealthCheck { path: check.path.clone(), ..HealthCheck::default() };
            added.interval = check.interval.unwrap_or(added.interval);
            added.timeout = check.timeout.unwrap_or(added.timeout);
            servers.health_check = Some(added);
            let built = self.build_service(&child, &settings)?;
            (main.service, main.health) = (built.service, built.health);
        }
        Ok(main)
    }

    fn children(
        &mut self,
        parent: &Name,
        listed: &[WeightedChild],
        within: impl Fn(&str) -> String,
    ) -> Result<Vec<Child>, Failure> {
        let build = |listed: &WeightedChild| {
            let child = self.child(parent, &listed.name).map_err(|failure| match within(&listed.name) {
                place if place.is_empty() => failure,
                place => failure.within(&place),
            })?;
            Ok(Child { weight: listed.weight, ..child })
        };
        listed.iter().map(build).collect()
    }

    fn child(&mut self, parent: &Name, listed: &str) -> Result<Child, Failure> {
        let name = Name::qualify(listed, parent.provider());
        let built = self.service(&name)?;
        // As it is written: the sticky cookie and the hash of addresses go by it.
        Ok(Child { name: listed.to_owned(), weight: None, service: built.service, health: built.health })
    }

    fn build_load_balancer(&mut self, name: &Name, settings: &LoadBalancer) -> Result<BuiltService, Failure> {
        let transport = match settings.servers_transport.as_str() {
            "" => Name::qualify(DEFAULT_TRANSPORT, ""),
            given => Name::qualify(given, name.provider()),
        };
        let transport = match self.transport(&transport) {
            // Without servers nobody misses the transport.
            Err(_) if settings.servers.is_empty() => self.transport(&Name::qualify(DEFAULT_TRANSPORT, "")),
            found => found,
        };
        let transport = transport.map_err(|failure| {
            let url = settings.servers.first().map_or("", |server| server.url.as_str());
            failure.within(&format!("error building proxy for server URL {url}: getting RoundTripper"))
        })?;
        let servers = Servers::new(name.as_str(), settings, transport, self.forwarding, &self.environment.control)
            .map_err(|error| in_traefiks_words(error, &Settings::default()))?;
        let health = servers.health();
        // Known even if the middlewares around it turn out to be broken.
        self.http_report(Kind::Service, name).servers = Some(Arc::clone(&servers) as Arc<dyn crate::Servers>);
        let service = origin::observed(Arc::clone(&servers) as Arc<dyn Service>, &self.environment.settings);
        Ok(BuiltService { service, health, servers: Some(servers) })
    }

    fn transport(&mut self, name: &Name) -> Result<Arc<Transport>, Failure> {
        let transports = &self.merged.http.servers_transports;
        let given = transports.get(name);
        if given.is_none() && name.as_str() != DEFAULT_TRANSPORT {
            let hint = nearest(name, transports.keys());
            return Err(Failure::hinting(format!("servers transport not found {name}"), hint));
        }
        let before = self.before.and_then(|before| before.http.servers_transports.get(name));
        if let Some(memo) = self.memory.transports.get_mut(name)
            && (memo.pass == self.number || before.map(|before| &before.settings) == given.map(|now| &now.settings))
        {
            memo.pass = self.number;
            let (version, built) = (memo.version, Arc::clone(&memo.built));
            self.used(Part::Transport(name.clone()), version);
            return Ok(built);
        }
        let settings = given.map(|given| given.settings.value.clone()).unwrap_or_default();
        let built = Transport::new(&settings).map_err(|error| Failure::new(error.to_string()))?;
        let version = self.memory.next_version();
        let memo = Memo { version, pass: self.number, parts: Arc::new([]), built: Arc::clone(&built) };
        self.memory.transports.insert(name.clone(), memo);
        self.used(Part::Transport(name.clone()), version);
        Ok(built)
    }

    pub(super) fn transport_version(&mut self, name: &Name) -> Option<u64> {
        self.transport(name).ok()?;
        Some(self.memory.transports.get(name)?.version)
    }
}

fn composed(service: Arc<impl Service>, health: Option<Arc<Status>>) -> BuiltService {
    BuiltService { service, health, servers: None }
}

/// Users and their tools know these messages from Traefik.
fn in_traefiks_words(error: BuildError, settings: &Settings) -> Failure {
    Failure::new(match error {
        BuildError::BadUrl { url, problem } => words::url(&url, &problem),
        BuildError::UnknownStrategy(strategy) => format!("unsupported load-balancer strategy {strategy:?}"),
        BuildError::ChildWithoutHealthCheck { parent, child } => {
            let child = as_written(&child, settings);
            format!(
                "cannot register {child} as updater for {parent}: healthCheck not enabled in config for this WRR service"
            )
        }
        other => other.to_string(),
    })
}

/// How the settings spell the name of a child.
fn as_written<'a>(child: &'a str, settings: &'a Settings) -> &'a str {
    let weighted = settings.weighted.iter().flat_map(|weighted| &weighted.services);
    let hrw = settings.highest_random_weight.iter().flat_map(|hrw| &hrw.services);
    let failover = settings.failover.iter().flat_map(|failover| [&failover.service, &failover.fallback]);
    let mirroring = settings.mirroring.iter().map(|mirroring| &mirroring.service);
    let all = weighted.chain(hrw).map(|child| &child.name).chain(failover).chain(mirroring);
    let mut all = all.map(String::as_str);
    all.find(|name| *name == child || child.split('@').next() == Some(name)).unwrap_or(child)
}
