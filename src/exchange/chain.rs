//! What a request passes: filters that look, steps that wrap, and the service at the end.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Exchange, Request, Response};

/// Futures of the request path stay on their worker.
pub type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Break answers at once; the response half of the filters already passed still runs.
pub type Flow = ControlFlow<Response>;

/// The weakest thing a middleware can be: looks and changes, never waits. One virtual call.
pub trait Filter: Send + Sync + 'static {
    fn request(&self, _req: &mut Request, _cx: &mut Exchange) -> Flow {
        Flow::Continue(())
    }
    /// The response half, for filters that say they have one.
    fn response(&self, _res: &mut Response, _cx: &mut Exchange) {}
    /// Whether there is a response half. Where no filter has one, nothing has to wait for the answer.
    fn has_response(&self) -> bool {
        false
    }
}

/// For what must wait, or call next twice or never. Costs one allocation.
pub trait Around: Send + Sync + 'static {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange, next: Next<'a>) -> LocalBoxFuture<'a, Response>;
    /// It does nothing but measure what follows: where nobody wants to know, it is left out.
    fn is_span(&self) -> bool {
        false
    }
}

/// The end of a chain.
pub trait Service: Send + Sync + 'static {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response>;
}

#[derive(Clone)]
pub enum Step {
    Filter(Arc<dyn Filter>),
    Around(Arc<dyn Around>),
}

/// Steps and the service behind them; itself a service.
pub struct Chain {
    steps: Box<[Step]>,
    service: Arc<dyn Service>,
}

impl Chain {
    pub fn new(steps: impl Into<Box<[Step]>>, service: Arc<dyn Service>) -> Self {
        Self { steps: steps.into(), service }
    }

    pub fn run<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        self.steps().run(req, cx)
    }

    /// All of it, as what is left.
    pub fn steps(&self) -> Next<'_> {
        Next { steps: &self.steps, service: &self.service }
    }
}

impl Service for Chain {
    fn call<'a>(&'a self, req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        self.run(req, cx)
    }
}

/// What is left of a chain.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    steps: &'a [Step],
    service: &'a Arc<dyn Service>,
}

impl<'a> Next<'a> {
    pub fn new(steps: &'a [Step], service: &'a Arc<dyn Service>) -> Self {
        Self { steps, service }
    }

    /// The same, for work that outlives the request: it holds on to what the snapshot built.
    pub fn detached(self) -> Chain {
        Chain::new(self.steps, Arc::clone(self.service))
    }

    /// Runs the rest. Filters up to the next wrapping step run here, in a loop; only waiting allocates.
    pub fn run(self, mut req: Request, cx: &'a mut Exchange) -> LocalBoxFuture<'a, Response> {
        let leading = self.steps.iter().take_while(|step| matches!(step, Step::Filter(_))).count();
        let (filters, rest) = self.steps.split_at(leading);
        let (mut answered, mut waits) = (None, false);
        for (index, step) in filters.iter().enumerate() {
            let Step::Filter(filter) = step else { continue };
            waits |= filter.has_response();
            if let Flow::Break(response) = filter.request(&mut req, cx) {
                answered = Some((index, response));
                break;
            }
        }
        if let Some((index, mut response)) = answered {
            respond(&filters[..index], &mut response, cx);
            return Box::pin(std::future::ready(response));
        }
        if !waits {
            return self.after_filters(rest, req, cx);
        }
        Box::pin(async move {
            let mut response = self.after_filters(rest, req, cx).await;
            respond(filters, &mut response, cx);
            response
        })
    }

    fn after_filters<'b>(self, rest: &'a [Step], req: Request, cx: &'b mut Exchange) -> LocalBoxFuture<'b, Response>
    where
        'a: 'b,
    {
        match rest.split_first() {
            Some((Step::Around(around), rest)) => around.call(req, cx, Next { steps: rest, service: self.service }),
            _ => self.service.call(req, cx),
        }
    }
}

/// The response half, in reverse order.
fn respond(filters: &[Step], response: &mut Response, cx: &mut Exchange) {
    for step in filters.iter().rev() {
        if let Step::Filter(filter) = step
            && filter.has_response()
        {
            filter.response(response, cx);
        }
    }
}
