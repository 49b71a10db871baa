//! [`Trace`]: the spans of one request, kept with its exchange until it ends.
//!
//! Where tracing is off there is none, and all of this costs one look. Of a request that is not sampled only the identity
//! is kept, for servers to go on with. Span names and attributes are Traefik's.

mod context;
mod ids;
mod text;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use http::Version;

use crate::{Headers, Request};
pub use context::{Format, Remote};
pub use ids::{SpanId, TraceId, new_span_id, new_trace_id};
pub use text::Text;

/// Spans of one request that are kept at most.
const MOST: usize = 256;

/// What the settings say about spans; the same for every request.
#[derive(Debug, Default)]
pub struct TraceSettings {
    /// How the identity is told to servers.
    pub formats: Vec<Format>,
    /// Headers that are shown, lower-case.
    pub request_headers: Vec<Box<str>>,
    pub response_headers: Vec<Box<str>>,
    /// Parameters of the query whose values are shown.
    pub safe_parameters: Vec<Box<str>>,
}

/// See the module.
#[derive(Debug)]
pub struct Trace {
    pub id: TraceId,
    /// The span of whoever sent the request.
    pub parent: Option<SpanId>,
    pub is_sampled: bool,
    /// `tracestate`, passed on.
    pub state: String,
    /// The first is the request's own.
    pub spans: Vec<Span>,
    /// Those that are open, the innermost last.
    open: Vec<usize>,
    settings: Arc<TraceSettings>,
}

