//! The `json` layout: one object per line, keys in order, durations in nanoseconds.
//!
//! Members are told one after the other in the order of their names, so that a line is written as it goes and nothing of
//! it is kept.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};
use trafficcop_exchange::Headers;

use super::{Line, protocol};
use crate::access::clock::{self, Shown};
use crate::access::fields::{Mode, REDACTED};

pub(super) fn line(line: &Line<'_>, out: &mut Vec<u8>) {
    let mut text = Text { out };
    head(line, &mut text);
    text.put("level", "info");
    text.put("msg", "");
    tail(line, &mut text);
    text.time("time", line.ended, Shown::LocalSecond);
    out[0] = b'{';
    out.extend_from_slice(b"}\n");
}

/// The same members for OTLP, where times are numbers.
pub(super) fn attributes(line: &Line<'_>) -> Map<String, Value> {
    let mut all = Map::new();
    head(line, &mut all);
    tail(line, &mut all);
    if let (Some(trace), Some(span)) = (all.get("TraceId").cloned(), all.get("SpanId").cloned()) {
        all.insert("trace_id".to_owned(), trace);
        all.insert("span_id".to_owned(), span);
    }
    all
}

/// Takes members.
trait Members {
    fn put(&mut self, field: &str, value: impl Serialize);
    fn time(&mut self, field: &str, time: jiff::Timestamp, shown: Shown);
}

/// Writes them down, a comma before each; the first of these becomes the brace.
struct Text<'a> {
    out: &'a mut Vec<u8>,
}

impl Text<'_> {
    fn name(&mut self, field: &str) {
        self.out.push(b',');
        let _memory_takes_all = serde_json::to_writer(&mut *self.out, field);
        self.out.push(b':');
    }
}

impl Members for Text<'_> {
    fn put(&mut self, field: &str, value: impl Serialize) {
        self.name(field);
        let _memory_takes_all = serde_json::to_writer(&mut *self.out, &value);
    }

    fn time(&mut self, field: &str, time: jiff::Timestamp, shown: Shown) {
        self.name(field);
        self.out.push(b'"');
        clock::push(self.out, time, shown);
        self.out.push(b'"');
    }
}

impl Members for Map<String, Value> {
    fn put(&mut self, field: &str, value: impl Serialize) {
        self.insert(field.to_owned(), serde_json::to_value(value).unwrap_or_default());
    }

    fn time(&mut self, field: &str, time: jiff::Timestamp, _: Shown) {
        self.put(field, i64::try_from(time.as_nanosecond()).unwrap_or_default());
    }
}

