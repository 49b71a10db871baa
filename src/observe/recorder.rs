//! [`Recorder`]: the observer that feeds the access log and the metrics.

use std::sync::Arc;

use trafficcop_exchange::{Exchange, Headers, Request, Response};

use crate::access::{self, Access};
use crate::metrics::{self, Metrics};
use crate::{Observer, Outcome, Record};

/// See the module. What is None is not fed and costs nothing.
#[derive(Clone)]
pub struct Recorder {
    access: Option<Arc<Access>>,
    metrics: Option<Arc<Metrics>>,
    pushed: Arc<[Arc<Metrics>]>,
}

impl Recorder {
    /// `pushed`: metrics beside those that are read, one for each receiver.
    pub fn new(access: Option<Arc<Access>>, metrics: Option<Arc<Metrics>>, pushed: Arc<[Arc<Metrics>]>) -> Self {
        Self { access, metrics, pushed }
    }
}

impl Observer for Recorder {
    fn started(&self, request: &Request, exchange: &Exchange) -> Option<Box<dyn Record>> {
        let route = exchange.route.as_ref();
        let access = self.access.as_ref().filter(|_| route.is_none_or(|route| route.access_logs));
        let metrics = self.metrics.as_ref().filter(|_| route.is_none_or(|route| route.metrics));
        let is_pushed = !self.pushed.is_empty() && route.is_none_or(|route| route.metrics);
        if access.is_none() && metrics.is_none() && !is_pushed {
            return None;
        }
        let pushed = if is_pushed { &*self.pushed } else { &[] };
        Some(Box::new(Parts {
            access: access.map(|access| (Arc::clone(access), access.keep(request))),
            metrics: metrics.map(|metrics| (Arc::clone(metrics), metrics.keep(request))),
            pushed: pushed.iter().map(|metrics| (Arc::clone(metrics), metrics.keep(request))).collect(),
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
}

impl Record for Parts {
    fn answered(&mut self, response: &Response) {
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

    fn finished(self: Box<Self>, exchange: &Exchange, outcome: &Outcome) {
        if let Some((access, kept)) = &self.access {
            access.write(kept, exchange, outcome);
        }
        for (metrics, kept) in self.metrics.iter().chain(&self.pushed) {
            metrics.count(kept, exchange, outcome);
        }
    }
}
