//! [`Requests`]: from a request to its answer, the same for every protocol version.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use trafficcop_exchange::{
    ConnectionInfo, Exchange, Headers, Interim, Method, Reason, Request, Response, StatusCode, Version, reply,
};
use trafficcop_h1::Handler;
use trafficcop_observe::{Observer, Outcome};
use trafficcop_router::{Head, HeaderLookup, canonical_host, routing_path};
use trafficcop_snapshot::{Entry, Live, Snapshot};

use crate::clean::{Refused, clean, malformed};
use crate::entry::EntryPoint;
use crate::forwarded::Peer;
use crate::overload::{self, Overload};
use crate::own;
use crate::pages::Page;
use crate::panics::{Caught, Panicked};
use crate::watch::Watch;

/// An entry point on a worker: what all of its connections there share.
#[derive(Clone)]
pub(crate) struct Traffic {
    /// The worker's number.
    pub(crate) worker: usize,
    pub(crate) live: Arc<Live>,
    /// Where the entry point stands in a snapshot.
    pub(crate) position: usize,
    pub(crate) entry: Arc<EntryPoint>,
    pub(crate) observer: Arc<dyn Observer>,
    /// Answers of the TLS challenge.
    pub(crate) challenges: trafficcop_tls::Challenges,
    pub(crate) overload: Arc<Overload>,
}

impl Traffic {
    /// The entry point's part of a snapshot.
    pub(crate) fn entry_of<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a Arc<Entry>> {
        let expected = snapshot.entries.get(self.position).filter(|entry| entry.name == self.entry.name);
        expected.or_else(|| snapshot.entry(&self.entry.name))
    }
}

/// What answers the requests of one connection.
pub(crate) struct Requests {
    traffic: Rc<Traffic>,
    connection: Rc<ConnectionInfo>,
    peer: Peer,
    /// Told on TLS over TCP only: over HTTP/3 it is known.
    alt_svc: Option<Bytes>,
}

impl Requests {
    pub(crate) fn new(traffic: Rc<Traffic>, connection: ConnectionInfo) -> Self {
        let peer = traffic.entry.forwarded.peer(connection.peer.ip(), connection.tls.is_some());
        let over_tcp = connection.tls.as_ref().is_some_and(|tls| tls.alpn.as_deref() != Some(b"h3"));
        let alt_svc = traffic.entry.alt_svc.clone().filter(|_| over_tcp);
        Self { traffic, connection: Rc::new(connection), peer, alt_svc }
    }

