//! [`Servers`]: the load balancer service.

mod visit;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rand::seq::SliceRandom;
use tokio::runtime::Handle;
use trafficcop_balancer::{
    Asked, Balancer, Candidate, HighestRandomWeight, LeastConnections, LeastTime, PowerOfTwoChoices, Status, Strategy,
    WeightedRandom, WeightedRoundRobin,
};
use trafficcop_config::dynamic::http::LoadBalancer;
use trafficcop_exchange::{
    Exchange, LocalBoxFuture, Reason, Request, Response, ServerInfo, Service, StatusCode, reply,
};

use super::cookie::StickyCookie;
use super::health::{Checks, Passive};
use super::pinned;
use super::reach::{PATIENCE, PATIENCE_IF_BOUND, Tried};
use super::server_url::ServerUrl;
use super::transport::Endpoint;
use super::{Forwarding, Transport, gunzip, headers};
use crate::BuildError;
use visit::Visit;

/// See the module.
#[derive(Debug)]
pub struct Servers {
    balancer: Balancer<Server>,
    cookie: Option<StickyCookie>,
    /// Requests of equal values in it go to the same server.
    sticky_header: Option<Box<str>>,
    kind: Kind,
    pass_host_header: bool,
    appends_forwarded_for: bool,
    passive: Option<Passive>,
    health: Option<Arc<Status>>,
    /// As configured, with their states; more than the balancer may hold, since some have no weight.
    all: Vec<(String, Arc<Status>)>,
    _checks: Option<Checks>,
    _transport: Arc<Transport>,
}

#[derive(Debug)]
struct Server {
    info: Arc<ServerInfo>,
    endpoint: Arc<Endpoint>,
    url: ServerUrl,
    preserve_path: bool,
}

impl Servers {
    /// Builds the service `name` (`name@provider`: it is part of the sticky cookie's name). Health checks run on
    /// `control` until the service is dropped.
    pub fn new(
        name: &str,
        settings: &LoadBalancer,
        transport: Arc<Transport>,
        forwarding: &Forwarding,
        control: &Handle,
    ) -> Result<Arc<Self>, BuildError> {
        let kind = Kind::parse(&settings.strategy)?;
        let mut all: Vec<(String, Arc<Status>)> = Vec::new();
        let mut members = Vec::new();
        for server in &settings.servers {
            let url = ServerUrl::parse(&server.url)?;
            // Servers of the same URL are one server to the checks.
            let known = all.iter().find(|(known, _)| *known == server.url).map(|(_, status)| Arc::clone(status));
            let status = known.unwrap_or_else(|| transport.known.status(name, &server.url, settings));
            all.push((server.url.clone(), Arc::clone(&status)));
            let weight = if kind == Kind::TwoChoices { 1 } else { server.weight.unwrap_or(1) };
            if weight <= 0 {
                continue;
            }
            let info = ServerInfo {
                service: name.into(),
                url: server.url.as_str().into(),
                address: String::from_utf8_lossy(&url.authority).into(),
            };
            let candidate = Candidate::new(server.url.as_str(), weight as f64, server.fenced, status);
            let endpoint = transport.endpoint(&url);
            members
                .push((candidate, Server { info: Arc::new(info), endpoint, url, preserve_path: server.preserve_path }));
        }
        transport.known.built(name, members.iter().map(|(_, server): &(_, Server)| &server.endpoint));
        // So that not every restart begins with the same server.
        members.shuffle(&mut rand::rng());
        let mut balancer = Balancer::new(members, |candidates| kind.strategy(candidates));
        let settings_of_cookie = settings.sticky.as_ref().and_then(|sticky| sticky.cookie.as_ref());
        let cookie = settings_of_cookie
            .filter(|_| kind != Kind::Random)
            .map(|settings| StickyCookie::new(settings, name, balancer.candidates()));
        let sticky_header = settings.sticky.as_ref().and_then(|sticky| sticky.header.as_ref());
        let sticky_header = sticky_header.map(|header| header.name.as_str()).filter(|name| !name.is_empty());
        if cookie.is_some() {
            balancer = balancer.sticky();
        }
        let has_active = settings.health_check.is_some();
        let health = has_active.then(|| Status::any_of(all.iter().map(|(_, status)| status)));
        let checks = match &settings.health_check {
            Some(settings) => Some(Checks::start(name, settings, &all, &transport, control)?),
            None => None,
        };
        let passive = settings.passive_health_check.as_ref();
        let passive = passive
            .map(|settings| Passive::new(name, settings, balancer.candidates().len(), has_active, control.clone()));
        Ok(Arc::new(Self {
            balancer,
            cookie,
            sticky_header: sticky_header.map(Into::into),
            kind,
            pass_host_header: settings.pass_host_header,
            appends_forwarded_for: !forwarding.not_append_x_forwarded_for,
            passive,
            health,
            all,
            _checks: checks,
            _transport: transport,
        }))
    }

    /// Every server's URL as configured, and whether it is up; in the order of the configuration.
    pub fn status(&self) -> Vec<(String, bool)> {
        self.all.iter().map(|(url, status)| (url.clone(), status.is_up())).collect()
    }

    /// Takes a server out of the rotation by hand, or puts it back; clients that are bound to it stay with it. Says
    /// whether there is such a server.
    pub fn drain(&self, url: &str, drained: bool) -> bool {
        let found = self.all.iter().filter(|(known, _)| known == url);
        found.map(|(_, status)| status.drain(drained)).count() > 0
    }

    /// Those that are out of the rotation by hand.
    pub fn drained(&self) -> Vec<String> {
        self.all.iter().filter(|(_, status)| status.is_drained()).map(|(url, _)| url.clone()).collect()
    }

