//! [`Recorder`]: the observer that feeds the access log, the metrics, the traces and what the dashboard shows.

use std::sync::Arc;

use trafficcop_exchange::{Exchange, Headers, Request, Response, Trace};

use crate::access::{self, Access};
use crate::metrics::{self, Metrics};
use crate::spans::Head;
use crate::{Observer, Outcome, Pulse, Record, Tail, Tracer, tail};

/// See the module. What is None is not fed and costs nothing.
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

    /// Those that are read, and those that are pushed.
    fn all_metrics(&self) -> impl Iterator<Item = &Arc<Metrics>> {
        self.metrics.iter().chain(&*self.pushed)
    }

    /// As whoever serves holds it.
    pub fn observer(self) -> Arc<dyn Observer> {
        Arc::new(Recording(Arc::new(self)))
    }
}

/// Each exchange has one hold on all of it.
struct Recording(Arc<Recorder>);

impl Observer for Recording {
    fn trace(&self, request: &Request, exchange: &Exchange) -> Option<Box<Trace>> {
        let tracer = self.0.tracer.as_ref()?;
        let is_wanted = exchange.route.as_ref().is_none_or(|route| route.tracing);
        is_wanted.then(|| Box::new(tracer.begin(request, exchange)))
    }

    fn started(&self, request: &Request, exchange: &Exchange) -> Option<Box<dyn Record>> {
        let Recorder { access, metrics, pushed, pulse, tail, tracer } = &*self.0;
        let route = exchange.route.as_ref();
        let access = access.as_ref().filter(|_| route.is_none_or(|route| route.access_logs));
        let is_measured = route.is_none_or(|route| route.metrics);
        let metrics = metrics.as_ref().filter(|_| is_measured);
        let pushed = if is_measured { &**pushed } else { &[] };
        // Whoever watches the dashboard does not want to see how it is watched.
        let is_own = pulse.is_some() && route.is_some_and(|route| route.service.ends_with("@internal"));
        let (pulse, tail) = if is_own { (None, None) } else { (pulse.as_ref(), tail.as_ref()) };
        let is_traced = tracer.is_some() && exchange.trace.as_ref().is_some_and(|trace| trace.is_sampled);
        if access.is_none() && metrics.is_none() && pushed.is_empty() && pulse.is_none() && !is_traced {
            return None;
        }
        if let Some(pulse) = pulse {
            pulse.start();
        }
        Some(Box::new(Parts {
            access: access.map(|access| access.keep(request)),
            metrics: metrics.map(|metrics| metrics.keep(request)),
            pushed: pushed.iter().map(|metrics| metrics.keep(request)).collect(),
            has_pulse: pulse.is_some(),
            tail: tail.and_then(|tail| tail.keep(request)),
            is_traced,
            head: None,
            recorder: Arc::clone(&self.0),
        }))
    }

    fn refused(&self, request: &Request, exchange: &Exchange, outcome: &Outcome) {
        if let Some(access) = &self.0.access {
            access.write(&access.keep(request), exchange, outcome);
        }
        for metrics in self.0.all_metrics() {
            metrics.refused(exchange);
        }
    }

    fn connected(&self, entry_point: &str) {
        for metrics in self.0.all_metrics() {
            metrics.connections(entry_point, 1);
        }
    }

    fn disconnected(&self, entry_point: &str) {
        for metrics in self.0.all_metrics() {
            metrics.connections(entry_point, -1);
        }
    }
}

/// What each of them keeps of one exchange.
struct Parts {
    access: Option<access::Kept>,
    metrics: Option<metrics::Kept>,
    /// One for each receiver, or none.
    pushed: Vec<metrics::Kept>,
    has_pulse: bool,
    tail: Option<tail::Kept>,
    is_traced: bool,
    head: Option<Head>,
    recorder: Arc<Recorder>,
}

impl Record for Parts {
    fn answered(&mut self, response: &Response) {
        if let Some(tracer) = self.recorder.tracer.as_ref().filter(|_| self.is_traced) {
            self.head = Some(tracer.answered(response));
        }
        if let (Some(access), Some(kept)) = (&self.recorder.access, &mut self.access) {
            access.answered(kept, response);
        }
        for kept in self.metrics.iter_mut().chain(&mut self.pushed) {
            kept.grpc_status(&response.headers);
        }
    }

    fn trailers(&mut self, trailers: &Headers) {
        for kept in self.metrics.iter_mut().chain(&mut self.pushed) {
            kept.grpc_status(trailers);
        }
    }

    fn finished(self: Box<Self>, exchange: &mut Exchange, outcome: &Outcome) {
        let Recorder { access, metrics, pushed, pulse, tail, tracer } = &*self.recorder;
        if let (Some(access), Some(kept)) = (access, &self.access) {
            access.write(kept, exchange, outcome);
        }
        if let (Some(metrics), Some(kept)) = (metrics, &self.metrics) {
            metrics.count(kept, exchange, outcome);
        }
        for (metrics, kept) in pushed.iter().zip(&self.pushed) {
            metrics.count(kept, exchange, outcome);
        }
        if let Some(pulse) = pulse.as_ref().filter(|_| self.has_pulse) {
            pulse.end(exchange, outcome);
        }
        if let (Some(tracer), Some(trace)) = (tracer, exchange.trace.as_mut().filter(|_| self.is_traced)) {
            tracer.end(trace, outcome.status.as_u16(), self.head.as_ref());
        }
        if let (Some(tail), Some(kept)) = (tail, self.tail) {
            tail.end(kept, exchange, outcome);
        }
    }
}