/// A part of a request's way.
#[derive(Clone, Debug)]
pub struct Span {
    pub id: SpanId,
    pub parent: Option<SpanId>,
    pub name: Text,
    pub kind: SpanKind,
    pub started: SystemTime,
    pub ended: Option<SystemTime>,
    pub attributes: Vec<(Cow<'static, str>, Attribute)>,
    /// It failed, perhaps with a sentence.
    pub error: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    Internal,
    Server,
    Client,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    Text(Text),
    Number(i64),
    Float(f64),
    Texts(Vec<Box<str>>),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<i64> for Attribute {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// One span among those of its request.
#[derive(Clone, Copy, Debug)]
pub struct Opened(Option<usize>);

impl Trace {
    /// Goes on with what the client told, or begins anew.
    pub fn new(remote: Option<Remote>, is_sampled: bool, settings: &Arc<TraceSettings>) -> Self {
        let (id, parent, state) = match remote {
            Some(remote) => (remote.trace, Some(remote.span), remote.state),
            None => (new_trace_id(), None, String::new()),
        };
        let settings = Arc::clone(settings);
        Self { id, parent, is_sampled, state, spans: Vec::new(), open: Vec::new(), settings }
    }

    /// Begins a span inside the innermost that is open.
    pub fn open(&mut self, name: &str, kind: SpanKind) -> Opened {
        if !self.is_sampled || self.spans.len() >= MOST {
            return Opened(None);
        }
        let parent = self.innermost().or(self.parent);
        let span = Span {
            id: new_span_id(),
            parent,
            name: name.into(),
            kind,
            started: SystemTime::now(),
            ended: None,
            attributes: Vec::with_capacity(16),
            error: None,
        };
        self.open.push(self.spans.len());
        self.spans.push(span);
        Opened(Some(self.spans.len() - 1))
    }

    /// Ends it, and whatever is still open inside it.
    pub fn close(&mut self, opened: Opened) {
        let Opened(Some(index)) = opened else { return };
        let now = SystemTime::now();
        while let Some(last) = self.open.pop_if(|last| *last >= index) {
            self.spans[last].ended = Some(now);
        }
    }

    /// The span, unless none is kept.
    pub fn span(&mut self, opened: Opened) -> Option<&mut Span> {
        self.spans.get_mut(opened.0?)
    }

    /// How many spans there are; whoever compares two moments knows whether something happened in between.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The innermost open span begins once more beside itself: the request is sent again, for the `number`th time.
    pub fn again(&mut self, number: u32) {
        let Some(last) = self.open.last().copied() else { return };
        let before = self.spans[last].clone();
        self.close(Opened(Some(last)));
        let opened = self.open(&before.name, before.kind);
        if let Some(span) = self.span(opened) {
            span.parent = before.parent;
            span.attributes = before.attributes;
            span.attributes.retain(|(name, _)| name != "http.request.resend_count");
            span.put("http.request.resend_count", i64::from(number));
        }
    }

    /// The request's own span.
    pub fn serve(&mut self, request: &Request, entry_point: &str, peer: std::net::SocketAddr, is_tls: bool) {
        let opened = self.open(request.method.as_str(), SpanKind::Server);
        let settings = Arc::clone(&self.settings);
        let Some(span) = self.span(opened) else { return };
        let query = settings.shown_query(request.target.query().unwrap_or(""));
        let address = peer.ip().to_string();
        span.put("entry_point", entry_point);
        span.put("http.request.method", request.method.as_str());
        span.put("network.protocol.version", version(request.version));
        let length = request.headers.get_str("content-length").and_then(|length| length.parse().ok());
        span.put("http.request.body.size", length.unwrap_or(0_i64));
        span.put("url.path", request.target.path());
        span.put("url.query", &*query);
        span.put("url.scheme", if is_tls { "https" } else { "http" });
        span.put("user_agent.original", request.headers.get_str("user-agent").unwrap_or(""));
        let (host, port) = host_and_port(request.host_str());
        span.put("server.address", host);
        if let Some(port) = port {
            span.put("server.port", port);
        }
        span.put("network.peer.address", &*address);
        span.put("client.address", &*address);
        span.put("client.port", i64::from(peer.port()));
        span.put("network.peer.port", i64::from(peer.port()));
        span.headers("http.request.header.", &request.headers, &settings.request_headers);
    }

    /// Says where a request goes, in a span of its own and to the server itself. `base` is the server's URL.
    pub fn call(&mut self, name: &str, base: &str, request: &mut Request) -> Opened {
        let opened = self.open(name, SpanKind::Client);
        let settings = Arc::clone(&self.settings);
        if let Some(span) = self.span(opened) {
            let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
            let scheme = if scheme == "h2c" { "http" } else { scheme };
            let authority = rest.split('/').next().unwrap_or(rest);
            let query = request.target.query().map(|query| format!("?{}", settings.shown_query(query)));
            let full = format!("{scheme}://{authority}{}{}", request.target.path(), query.unwrap_or_default());
            let (host, port) = host_and_port(authority);
            let port = port.unwrap_or(if scheme == "https" { 443 } else { 80 });
            span.put("http.request.method", request.method.as_str());
            span.put("network.protocol.version", version(request.version));
            span.put("url.full", &*full);
            span.put("url.scheme", scheme);
            span.put("user_agent.original", request.headers.get_str("user-agent").unwrap_or(""));
            span.put("network.peer.address", host);
            span.put("network.peer.port", port);
            span.put("server.address", host);
            span.put("server.port", port);
            span.headers("http.request.header.", &request.headers, &settings.request_headers);
        }
        self.tell(&mut request.headers);
        opened
    }

    /// What a server, or we, answered; ends the span.
    pub fn answered(&mut self, opened: Opened, status: u16, headers: Option<&Headers>) {
        let settings = Arc::clone(&self.settings);
        if let Some(span) = self.span(opened) {
            let none = Headers::new();
            span.answer(status, headers.unwrap_or(&none), &settings.response_headers);
        }
        self.close(opened);
    }

    /// The identity of the innermost open span, for whoever is asked next.
    pub fn tell(&self, headers: &mut Headers) {
        let span = self.innermost().or(self.parent).unwrap_or_else(new_span_id);
        for format in &self.settings.formats {
            format.write(headers, self.id, span, self.is_sampled, &self.state);
        }
    }

    fn innermost(&self) -> Option<SpanId> {
        self.open.last().map(|last| self.spans[*last].id)
    }
}

impl Span {
    pub fn put(&mut self, name: &'static str, value: impl Into<Attribute>) {
        self.attributes.push((name.into(), value.into()));
    }

    /// The status of an answer and those of its headers that are shown; and whether it counts as a failure on this side.
    pub fn answer(&mut self, status: u16, headers: &Headers, names: &[Box<str>]) {
        self.put("http.response.status_code", i64::from(status));
        let from = if self.kind == SpanKind::Client { 400 } else { 500 };
        if status >= from {
            self.error.get_or_insert("");
        }
        self.headers("http.response.header.", headers, names);
    }

    fn headers(&mut self, prefix: &str, headers: &Headers, names: &[Box<str>]) {
        for name in names {
            let values: Vec<Box<str>> =
                headers.get_all(name).map(|value| String::from_utf8_lossy(value).into()).collect();
            if !values.is_empty() {
                self.attributes.push((Cow::Owned(format!("{prefix}{name}")), Attribute::Texts(values)));
            }
        }
    }
}

impl TraceSettings {
    /// A query without the values that nobody called safe.
    fn shown_query(&self, query: &str) -> String {
        let is_safe = |name: &str| self.safe_parameters.iter().any(|safe| **safe == *name);
        if query.is_empty() {
            return String::new();
        }
        let shown = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if !is_safe(name) => format!("{name}=REDACTED"),
            _ => pair.to_owned(),
        });
        shown.collect::<Vec<_>>().join("&")
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}

/// The host without brackets, and the port if one is written.
fn host_and_port(authority: &str) -> (&str, Option<i64>) {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()) => {
            (host, port.parse().ok())
        }
        _ => (authority, None),
    };
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

#[cfg(test)]
mod tests;