    /// Answers one request. Always yields an answer; what went wrong is in the exchange, for the observer.
    pub(crate) async fn answer(&self, mut request: Request, interim: Interim) -> Response {
        let entry = &*self.traffic.entry;
        if let Err(refused) = clean(&mut request, entry) {
            return self.refuse(&request, *refused);
        }
        entry.forwarded.apply(&mut request, &self.peer);
        let Ok(host) = canonical_host(&request.host).map(Cow::into_owned) else {
            return self.refuse(&request, malformed(Reason::BadHost));
        };

        // Held until the answer is there: a request never sees two snapshots.
        let current = self.traffic.live.current(self.traffic.worker);
        let snapshot = self.traffic.entry_of(&current);
        let found = match snapshot.map(|snapshot| self.find(snapshot, &request, &host)) {
            Some(Err(())) => return self.refuse(&request, malformed(Reason::BadPath)),
            Some(Ok(found)) => found,
            None => None,
        };
        let seat = self.traffic.overload.enter();
        // Whoever asks for our health shall hear of it all the same.
        if seat.is_none() && !found.is_some_and(|route| route.info.router.ends_with("@internal")) {
            return self.refuse(&request, Refused { reason: Reason::Overload, response: overload::turned_away() });
        }
        let misdirected = snapshot.is_some_and(|snapshot| self.is_misdirected(snapshot, &host));

        let mut exchange = Exchange::telling(Rc::clone(&self.connection), interim);
        exchange.canonical_host = host.into();
        exchange.keep_forwarded_for = !entry.forwarded.append_for;
        exchange.route = found.map(|route| Arc::clone(&route.info));
        let mut watch = Watch::new(exchange);
        watch.exchange.trace = self.traffic.observer.trace(&request, &watch.exchange);
        let record = self.traffic.observer.started(&request, &watch.exchange);
        watch.report_to(record, &mut request);

        let is_head = request.method == Method::HEAD;
        let is_grpc = own::is_grpc(&request);
        let page = Page::of(entry.pages.as_ref(), &request, &self.connection);
        let mut response = match found {
            None => {
                let is_disabled = snapshot.is_some_and(|entry| self.is_disabled(entry, &request, &watch.exchange));
                watch.exchange.reason = Some(if is_disabled { Reason::RouterDisabled } else { Reason::NoRoute });
                reply::not_found()
            }
            Some(_) if misdirected => {
                watch.exchange.reason = Some(Reason::MisdirectedRequest);
                reply::error(StatusCode::MISDIRECTED_REQUEST, "Misdirected Request")
            }
            Some(route) => {
                let answer = Caught(route.service.call(request, &mut watch.exchange)).await;
                answer.unwrap_or_else(|Panicked| {
                    tracing::error!(router = %route.info.router, "A handler panicked.");
                    watch.exchange.reason = Some(Reason::Panic);
                    reply::error(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
                })
            }
        };
        if let Some(reason) = watch.exchange.reason {
            own::finish(&mut response, reason, is_grpc, entry.http1.shows_reasons);
            if let Some(page) = page {
                page.put(&mut response, reason, &current);
            }
        }
        self.advertise(&mut response);
        watch.follow(response, is_head)
    }

    /// Tells the client of HTTP/3.
    fn advertise(&self, response: &mut Response) {
        if let Some(alt_svc) = &self.alt_svc {
            response.headers.push(b"Alt-Svc", alt_svc);
        }
    }

    /// Answers what never comes to a route, and tells the observer.
    fn refuse(&self, request: &Request, refused: Refused) -> Response {
        let Refused { reason, mut response } = refused;
        let bytes_out = response.body.remaining().unwrap_or(0);
        self.tell_refusal(reason, response.status, bytes_out, request);
        own::finish(&mut response, reason, own::is_grpc(request), self.traffic.entry.http1.shows_reasons);
        self.advertise(&mut response);
        response
    }

    fn tell_refusal(&self, reason: Reason, status: StatusCode, bytes_out: u64, request: &Request) {
        let mut exchange = Exchange::new(Rc::clone(&self.connection));
        exchange.reason = Some(reason);
        let duration = exchange.started.elapsed();
        let outcome = Outcome { status, bytes_in: 0, bytes_out, duration, complete: true };
        self.traffic.observer.refused(request, &exchange, &outcome);
    }

    /// Tells the observer of what an engine refused before there was a request.
    pub(crate) fn not_understood(&self, version: Version, reason: Reason, status: StatusCode) {
        let mut request = own::nothing_understood();
        request.version = version;
        self.tell_refusal(reason, status, 0, &request);
    }

    /// Whether the rule of a disabled router holds. Asked only where no other does.
    fn is_disabled(&self, entry: &Entry, request: &Request, exchange: &Exchange) -> bool {
        let Some(disabled) = &entry.disabled else { return false };
        let table = if self.connection.tls.is_some() { &disabled.https } else { &disabled.http };
        trafficcop_snapshot::find(table, request, exchange, None).is_ok_and(|found| found.is_some())
    }

    fn find<'a>(
        &self,
        entry: &'a Entry,
        request: &Request,
        host: &str,
    ) -> Result<Option<&'a Arc<trafficcop_snapshot::Route>>, ()> {
        let table = if self.connection.tls.is_some() { &entry.https } else { &entry.http };
        let routing_path = routing_path(request.target.path()).map_err(drop)?;
        Ok(table.find(&Head {
            method: request.method.as_str(),
            host,
            cname: None,
            routing_path: &routing_path,
            query: request.target.query(),
            headers: &Lines(&request.headers),
            client_ip: self.connection.peer.ip(),
        }))
    }

    /// Whether the Host header leads to other TLS options than the handshake followed: its terms were for another name.
    fn is_misdirected(&self, entry: &Entry, host: &str) -> bool {
        let Some(tls) = &self.connection.tls else { return false };
        let asked = tls.server_name.as_deref().unwrap_or("");
        host.strip_suffix('.').unwrap_or(host) != asked && entry.tls_options.find(host) != &*tls.options
    }
}

impl Handler for Requests {
    fn call(&self, request: Request, interim: Interim) -> impl Future<Output = Response> {
        self.answer(request, interim)
    }

    fn refused(&self, reason: Reason, status: StatusCode, request: Option<&Request>) {
        match request {
            Some(request) => self.tell_refusal(reason, status, 0, request),
            None => self.not_understood(Version::HTTP_11, reason, status),
        }
    }
}

/// Header lines as matchers see them.
struct Lines<'a>(&'a Headers);

impl HeaderLookup for Lines<'_> {
    fn values(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.0.get_all(name).any(each)
    }
}
