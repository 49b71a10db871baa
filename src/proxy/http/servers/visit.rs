//! One request's way through the servers of a service: to the picked one, or on to others, until there is an answer or
//! nothing more can be tried.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use trafficcop_exchange::{Exchange, Request, Response, Target};

use super::{Server, Servers};
use crate::http::attempt::{self, Ready};
use crate::http::failure::Failure;
use crate::http::in_flight;
use crate::http::pinned::Way;
use crate::http::reach::{Search, Tried};

/// How often a request is sent again because a kept connection had been closed.
const MOST_REPEATS: usize = 3;

/// One request's way through the servers.
pub(super) struct Visit {
    pub(super) first: usize,
    pub(super) way: Way,
    pub(super) patience: Duration,
    pub(super) tried: Tried,
}

/// What [`Servers::address`] replaced, for sending the request elsewhere.
struct Original {
    host: Option<Bytes>,
    target: Option<Target>,
}

impl Original {
    fn restore(self, request: &mut Request) {
        if let Some(host) = self.host {
            request.host = host;
        }
        if let Some(target) = self.target {
            request.target = target;
        }
    }
}

impl Servers {
    /// Sends the request until a server has answered or nothing more can be tried. Also gives the server it ended with.
    pub(super) async fn visit(
        &self,
        mut request: Box<Request>,
        cx: &mut Exchange,
        visit: &mut Visit,
        mut pick: impl FnMut(&[usize]) -> Option<usize>,
    ) -> (usize, Result<Response, Failure>) {
        let mut index = visit.first;
        visit.tried.push(index);
        let mut ready = attempt::kept(&self.balancer.target(index).endpoint, visit.way);
        let mut repeats = 0;
        loop {
            let connection = match ready.take() {
                Some(ready) => ready,
                // Boxed, so that requests that find a connection do not carry the room for this along.
                None => match Box::pin(self.reach(index, visit, &mut pick)).await {
                    Ok((reached, ready)) => {
                        index = reached;
                        ready
                    }
                    Err((index, failure)) => {
                        let info = &self.balancer.target(index).info;
                        cx.server = Some(Arc::clone(info));
                        if let Some(trace) = &mut cx.trace {
                            let span = trace.call("ReverseProxy", &info.url, &mut request);
                            trace.answered(span, 502, None);
                        }
                        return (index, Err(failure));
                    }
                },
            };
            let server = self.balancer.target(index);
            cx.server = Some(Arc::clone(&server.info));
            let original = self.address(&mut request, server);
            let counted = self.kind.counts_requests().then(|| self.balancer.candidate(index).enter());
            let span = cx.trace.as_mut().map(|trace| trace.call("ReverseProxy", &server.info.url, &mut request));
            let sent = attempt::send(connection, &server.endpoint, visit.way, request, &cx.interim).await;
            if let (Some(trace), Some(span)) = (&mut cx.trace, span) {
                let (status, headers) = sent.as_ref().map_or((502, None), |it| (it.status.as_u16(), Some(&it.headers)));
                trace.answered(span, status, headers);
            }
            match sent {
                Ok(response) => return (index, Ok(in_flight::until_the_end(response, counted))),
                Err(mut failure) => {
                    if repeats == MOST_REPEATS {
                        return (index, Err(failure));
                    }
                    let Some(mut again) = failure.take_repeatable() else { return (index, Err(failure)) };
                    // A stale connection says nothing of its server. One that closes a new connection without an
                    // answer is going down, and another may take over.
                    let is_over = !failure.is_stale() || server.endpoint.is_retired.load(Ordering::Relaxed);
                    let next = if is_over { pick(&visit.tried) } else { Some(index) };
                    let Some(next) = next else { return (index, Err(failure)) };
                    original.restore(&mut again);
                    request = again;
                    repeats += 1;
                    if next != index {
                        self.learn(index, false);
                        index = next;
                        visit.tried.push(index);
                        ready = attempt::kept(&self.balancer.target(index).endpoint, visit.way);
                    }
                }
            }
        }
    }

    async fn reach(
        &self,
        first: usize,
        visit: &mut Visit,
        pick: impl FnMut(&[usize]) -> Option<usize>,
    ) -> Result<(usize, Ready), (usize, Failure)> {
        let search = Search {
            endpoint: |index: usize| &self.balancer.target(index).endpoint,
            pick,
            way: visit.way,
            patience: visit.patience,
            tried: &mut visit.tried,
        };
        search.open(first).await
    }

    /// Host and path for that server.
    fn address(&self, request: &mut Request, server: &Server) -> Original {
        // A request without a host (HTTP/1.0) gets the server's, as with Go's client.
        let replaces = !self.pass_host_header || request.host.is_empty();
        let host = replaces.then(|| std::mem::replace(&mut request.host, server.url.authority.clone()));
        let target = server.preserve_path.then(|| {
            let original = request.target.clone();
            request.target.set_path(server.url.join(original.path()));
            original
        });
        Original { host, target }
    }
}
