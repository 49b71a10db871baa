//! From a request to its answer: kept, confirmed, or fetched.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use trafficcop_exchange::{
    Body, BodyError, BodyStream, Exchange, Frame, Headers, Method, Next, Reason, Request, Response, StatusCode, reply,
};

use super::Kept;
use super::directives::says;
use super::store::{Flight, Store, Turn};
use super::stored::{self, Entry, Standing, Stored};

/// How long a request waits for another that fetches the same, before it fetches itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// The address of what is asked for.
pub(super) fn key(req: &Request, cx: &Exchange) -> Arc<str> {
    let scheme = if cx.connection.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{}{}", req.host_str().to_ascii_lowercase(), req.target.to_uri()).into()
}

/// What is known of the request while it is answered.
struct Asked {
    key: Arc<str>,
    policy: http::Request<()>,
    headers: Headers,
    is_head: bool,
}

pub(super) async fn answer(kept: &Arc<Kept>, req: Request, cx: &mut Exchange, next: Next<'_>) -> Response {
    let asked = Asked {
        key: key(&req, cx),
        policy: stored::asked(&req.headers),
        headers: req.headers.clone(),
        is_head: req.method == Method::HEAD,
    };
    if says(asked.policy.headers(), "no-store") {
        return marked(next.run(req, cx).await, "fwd=bypass");
    }
    let mut has_waited = false;
    loop {
        let now = kept.now();
        let (found, is_known) = kept.store.find(&asked.key, |entry| entry.standing(&asked.policy, now));
        if let Some((entry, Standing::Fresh)) = &found {
            kept.store.count(true);
            let status = format!("hit; ttl={}{}", entry.ttl(now), if has_waited { "; collapsed" } else { "" });
            return entry.answer(&asked.headers, asked.is_head, &status, now);
        }
        let stale = found.map(|(entry, _)| entry);
        if says(asked.policy.headers(), "only-if-cached") {
            cx.reason = Some(Reason::OnlyIfCached);
            return marked(reply::status_text(StatusCode::GATEWAY_TIMEOUT), "fwd=miss; detail=only-if-cached");
        }
        if let Some(entry) = &stale
            && entry.is_within(entry.directives.while_revalidate, kept.while_revalidate, now)
            && !asks_anew(&asked)
        {
            if let Turn::Ours(flight) = Store::turn(kept, &asked.key) {
                behind(Arc::clone(kept), &asked, &req, cx, next, (Arc::clone(entry), flight));
            }
            kept.store.count(true);
            return entry.answer(&asked.headers, asked.is_head, "hit; ttl=0; detail=stale-while-revalidate", now);
        }
        // Without an entry these ask for less than the whole; it is not worth fetching more than that.
        if stale.is_none() && (asked.is_head || asked.headers.contains("Range")) {
            kept.store.count(false);
            return marked(next.run(req, cx).await, "fwd=miss");
        }
        let why = match (&stale, is_known) {
            (Some(_), _) if asks_anew(&asked) => "request",
            (Some(_), _) => "stale",
            (None, true) => "vary-miss",
            (None, false) => "uri-miss",
        };
        let flight = match Store::turn(kept, &asked.key) {
            Turn::Ours(flight) => Some(flight),
            Turn::Theirs(done) if !has_waited => {
                let _looked_at_again_anyway = tokio::time::timeout(PATIENCE, done).await;
                has_waited = true;
                continue;
            }
            Turn::Theirs(_) | Turn::Free => None,
        };
        kept.store.count(false);
        return fetch(kept, &asked, req, cx, next, stale, flight, why).await;
    }
}

fn asks_anew(asked: &Asked) -> bool {
    let headers = asked.policy.headers();
    says(headers, "no-cache")
        || says(headers, "max-age")
        || says(headers, "min-fresh")
        || headers.get("pragma").is_some_and(|pragma| pragma.as_bytes() == b"no-cache")
}

fn marked(mut response: Response, status: &str) -> Response {
    response.headers.append("Cache-Status", format!("TrafficCop; {status}"));
    response
}

