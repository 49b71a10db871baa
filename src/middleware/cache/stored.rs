//! [`Stored`]: an answer that is kept, and whether it may be given.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_cache_semantics::{BeforeRequest, CacheOptions, CachePolicy};
use trafficcop_exchange::conditions::{Validators, Verdict, judge};
use trafficcop_exchange::{Body, Headers, Response, StatusCode};

use super::Kept;
use super::directives::{Directives, says};

/// What an entry costs beside its texts.
const OVERHEAD: usize = 512;

/// See the module.
pub(super) struct Stored {
    pub(super) status: StatusCode,
    pub(super) headers: Headers,
    pub(super) body: Bytes,
    policy: CachePolicy,
    pub(super) directives: Directives,
    lifetime: Duration,
    size: usize,
}

/// How an entry stands to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is the answer.
    Fresh,
    /// It is the answer to this request, but has to be confirmed.
    Stale,
    /// Its `Vary` speaks of other requests.
    Other,
}

/// Header lines as the policy reads them; lines of one name become one, as RFC 9110 allows.
pub(super) fn as_map(headers: &Headers) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers.iter() {
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) else {
            continue;
        };
        let joined = map.get(&name).and_then(|before: &HeaderValue| {
            HeaderValue::from_bytes(&[before.as_bytes(), b", ", value.as_bytes()].concat()).ok()
        });
        map.insert(name, joined.unwrap_or(value));
    }
    map
}

/// A request as the policy reads it. The address is left out: it is the key.
pub(super) fn asked(headers: &Headers) -> http::Request<()> {
    let mut request = http::Request::new(());
    *request.headers_mut() = as_map(headers);
    request
}

/// An age that no answer has; the policy's sums would overflow.
fn is_ancient(map: &HeaderMap) -> bool {
    let age = map.get("age").and_then(|age| age.to_str().ok()).and_then(|age| age.trim().parse::<u64>().ok());
    age.is_some_and(|age| age > u64::from(u32::MAX))
}

impl Stored {
    /// None: it must not be kept, or would be of no use.
    pub(super) fn new(
        kept: &Kept,
        asked: &http::Request<()>,
        status: StatusCode,
        headers: &Headers,
        body: Bytes,
    ) -> Option<Self> {
        let mut map = as_map(headers);
        let forbidden = ["set-cookie", "content-range"].iter().any(|name| map.contains_key(*name));
        let varies = map.get("vary").is_some_and(|vary| vary.as_bytes().contains(&b'*'));
        if forbidden || varies || is_ancient(&map) {
            return None;
        }
        let directives = Directives::of(&map);
        // Who shows credentials gets an answer for himself, unless it says otherwise (RFC 9111, 3.5).
        let is_shared = || ["public", "s-maxage", "must-revalidate"].iter().any(|word| says(&map, word));
        if asked.headers().contains_key(http::header::AUTHORIZATION) && !is_shared() {
            return None;
        }
        if says(&map, "proxy-revalidate") {
            // The policy takes it for "never fresh"; what it means is among the directives.
            let line = map.get(http::header::CACHE_CONTROL).and_then(|line| line.to_str().ok()).unwrap_or("");
            let rest: Vec<_> =
                line.split(',').filter(|word| !word.trim().eq_ignore_ascii_case("proxy-revalidate")).collect();
            let rest = HeaderValue::from_str(&rest.join(",")).ok()?;
            map.insert(http::header::CACHE_CONTROL, rest);
        }
        let is_silent = !["cache-control", "expires", "pragma"].iter().any(|name| map.contains_key(*name));
        if let Some(ttl) = kept.default_ttl.filter(|_| is_silent && status == StatusCode::OK) {
            let value = HeaderValue::from_str(&format!("max-age={}", ttl.as_secs())).ok()?;
            map.insert(http::header::CACHE_CONTROL, value);
        }
        let has_validator = map.contains_key("etag") || map.contains_key("last-modified");
        let mut answer = http::Response::new(());
        *answer.status_mut() = status;
        *answer.headers_mut() = map;
        let policy = CachePolicy::new_options(asked, &answer, kept.now(), CacheOptions::default());
        let is_useful = has_validator || !policy.time_to_live(kept.now()).is_zero();
        if !policy.is_storable() || !is_useful {
            return None;
        }
        let lifetime = policy.time_to_live(kept.now()) + policy.age(kept.now());
        let lines: usize = headers.lines().map(|(name, value)| name.len() + value.len()).sum();
        let of_request: usize = asked.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        // The policy has copies of its own.
        let size = OVERHEAD + 2 * lines + of_request + body.len();
        Some(Self { status, headers: headers.clone(), body, policy, directives, lifetime, size })
    }

