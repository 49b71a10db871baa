//! [`Tail`]: the last requests, for whoever watches the dashboard. Off unless the settings ask for it.
//!
//! What must hold: it keeps no more than it was told, in time and in bytes; what may be a secret is not kept at all
//! (no header and no body ever is, and values in the query only where nothing hides behind them).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;
use trafficcop_exchange::{Exchange, Request};

use crate::Outcome;
use crate::pulse::place;

/// Parts; threads beyond that share.
const PARTS: usize = 64;
/// Most requests that are kept, whatever the settings say.
const MOST: usize = 100_000;
/// Bytes of a text of the client's that are kept.
const LONGEST: usize = 256;
/// From this length on a value may be a key to something.
const SUSPICIOUS: usize = 20;
/// Words in names of parameters whose values are hidden.
const SECRETS: [&str; 14] = [
    "access",
    "apikey",
    "api_key",
    "auth",
    "code",
    "credential",
    "jwt",
    "key",
    "pass",
    "pwd",
    "secret",
    "session",
    "sig",
    "token",
];

/// See the module.
pub struct Tail {
    size: usize,
    /// One of so many requests is kept.
    every: u64,
    seen: AtomicU64,
    next: AtomicU64,
    parts: Box<[Mutex<VecDeque<Line>>]>,
}

/// What is kept of a request until it ends.
pub(crate) struct Kept {
    method: String,
    host: String,
    path: String,
}

/// One request that has ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Counts up; whoever reads asks for what comes after the last it has.
    pub number: u64,
    /// RFC 3339.
    pub time: String,
    pub client: String,
    pub entry_point: String,
    pub method: String,
    pub host: String,
    pub path: String,
    pub status: u16,
    pub micros: u64,
    pub bytes: u64,
    pub router: String,
    pub service: String,
    pub server: String,
    /// Why the answer is one of our own; empty when it is a server's.
    pub reason: &'static str,
    pub complete: bool,
}

impl Tail {
    /// Keeps `size` requests, and of all requests that share (0 to 1).
    pub fn new(size: usize, share: f64) -> Self {
        let every = if share > 0.0 { (1.0 / share).round().max(1.0) as u64 } else { u64::MAX };
        let parts = (0..PARTS).map(|_| Mutex::default()).collect();
        Self { size: size.clamp(1, MOST), every, seen: AtomicU64::new(0), next: AtomicU64::new(1), parts }
    }

    /// None: this request is not among those that are kept.
    pub(crate) fn keep(&self, request: &Request) -> Option<Kept> {
        if !self.seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.every) {
            return None;
        }
        let query = request.target.query().map(|query| format!("?{}", redacted(query))).unwrap_or_default();
        Some(Kept {
            method: bounded(request.method.as_str()),
            host: bounded(&String::from_utf8_lossy(&request.host)),
            path: bounded(&format!("{}{query}", bounded(request.target.path()))),
        })
    }

    pub(crate) fn end(&self, kept: Kept, exchange: &Exchange, outcome: &Outcome) {
        let text = |text: Option<&str>| text.unwrap_or("").to_owned();
        let line = Line {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            time: Timestamp::now().to_string(),
            client: exchange.connection.peer.ip().to_string(),
            entry_point: exchange.connection.entry_point.to_string(),
            method: kept.method,
            host: kept.host,
            path: kept.path,
            status: outcome.status.as_u16(),
            micros: u64::try_from(outcome.duration.as_micros()).unwrap_or(u64::MAX),
            bytes: outcome.bytes_out,
            router: text(exchange.route.as_ref().map(|route| &*route.router)),
            service: text(exchange.route.as_ref().map(|route| &*route.service)),
            server: text(exchange.server.as_ref().map(|server| &*server.url)),
            reason: exchange.reason.map_or("", |reason| reason.code()),
            complete: outcome.complete,
        };
        let mut part = self.parts[place() % PARTS].lock();
        if part.len() >= self.size {
            part.pop_front();
        }
        part.push_back(line);
    }

    /// The last `most` lines whose number is above `after`, in order, and how many were passed over.
    pub fn read(&self, after: u64, most: usize) -> (Vec<Line>, usize) {
        let mut lines = Vec::new();
        for part in &self.parts {
            let part = part.lock();
            lines.extend(part.iter().rev().take_while(|line| line.number > after).cloned());
        }
        lines.sort_by_key(|line| line.number);
        let passed_over = lines.len().saturating_sub(most.min(self.size));
        (lines.split_off(passed_over), passed_over)
    }
}

/// The beginning of a text, without what a terminal or a page could take for more than text.
fn bounded(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST));
    for letter in text.chars() {
        if out.len() + letter.len_utf8() > LONGEST {
            out.push('…');
            break;
        }
        out.push(if letter.is_control() { '\u{fffd}' } else { letter });
    }
    out
}

/// A query without the values that may open something.
fn redacted(query: &str) -> String {
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) if is_secret(name) || value.len() >= SUSPICIOUS => format!("{name}=xxxx"),
        _ => pair.to_owned(),
    });
    shown.collect::<Vec<_>>().join("&")
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::time::Duration;

    use trafficcop_exchange::{ConnectionInfo, Method, StatusCode, Target};

    use super::*;

    fn ask(tail: &Tail, target: &'static str) {
        let (peer, local) = (([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 80).into());
        let connection = ConnectionInfo::new("web".into(), peer, local, None);
        let exchange = Exchange::new(Rc::new(connection));
        let request = Request::new(Method::GET, Target::parse(bytes::Bytes::from_static(target.as_bytes())));
        let duration = Duration::from_millis(1);
        let outcome = Outcome { status: StatusCode::OK, bytes_in: 0, bytes_out: 1, duration, complete: true };
        if let Some(kept) = tail.keep(&request) {
            tail.end(kept, &exchange, &outcome);
        }
    }

    #[test]
    fn it_keeps_the_last_ones_and_hides_what_opens_something() {
        let tail = Tail::new(2, 1.0);
        for target in ["/a", "/b?x=1&access_token=s3cret", "/c?q=0123456789012345678901234567890"] {
            ask(&tail, target);
        }
        let paths = |after, most| tail.read(after, most).0.into_iter().map(|line| line.path).collect::<Vec<_>>();
        assert_eq!(paths(0, 10), ["/b?x=1&access_token=xxxx", "/c?q=xxxx"]);
        assert_eq!(paths(2, 10), ["/c?q=xxxx"]);
        assert_eq!(tail.read(0, 1).1, 1);
    }

    #[test]
    fn of_many_it_keeps_the_share_that_is_asked_for() {
        let tail = Tail::new(1000, 0.1);
        (0..100).for_each(|_| ask(&tail, "/"));
        assert_eq!(tail.read(0, 1000).0.len(), 10);
    }

    #[test]
    fn texts_of_clients_are_short_and_only_text() {
        assert_eq!(bounded("a\u{1b}[31mb"), "a\u{fffd}[31mb");
        assert!(bounded(&"ä".repeat(1000)).len() <= LONGEST + 3);
    }
}