/// Asks the service; keeps what may be kept.
#[allow(clippy::too_many_arguments)] // they are what is known of one request
async fn fetch(
    kept: &Arc<Kept>,
    asked: &Asked,
    mut req: Request,
    cx: &mut Exchange,
    next: Next<'_>,
    stale: Option<Entry>,
    flight: Option<Flight>,
    why: &str,
) -> Response {
    if let Some(entry) = &stale {
        entry.condition(&mut req.headers);
        // An entry is of GET, whatever was asked now.
        req.method = Method::GET;
    }
    let mut response = next.run(req, &mut *cx).await;
    let now = kept.now();
    if let Some(entry) = &stale {
        if response.status == StatusCode::NOT_MODIFIED {
            let Some(confirmed) = entry.confirmed(kept, &asked.policy, &response.headers).map(Arc::new) else {
                kept.store.remove(&asked.key);
                return entry.answer(&asked.headers, asked.is_head, &format!("fwd={why}; fwd-status=304"), now);
            };
            put(kept, asked, Arc::clone(&confirmed));
            return confirmed.answer(&asked.headers, asked.is_head, &format!("fwd={why}; fwd-status=304; stored"), now);
        }
        let has_failed = cx.fault.is_some() || matches!(response.status.as_u16(), 500 | 502 | 503 | 504);
        if has_failed && entry.is_within(entry.directives.if_error, kept.if_error, now) {
            let told = format!("hit; ttl=0; fwd={why}; fwd-status={}; detail=stale-if-error", response.status.as_u16());
            (cx.fault, cx.reason) = (None, None);
            return entry.answer(&asked.headers, asked.is_head, &told, now);
        }
    }
    // What we answered ourselves is nobody's to keep.
    let is_own = cx.reason.is_some() || cx.fault.is_some();
    let (code, headers) = (response.status, response.headers.clone());
    let keeps = |body: Bytes| Stored::new(kept, &asked.policy, code, &headers, body);
    let announced = response.headers.get_str("Content-Length").and_then(|length| length.parse::<usize>().ok());
    let is_small =
        announced.or(response.body.remaining().map(|size| size as usize)).is_none_or(|size| size <= kept.most_each);
    if is_own || response.upgrade.is_some() || !is_small || keeps(Bytes::new()).is_none() {
        if !is_own && code != StatusCode::NOT_MODIFIED {
            kept.store.passes(&asked.key);
        }
        return whole_for(asked, stale.is_some(), marked(response, &format!("fwd={why}")));
    }
    let status = format!("fwd={why}; stored");
    if announced.is_none() && response.body.remaining().is_none() {
        // It comes in its own time; it is kept as it passes.
        let tee = Tee {
            body: std::mem::take(&mut response.body),
            copy: Some(BytesMut::new()),
            kept: Arc::clone(kept),
            asked: Asked {
                key: Arc::clone(&asked.key),
                policy: asked.policy.clone(),
                headers: Headers::new(),
                is_head: false,
            },
            status: code,
            headers: headers.clone(),
            flight,
        };
        response.body = Body::stream(tee);
        return whole_for(asked, stale.is_some(), marked(response, &status));
    }
    match response.body.collect(kept.most_each as u64).await {
        Ok(body) => match keeps(body.clone()) {
            Some(entry) => {
                let entry = Arc::new(entry);
                put(kept, asked, Arc::clone(&entry));
                drop(flight);
                entry.answer(&asked.headers, asked.is_head, &status, now)
            }
            None => marked(Response { body: Body::Full(body), ..response }, &format!("fwd={why}")),
        },
        Err(error) => {
            // The client gets to see that it breaks off.
            response.body = Body::stream(Broken(Some(error)));
            marked(response, &format!("fwd={why}"))
        }
    }
}

/// HEAD that became GET for the sake of an entry gets no body.
fn whole_for(asked: &Asked, was_changed: bool, mut response: Response) -> Response {
    if asked.is_head && was_changed {
        response.body = Body::Empty;
    }
    response
}

fn put(kept: &Kept, asked: &Asked, entry: Entry) {
    let now = kept.now();
    kept.store.put(&asked.key, entry, |old| old.standing(&asked.policy, now) != Standing::Other);
}

/// Asks anew while the client has its answer already.
fn behind(
    kept: Arc<Kept>,
    asked: &Asked,
    req: &Request,
    cx: &Exchange,
    next: Next<'_>,
    (entry, flight): (Entry, Flight),
) {
    let chain = next.detached();
    let mut question = Request::new(Method::GET, req.target.clone());
    question.host = req.host.clone();
    question.version = req.version;
    question.headers = req.headers.clone();
    let mut own = Exchange::new(cx.connection.clone());
    own.canonical_host = cx.canonical_host.clone();
    own.route.clone_from(&cx.route);
    let asked =
        Asked { key: Arc::clone(&asked.key), policy: asked.policy.clone(), headers: Headers::new(), is_head: false };
    tokio::task::spawn_local(async move {
        let mut response =
            fetch(&kept, &asked, question, &mut own, chain.steps(), Some(entry), Some(flight), "stale").await;
        // A body that is kept as it passes has to pass.
        while let Some(Ok(_)) = response.body.frame().await {}
    });
}

/// Keeps a copy of what passes.
struct Tee {
    body: Body,
    /// None: it is not to be kept any more.
    copy: Option<BytesMut>,
    kept: Arc<Kept>,
    asked: Asked,
    status: StatusCode,
    headers: Headers,
    flight: Option<Flight>,
}

impl BodyStream for Tee {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        let polled = self.body.poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(Frame::Data(data)))) => {
                let most = self.kept.most_each;
                match &mut self.copy {
                    Some(copy) if copy.len() + data.len() <= most => copy.extend_from_slice(data),
                    copy => {
                        *copy = None;
                        self.flight = None;
                    }
                }
            }
            // Trailers are not kept, so neither is what they belong to.
            Poll::Ready(Some(_)) => self.copy = None,
            Poll::Ready(None) => {
                if let Some(copy) = self.copy.take()
                    && let Some(entry) =
                        Stored::new(&self.kept, &self.asked.policy, self.status, &self.headers, copy.freeze())
                {
                    put(&self.kept, &self.asked, Arc::new(entry));
                }
                self.flight = None;
            }
            Poll::Pending => {}
        }
        polled
    }
}

/// A body that breaks off at once.
struct Broken(Option<BodyError>);

impl BodyStream for Broken {
    fn poll_frame(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Frame, BodyError>>> {
        Poll::Ready(self.0.take().map(Err))
    }
}
