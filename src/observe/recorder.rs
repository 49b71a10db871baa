//! [`Recorder`]: the observer that feeds the access log, the metrics, the traces and what the dashboard shows.

use std::sync::Arc;

use trafficcop_exchange::{Exchange, Headers, Request, Response, Trace};

use crate::access::{self, Access};
use crate::metrics::{self, Metrics};
use crate::spans::Head;
use crate::{Observer, Outcome, Pulse, Record, Tail, Tracer, tail};

/// See the module. What is None is not fed and costs nothing.
#[derive(Clone)]
pub struct Recorder {
    access: Option<Arc<Access>>,
    metrics: Option<Arc<Metrics>>,
    pushed: Arc<[Arc<Metrics>]>,
    pulse: Option<Arc<Pulse>>,
    tail: Option<Arc<Tail>>,
    tracer: Option<Arc<Tracer>>,
}

impl Recorder {
    /// `pushed`: metrics beside those that are read, one for each receiver.
    pub fn new(access: Option<Arc<Access>>, metrics: Option<Arc<Metrics>>, pushed: Arc<[Arc<Metrics>]>) -> Self {
        Self { access, metrics, pushed, pulse: None, tail: None, tracer: None }
    }

    /// Feeds these as well.
    #[must_use]
    pub fn watched(self, pulse: Option<Arc<Pulse>>, tail: Option<Arc<Tail>>) -> Self {
        Self { pulse, tail, ..self }
    }

    /// Traces requests.
    #[must_use]
    pub fn traced(self, tracer: Option<Arc<Tracer>>) -> Self {
        Self { tracer, ..self }
    }
}

impl Observer for Recorder {
    fn trace(&self, request: &Request, exchange: &Exchange) -> Option<Box<Trace>> {
        let tracer = self.tracer.as_ref()?;
        let is_wanted = exchange.route.as_ref().is_none_or(|route| route.tracing);
        is_wanted.then(|| Box::new(tracer.begin(request, exchange)))
    }

    fn started(&self, request: &Request, exchange: &Exchange) -> Option<Box<dyn Record>> {
        let route = exchange.route.as_ref();
        let access = self.access.as_ref().filter(|_| route.is_none_or(|route| route.access_logs));
        let metrics = self.metrics.as_ref().filter(|_| route.is_none_or(|route| route.metrics));
        let is_pushed = !self.pushed.is_empty() && route.is_none_or(|route| route.metrics);
        // Whoever watches the dashboard does not want to see how it is watched.
        let is_own = self.pulse.is_some() && route.is_some_and(|route| route.service.ends_with("@internal"));
        let (pulse, tail) = if is_own { (None, None) } else { (self.pulse.as_ref(), self.tail.as_ref()) };
        let tracer = self.tracer.as_ref().filter(|_| exchange.trace.as_ref().is_some_and(|trace| trace.is_sampled));
        if access.is_none() && metrics.is_none() && !is_pushed && pulse.is_none() && tracer.is_none() {
            return None;
        }
        if let Some(pulse) = pulse {
            pulse.start();
        }
        let pushed = if is_pushed { &*self.pushed } else { &[] };
        Some(Box::new(Parts {
            access: access.map(|access| (Arc::clone(access), access.keep(request))),
            metrics: metrics.map(|metrics| (Arc::clone(metrics), metrics.keep(request))),
            pushed: pushed.iter().map(|metrics| (Arc::clone(metrics), metrics.keep(request))).collect(),
            pulse: pulse.cloned(),
            tracer: tracer.map(|tracer| (Arc::clone(tracer), None)),
            tail: tail.and_then(|tail| Some((Arc::clone(tail), tail.keep(request)?))),
        }))
    }

    fn refused(&self, request: &Request, exchange: &Exchange, outcome: &Outcome) {
        if let Some(access) = &self.access {
            access.write(&access.keep(request), exchange, outcome);
        }
        for metrics in self.metrics.iter().chain(&*self.pushed) {
            metrics.refused(exchange);
        }
    }

    fn connected(&self, entry_point: &str) {
        for metrics in self.metrics.iter().chain(&*self.pushed) {
            metrics.connections(entry_point, 1);
        }
    }

    fn disconnected(&self, entry_point: &str) {
        for metrics in self.metrics.iter().chain(&*self.pushed) {
            metrics.connections(entry_point, -1);
        }
    }
}

/// What each of them keeps of one exchange.
struct Parts {
    access: Option<(Arc<Access>, access::Kept)>,
    metrics: Option<(Arc<Metrics>, metrics::Kept)>,
    pushed: Vec<(Arc<Metrics>, metrics::Kept)>,
    pulse: Option<Arc<Pulse>>,
    tail: Option<(Arc<Tail>, tail::Kept)>,
    tracer: Option<(Arc<Tracer>, Option<Head>)>,
}

impl Record for Parts {
    fn answered(&mut self, response: &Response) {
        if let Some((tracer, head)) = &mut self.tracer {
            *head = Some(tracer.answered(response));
        }
        if let Some((access, kept)) = &mut self.access {
            access.answered(kept, response);
        }
        for (_, kept) in self.metrics.iter_mut().chain(&mut self.pushed) {
            kept.grpc_status(&response.headers);
        }
    }

    fn trailers(&mut self, trailers: &Headers) {
        for (_, kept) in self.metrics.iter_mut().chain(&mut self.pushed) {
            kept.grpc_status(trailers);
        }
    }

    fn finished(self: Box<Self>, exchange: &mut Exchange, outcome: &Outcome) {
        if let Some((access, kept)) = &self.access {
            access.write(kept, exchange, outcome);
        }
        for (metrics, kept) in self.metrics.iter().chain(&self.pushed) {
            metrics.count(kept, exchange, outcome);
        }
        if let Some(pulse) = &self.pulse {
            pulse.end(exchange, outcome);
        }
        if let (Some((tracer, head)), Some(trace)) = (&self.tracer, &mut exchange.trace) {
            tracer.end(trace, outcome.status.as_u16(), head.as_ref());
        }
        if let Some((tail, kept)) = self.tail {
            tail.end(kept, exchange, outcome);
        }
    }
}
