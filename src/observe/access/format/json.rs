//! The `json` layout: one object per line, keys in order, durations in nanoseconds.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use trafficcop_exchange::Headers;

use super::{Line, protocol};
use crate::access::fields::{Mode, REDACTED};

pub(super) fn line(line: &Line<'_>) -> Vec<u8> {
    let mut all = members(line);
    all.insert("level".to_owned(), "info".into());
    all.insert("msg".to_owned(), "".into());
    let now = line.ended.to_zoned(TimeZone::system());
    all.insert("time".to_owned(), local(&now, false).into());
    let mut text = serde_json::to_vec(&all).unwrap_or_default();
    text.push(b'\n');
    text
}

fn members(line: &Line<'_>) -> BTreeMap<String, Value> {
    let mut members = Members { line, all: BTreeMap::new() };
    members.client();
    members.request();
    members.answer();
    members.headers("request_", &line.kept.headers);
    members.headers("downstream_", &line.kept.answer);
    if let Some(origin) = &line.exchange.origin {
        members.headers("origin_", &origin.headers);
    }
    members.trace();
    members.all
}

/// The same members for OTLP, where times are numbers.
pub(super) fn attributes(line: &Line<'_>) -> Map<String, Value> {
    let mut all = members(line);
    let started = i64::try_from(line.started().as_nanosecond()).unwrap_or_default();
    for field in ["StartUTC", "StartLocal"] {
        all.entry(field.to_owned()).and_modify(|value| *value = started.into());
    }
    if let (Some(trace), Some(span)) = (all.get("TraceId").cloned(), all.get("SpanId").cloned()) {
        all.insert("trace_id".to_owned(), trace);
        all.insert("span_id".to_owned(), span);
    }
    all.into_iter().collect()
}

struct Members<'a> {
    line: &'a Line<'a>,
    all: BTreeMap<String, Value>,
}

impl Members<'_> {
    fn put(&mut self, field: &str, value: impl Into<Value>) {
        if self.line.fields.keeps(field) {
            self.all.insert(field.to_owned(), value.into());
        }
    }

    fn trace(&mut self) {
        if let Some(trace) = self.line.exchange.trace.as_ref().filter(|trace| trace.is_sampled) {
            self.put("TraceId", trace.id.to_string());
            if let Some(own) = trace.spans.first() {
                self.put("SpanId", own.id.to_string());
            }
        }
    }

    fn client(&mut self) {
        let exchange = self.line.exchange;
        let peer = exchange.connection.peer;
        self.put("ClientAddr", peer.to_string());
        self.put("ClientHost", self.line.client_host().into_owned());
        self.put("ClientPort", peer.port().to_string());
        self.put("ClientUsername", exchange.user.as_deref().unwrap_or("-"));
        self.put("entryPointName", &*exchange.connection.entry_point);
        if let Some(tls) = &exchange.connection.tls {
            self.put("TLSVersion", tls.version);
            self.put("TLSCipher", tls.cipher);
        }
    }

    fn request(&mut self) {
        let kept = self.line.kept;
        let address = String::from_utf8_lossy(&kept.host);
        let (host, port) = split(&address);
        self.put("RequestAddr", &*address);
        self.put("RequestHost", host);
        self.put("RequestPort", port);
        self.put("RequestMethod", kept.method.as_str());
        self.put("RequestPath", self.line.fields.path(&kept.target).into_owned());
        self.put("RequestProtocol", protocol(kept.version));
        let is_secure = self.line.exchange.connection.tls.is_some();
        self.put("RequestScheme", if is_secure { "https" } else { "http" });
        self.put("RequestContentSize", self.line.outcome.bytes_in);
        self.put("RequestCount", kept.count);
        let started = self.line.started();
        self.put("StartUTC", started.to_string());
        self.put("StartLocal", local(&started.to_zoned(TimeZone::system()), true));
    }

    fn answer(&mut self) {
        let (exchange, outcome) = (self.line.exchange, self.line.outcome);
        let origin = exchange.origin.as_deref();
        let origin_bytes = origin.map_or(0, |origin| origin.bytes.get());
        let waited = origin.map_or(0, |origin| nanos(outcome.duration_of(origin, exchange)));
        self.put("DownstreamStatus", outcome.status.as_u16());
        self.put("DownstreamContentSize", outcome.bytes_out);
        self.put("Duration", nanos(outcome.duration));
        self.put("OriginContentSize", origin_bytes);
        self.put("OriginDuration", waited);
        self.put("OriginStatus", origin.map_or(0, |origin| origin.status.as_u16()));
        self.put("Overhead", nanos(outcome.duration) - waited);
        self.put("RetryAttempts", exchange.retries);
        if outcome.bytes_out != 0 && outcome.bytes_out != origin_bytes {
            let ratio = origin_bytes as f64 / outcome.bytes_out as f64;
            // As Go writes it: a whole number has no fraction.
            self.put("GzipRatio", if ratio.fract() == 0.0 { json!(ratio as u64) } else { json!(ratio) });
        }
        if let Some(reason) = exchange.reason.filter(|_| self.line.fields.asks_for("Reason")) {
            self.put("Reason", reason.code());
        }
        if let Some(route) = &exchange.route {
            self.put("RouterName", &*route.router);
        }
        if let Some(server) = &exchange.server {
            self.put("ServiceName", &*server.service);
            self.put("ServiceURL", &*server.url);
            self.put("ServiceAddr", &*server.address);
        }
    }

    fn headers(&mut self, prefix: &str, headers: &Headers) {
        for (name, value) in headers.iter() {
            let shown = match self.line.fields.header(name) {
                Mode::Drop => continue,
                Mode::Redact => REDACTED.into(),
                Mode::Keep => String::from_utf8_lossy(value),
            };
            let key = format!("{prefix}{}", canonical(name));
            match self.all.get_mut(&key) {
                Some(Value::String(_)) if shown == REDACTED => {}
                Some(Value::String(before)) => {
                    before.push(',');
                    before.push_str(&shown);
                }
                _ => {
                    self.all.insert(key, shown.into_owned().into());
                }
            }
        }
    }
}

fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// RFC 3339 in the zone of this machine.
fn local(time: &jiff::Zoned, with_fraction: bool) -> String {
    let zone = if time.offset().is_zero() { "Z".to_owned() } else { time.strftime("%:z").to_string() };
    let format = if with_fraction { "%Y-%m-%dT%H:%M:%S%.f" } else { "%Y-%m-%dT%H:%M:%S" };
    format!("{}{zone}", time.strftime(format))
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