/// Everything up to the name of the entry point.
fn head(line: &Line<'_>, out: &mut impl Members) {
    let Line { kept, exchange, outcome, fields, .. } = line;
    let connection = &exchange.connection;
    let put = |out: &mut _, field: &str, value: &str| text(line, out, field, value);
    if fields.keeps("ClientAddr") {
        let port = connection.peer.port();
        let is_short = connection.peer.is_ipv4();
        let address = if is_short { format!("{}:{port}", connection.peer_text()) } else { connection.peer.to_string() };
        out.put("ClientAddr", address);
    }
    put(out, "ClientHost", &line.client_host());
    if fields.keeps("ClientPort") {
        out.put("ClientPort", connection.peer.port().to_string());
    }
    put(out, "ClientUsername", exchange.user.as_deref().unwrap_or("-"));

    let origin = exchange.origin.as_deref();
    let origin_bytes = origin.map_or(0, |origin| origin.bytes.get());
    let waited = origin.map_or(0, |origin| nanos(outcome.duration_of(origin, exchange)));
    let duration = nanos(outcome.duration);
    number(line, out, "DownstreamContentSize", outcome.bytes_out);
    number(line, out, "DownstreamStatus", outcome.status.as_u16().into());
    number(line, out, "Duration", duration);
    if outcome.bytes_out != 0 && outcome.bytes_out != origin_bytes && fields.keeps("GzipRatio") {
        let ratio = origin_bytes as f64 / outcome.bytes_out as f64;
        // As Go writes it: a whole number has no fraction.
        out.put("GzipRatio", if ratio.fract() == 0.0 { json!(ratio as u64) } else { json!(ratio) });
    }
    number(line, out, "OriginContentSize", origin_bytes);
    number(line, out, "OriginDuration", waited);
    number(line, out, "OriginStatus", origin.map_or(0, |origin| origin.status.as_u16().into()));
    number(line, out, "Overhead", duration - waited);
    if let Some(reason) = exchange.reason.filter(|_| fields.asks_for("Reason")) {
        put(out, "Reason", reason.code());
    }

    let address = String::from_utf8_lossy(&kept.host);
    let (host, port) = split(&address);
    put(out, "RequestAddr", &address);
    number(line, out, "RequestContentSize", outcome.bytes_in);
    number(line, out, "RequestCount", kept.count);
    put(out, "RequestHost", host);
    put(out, "RequestMethod", kept.method.as_str());
    put(out, "RequestPath", &fields.path(&kept.target));
    put(out, "RequestPort", port);
    put(out, "RequestProtocol", protocol(kept.version));
    put(out, "RequestScheme", if connection.tls.is_some() { "https" } else { "http" });
    number(line, out, "RetryAttempts", exchange.retries.into());
    if let Some(route) = &exchange.route {
        put(out, "RouterName", &route.router);
    }
    if let Some(server) = &exchange.server {
        put(out, "ServiceAddr", &server.address);
        put(out, "ServiceName", &server.service);
        put(out, "ServiceURL", &server.url);
    }
    let trace = exchange.trace.as_ref().filter(|trace| trace.is_sampled);
    if let Some(own) = trace.and_then(|trace| trace.spans.first()) {
        put(out, "SpanId", &own.id.to_string());
    }
    let started = line.started();
    for (field, shown) in [("StartLocal", Shown::Local), ("StartUTC", Shown::Utc)] {
        if fields.keeps(field) {
            out.time(field, started, shown);
        }
    }
    if let Some(tls) = &connection.tls {
        put(out, "TLSCipher", tls.cipher);
        put(out, "TLSVersion", tls.version);
    }
    if let Some(trace) = trace {
        put(out, "TraceId", &trace.id.to_string());
    }
    headers(line, out, "downstream_", &kept.answer);
    put(out, "entryPointName", &connection.entry_point);
}

/// Everything behind it.
fn tail(line: &Line<'_>, out: &mut impl Members) {
    if let Some(origin) = &line.exchange.origin {
        headers(line, out, "origin_", &origin.headers);
    }
    headers(line, out, "request_", &line.kept.headers);
}

fn text(line: &Line<'_>, out: &mut impl Members, field: &str, value: &str) {
    if line.fields.keeps(field) {
        out.put(field, value);
    }
}

fn number(line: &Line<'_>, out: &mut impl Members, field: &str, value: u64) {
    if line.fields.keeps(field) {
        out.put(field, value);
    }
}

fn headers(line: &Line<'_>, out: &mut impl Members, prefix: &str, headers: &Headers) {
    if !line.fields.has_headers() {
        return;
    }
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers.iter() {
        let shown = match line.fields.header(name) {
            Mode::Drop => continue,
            Mode::Redact => REDACTED.into(),
            Mode::Keep => String::from_utf8_lossy(value),
        };
        let key = format!("{prefix}{}", canonical(name));
        match all.get_mut(&key) {
            Some(_) if shown == REDACTED => {}
            Some(before) => {
                before.push(',');
                before.push_str(&shown);
            }
            None => drop(all.insert(key, shown.into_owned())),
        }
    }
    for (name, value) in all {
        out.put(&name, value);
    }
}

fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Host and port of a Host header; `-` for what is missing.
fn split(address: &str) -> (&str, &str) {
    let after_brackets = address.rfind(']').map_or(0, |at| at + 1);
    match address[after_brackets..].rfind(':') {
        Some(at) => {
            let (host, port) = address.split_at(after_brackets + at);
            (host.trim_start_matches('[').trim_end_matches(']'), &port[1..])
        }
        None => (address, "-"),
    }
}

/// `x-real-ip` → `X-Real-Ip`
fn canonical(name: &str) -> String {
    let mut begins = true;
    let upper = |letter: char| {
        let written = if begins { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
        begins = letter == '-';
        written
    };
    name.chars().map(upper).collect()
}
