//! What the server tells of each exchange, and to whom: the seam for access log, metrics and traces.

use std::time::Duration;

use trafficcop_exchange::{Exchange, Headers, Origin, Request, Response, StatusCode, Trace};

/// Told of every exchange of every entry point, on the worker that has it. It must never wait.
pub trait Observer: Send + Sync + 'static {
    /// A request was cleaned and its route looked for (`exchange.route` is `None` when there is none); no middleware has
    /// seen it yet. Whoever wants to hear of its end returns a record holding what it will need; `None` costs nothing more.
    fn started(&self, request: &Request, exchange: &Exchange) -> Option<Box<dyn Record>>;

    /// The spans of a request of which [`Observer::started`] will be told next. None: it is not traced.
    fn trace(&self, _request: &Request, _exchange: &Exchange) -> Option<Box<Trace>> {
        None
    }

    /// A request was turned away before its route was looked for; the exchange has the reason. What was never a request
    /// has the method and the path `-`.
    fn refused(&self, _request: &Request, _exchange: &Exchange, _outcome: &Outcome) {}

    /// A client's connection to the entry point was opened.
    fn connected(&self, _entry_point: &str) {}

    /// A connection that was told to [`Observer::connected`] has ended.
    fn disconnected(&self, _entry_point: &str) {}
}

/// What is kept of one exchange until its end.
pub trait Record {
    /// The answer's head, as it goes to the client. Not told when the client went away before.
    fn answered(&mut self, _response: &Response) {}

    /// The answer's trailers, if it has any.
    fn trailers(&mut self, _trailers: &Headers) {}

    /// The last byte of the answer was handed to the connection, or the exchange broke off.
    fn finished(self: Box<Self>, exchange: &mut Exchange, outcome: &Outcome);
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the client was told; 499 when it went away before there was an answer.
    pub status: StatusCode,
    /// Bytes of the request's body that were read.
    pub bytes_in: u64,
    /// Bytes of the answer's body that were handed over.
    pub bytes_out: u64,
    /// From the end of the request's head to the end of the answer.
    pub duration: Duration,
    /// The answer reached its end.
    pub complete: bool,
}

impl Outcome {
    /// How much of the whole was spent with the server.
    pub(crate) fn duration_of(&self, origin: &Origin) -> Duration {
        self.duration.saturating_sub(origin.after)
    }
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Observer for Nobody {
    fn started(&self, _: &Request, _: &Exchange) -> Option<Box<dyn Record>> {
        None
    }
}