    /// The state of the whole, for parents: up while one server is. None without an active health check.
    pub fn health(&self) -> Option<Arc<Status>> {
        self.health.clone()
    }

    async fn answer(&self, mut request: Box<Request>, cx: &mut Exchange) -> Response {
        (cx.fault, cx.reason, cx.server, cx.origin_status) = (None, None, None, None);
        let connection = Rc::clone(&cx.connection);
        let key = if self.kind == Kind::Random { connection.peer_text().as_bytes() } else { b"" };
        let dice = || if self.kind.throws_dice() { rand::random() } else { 0 };
        let session = self.session(&request);
        let pick = |tried: &[usize]| match &session {
            Some(session) => {
                HighestRandomWeight.pick(self.balancer.candidates(), &Asked { key: session, dice: 0, tried })
            }
            None => self.balancer.pick(&Asked { key, dice: dice(), tried }),
        };
        let bound = self.cookie.as_ref().and_then(|cookie| cookie.value(&request.headers));
        let bound = bound.and_then(|value| self.balancer.belongs(value, &[]));
        let Some(first) = bound.map(|bound| bound.index).or_else(|| pick(&[])) else {
            cx.reason = Some(if self.all.is_empty() { Reason::NoServer } else { Reason::AllServersDown });
            return reply::error(StatusCode::SERVICE_UNAVAILABLE, "no available server");
        };
        let upgrade = self.prepare(&mut request, cx);
        let unpacks = gunzip::ask(&mut request);
        let started = Instant::now();
        let patience = if bound.is_some() { PATIENCE_IF_BOUND } else { PATIENCE };
        let mut visit =
            Visit { first, way: pinned::way(&cx.connection, upgrade.is_some()), patience, tried: Tried::new() };
        let (index, result) = self.visit(request, cx, &mut visit, pick).await;
        let candidate = self.balancer.candidate(index);
        let was_reached = result.is_ok();
        let result = result.and_then(|mut response| {
            cx.origin_status = Some(response.status);
            pinned::learn(&cx.connection, &response);
            headers::to_client(&mut response, upgrade.as_ref())?;
            Ok(response)
        });
        let mut response = match result {
            Ok(mut response) => {
                if unpacks {
                    gunzip::unpack(&mut response);
                }
                if self.kind.counts_requests() {
                    candidate.record(started.elapsed().as_millis().try_into().unwrap_or(u32::MAX));
                }
                response
            }
            Err(failure) => failure.answer(cx),
        };
        self.learn(index, was_reached && !response.status.is_server_error());
        if let Some(cookie) = &self.cookie
            && bound.is_none_or(|bound| bound.outdated || bound.index != index)
        {
            cookie.write(index, &mut response);
        }
        response
    }

    /// What the header of `sticky.header` says; copied, since the request goes on while servers are picked.
    fn session(&self, request: &Request) -> Option<Bytes> {
        let value = request.headers.get(self.sticky_header.as_deref()?).filter(|value| !value.is_empty())?;
        Some(Bytes::copy_from_slice(value))
    }

    fn learn(&self, index: usize, was_well: bool) {
        if let Some(passive) = &self.passive {
            passive.learn(index, self.balancer.candidate(index), was_well);
        }
    }

    /// What is the same whichever server gets the request. Gives the protocol that the client wants to switch to.
    fn prepare(&self, request: &mut Request, cx: &Exchange) -> Option<Bytes> {
        headers::to_server(request, cx, self.appends_forwarded_for);
        if let Some(query) = request.target.query()
            && query.contains(';')
        {
            let query = Bytes::from(query.replace(';', "&"));
            request.target.set_query(Some(query));
        }
        request.upgrade.clone()
    }
}

/// How servers are picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Turns,
    TwoChoices,
    /// By the highest random weight.
    Random,
    LeastTime,
    LeastConnections,
    /// By chance, in the proportion of the weights.
    Chance,
}

impl Kind {
    fn parse(name: &str) -> Result<Self, BuildError> {
        match name {
            "" | "wrr" => Ok(Self::Turns),
            "p2c" => Ok(Self::TwoChoices),
            "hrw" => Ok(Self::Random),
            "leasttime" => Ok(Self::LeastTime),
            "leastconn" => Ok(Self::LeastConnections),
            "random" => Ok(Self::Chance),
            other => Err(BuildError::UnknownStrategy(other.to_owned())),
        }
    }

    /// Whether it wants to know what is in flight and how long answers take; the others save the counting.
    fn counts_requests(self) -> bool {
        matches!(self, Self::TwoChoices | Self::LeastTime | Self::LeastConnections)
    }

    fn throws_dice(self) -> bool {
        matches!(self, Self::TwoChoices | Self::Chance)
    }

    fn strategy(self, candidates: &[Candidate]) -> Box<dyn Strategy> {
        match self {
            Self::Turns => Box::new(WeightedRoundRobin::new(candidates)),
            Self::TwoChoices => Box::new(PowerOfTwoChoices),
            Self::Random => Box::new(HighestRandomWeight),
            Self::LeastTime => Box::new(LeastTime::new(candidates)),
            Self::LeastConnections => Box::new(LeastConnections::new(candidates)),
            Self::Chance => Box::new(WeightedRandom),
        }
    }
}

impl Service for Servers {
    fn call<'a>(&'a self, request: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        // The request in a box of its own: it passes through several futures, and none of them carries it.
        Box::pin(self.answer(Box::new(request), cx))
    }
}

#[cfg(test)]
mod tests;