    /// Bytes of memory, roughly.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn standing(&self, asked: &http::Request<()>, now: SystemTime) -> Standing {
        match self.policy.before_request(asked, now) {
            BeforeRequest::Fresh(_) if self.directives.no_cache => Standing::Stale,
            // A client's max-stale cannot free it from what the answer demands.
            BeforeRequest::Fresh(_) if self.must_ask() && self.policy.is_stale(now) => Standing::Stale,
            BeforeRequest::Fresh(_) => Standing::Fresh,
            BeforeRequest::Stale { matches: true, .. } => Standing::Stale,
            BeforeRequest::Stale { .. } => Standing::Other,
        }
    }

    fn must_ask(&self) -> bool {
        self.directives.must_revalidate || self.directives.shared_lifetime
    }

    /// Whether it may be given though it is stale: for as long as it says itself, else for `grace`.
    pub(super) fn is_within(&self, says: Option<Duration>, grace: Duration, now: SystemTime) -> bool {
        let Directives { must_revalidate, shared_lifetime, no_cache, .. } = self.directives;
        let grace = says.unwrap_or(if shared_lifetime { Duration::ZERO } else { grace });
        !must_revalidate && !no_cache && self.policy.age(now).saturating_sub(self.lifetime) < grace
    }

    /// Asks only for what has changed.
    pub(super) fn condition(&self, request: &mut Headers) {
        for name in ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"] {
            request.remove(name);
        }
        if let Some(tag) = self.headers.get_bytes("ETag") {
            request.append("If-None-Match", tag);
        }
        if let Some(date) = self.headers.get_bytes("Last-Modified") {
            request.append("If-Modified-Since", date);
        }
    }

    /// The same, confirmed by an answer of 304 that had these headers.
    pub(super) fn confirmed(&self, kept: &Kept, asked: &http::Request<()>, by: &Headers) -> Option<Self> {
        let mut headers = self.headers.clone();
        headers.remove("Age");
        let framing = ["content-length", "content-encoding", "content-type", "content-range", "transfer-encoding"];
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in by.iter() {
            if framing.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                continue;
            }
            if seen.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                headers.push(name.as_bytes(), value);
            } else {
                headers.insert(Bytes::copy_from_slice(name.as_bytes()), Bytes::copy_from_slice(value));
                seen.push(name);
            }
        }
        Self::new(kept, asked, self.status, &headers, self.body.clone())
    }

    /// The answer to a request with these headers.
    pub(super) fn answer(&self, request: &Headers, is_head: bool, status: &str, now: SystemTime) -> Response {
        let mut response = Response::new(self.status);
        response.headers = self.headers.clone();
        response.headers.insert("Age", self.policy.age(now).as_secs().to_string());
        response.headers.append("Cache-Status", format!("TrafficCop; {status}"));
        let size = self.body.len() as u64;
        let verdict = if self.status == StatusCode::OK {
            let modified = self.headers.get_str("Last-Modified").and_then(|date| httpdate::parse_http_date(date).ok());
            judge(request, Validators { tag: self.headers.get_str("ETag"), modified }, size)
        } else {
            Verdict::Whole
        };
        let mut body = self.body.clone();
        match verdict {
            Verdict::Whole => {}
            Verdict::Part(range) => {
                let last = range.start + range.length - 1;
                response.headers.insert("Content-Range", format!("bytes {}-{last}/{size}", range.start));
                body = body.slice(range.start as usize..=last as usize);
            }
            Verdict::Unsatisfiable => {
                response.headers.insert("Content-Range", format!("bytes */{size}"));
                body = Bytes::new();
            }
            Verdict::NotModified | Verdict::Failed => body = Bytes::new(),
        }
        if verdict != Verdict::Whole {
            response.status = verdict.status();
        }
        if verdict == Verdict::NotModified || self.status == StatusCode::NO_CONTENT {
            response.headers.remove("Content-Length");
        } else {
            response.headers.insert("Content-Length", body.len().to_string());
        }
        response.body = if is_head || body.is_empty() { Body::Empty } else { Body::Full(body) };
        response
    }

    /// Seconds for which it stays fresh.
    pub(super) fn ttl(&self, now: SystemTime) -> u64 {
        self.policy.time_to_live(now).as_secs()
    }
}

pub(super) type Entry = Arc<Stored>;
