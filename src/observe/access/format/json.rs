//! The `json` layout: one object per line, keys in order, durations in nanoseconds.
//!
//! Members are told one after the other in the order of their names, so that a line is written as it goes and nothing of
//! it is kept.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use trafficcop_exchange::{Headers, RouteInfo, ServerInfo};

use super::members::{Members, Text, member};
use super::{Line, protocol};
use crate::access::clock::{self, Moment, Shown};
use crate::access::fields::{Mode, REDACTED, field};

/// Room for a usual line without headers.
const USUAL: usize = 1200;

pub(super) fn line(line: &Line<'_>, out: &mut Vec<u8>) {
    out.reserve(USUAL);
    let mut text = Text { out };
    head(line, &mut text);
    text.out.extend_from_slice(b",\"level\":\"info\",\"msg\":\"\"");
    tail(line, &mut text);
    text.out.extend_from_slice(b",\"time\":\"");
    clock::push_second(text.out, line.ended);
    out[0] = b'{';
    out.extend_from_slice(b"\"}\n");
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

/// Everything up to the name of the entry point.
fn head(line: &Line<'_>, out: &mut impl Members) {
    let Line { kept, exchange, outcome, fields, .. } = line;
    let connection = &exchange.connection;
    member!(line, out, word "ClientAddr", connection.peer_with_port());
    member!(line, out, text "ClientHost", line.client_host());
    member!(line, out, word "ClientPort", connection.peer_port());
    member!(line, out, text "ClientUsername", exchange.user.as_deref().unwrap_or("-"));

    let origin = exchange.origin.as_deref();
    let origin_bytes = origin.map_or(0, |origin| origin.bytes.get());
    let waited = origin.map_or(0, |origin| nanos(outcome.duration_of(origin)));
    let duration = nanos(outcome.duration);
    member!(line, out, number "DownstreamContentSize", outcome.bytes_out);
    member!(line, out, number "DownstreamStatus", outcome.status.as_u16());
    member!(line, out, number "Duration", duration);
    if outcome.bytes_out != 0 && outcome.bytes_out != origin_bytes {
        member!(line, out, ratio "GzipRatio", origin_bytes as f64 / outcome.bytes_out as f64);
    }
    member!(line, out, number "OriginContentSize", origin_bytes);
    member!(line, out, number "OriginDuration", waited);
    member!(line, out, number "OriginStatus", origin.map_or(0, |origin| origin.status.as_u16()));
    member!(line, out, number "Overhead", duration - waited);
    if let Some(reason) = exchange.reason {
        member!(line, out, word "Reason", reason.code());
    }

    let (host, port) = split(&kept.host);
    member!(line, out, text "RequestAddr", kept.host);
    member!(line, out, number "RequestContentSize", outcome.bytes_in);
    member!(line, out, number "RequestCount", kept.count);
    member!(line, out, text "RequestHost", host);
    member!(line, out, word "RequestMethod", kept.method.as_str());
    member!(line, out, text "RequestPath", fields.path(&kept.target).as_bytes());
    member!(line, out, text "RequestPort", port);
    member!(line, out, word "RequestProtocol", protocol(kept.version));
    member!(line, out, word "RequestScheme", if connection.tls.is_some() { "https" } else { "http" });
    member!(line, out, number "RetryAttempts", exchange.retries);
    match (&exchange.route, &exchange.server) {
        (Some(route), Some(server)) => out.way(line, route, server),
        (route, server) => way(line, route.as_deref(), server.as_deref(), out),
    }
    let trace = exchange.trace.as_ref().filter(|trace| trace.is_sampled);
    if let Some(own) = trace.and_then(|trace| trace.spans.first()) {
        member!(line, out, word "SpanId", &own.id.to_string());
    }
    let started = Moment::new(line.started());
    member!(line, out, time "StartLocal", &started, Shown::Local);
    member!(line, out, time "StartUTC", &started, Shown::Utc);
    if let Some(tls) = &connection.tls {
        member!(line, out, word "TLSCipher", tls.cipher);
        member!(line, out, word "TLSVersion", tls.version);
    }
    if let Some(trace) = trace {
        member!(line, out, word "TraceId", &trace.id.to_string());
    }
    headers(line, out, "downstream_", &kept.answer);
    member!(line, out, text "entryPointName", connection.entry_point.as_bytes());
}

/// Where the request went.
pub(super) fn way(line: &Line<'_>, route: Option<&RouteInfo>, server: Option<&ServerInfo>, out: &mut impl Members) {
    if let Some(route) = route {
        member!(line, out, text "RouterName", route.router.as_bytes());
    }
    if let Some(server) = server {
        member!(line, out, text "ServiceAddr", server.address.as_bytes());
        member!(line, out, text "ServiceName", server.service.as_bytes());
        member!(line, out, text "ServiceURL", server.url.as_bytes());
    }
}

/// Everything behind it.
fn tail(line: &Line<'_>, out: &mut impl Members) {
    if let Some(origin) = &line.exchange.origin {
        headers(line, out, "origin_", &origin.headers);
    }
    headers(line, out, "request_", &line.kept.headers);
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
        let name = format!("{prefix}{}", canonical(name));
        match all.get_mut(&name) {
            Some(_) if shown == REDACTED => {}
            Some(before) => {
                before.push(',');
                before.push_str(&shown);
            }
            None => drop(all.insert(name, shown.into_owned())),
        }
    }
    for (name, value) in all {
        out.header(name, &value);
    }
}

fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Host and port of a Host header; `-` for what is missing.
fn split(address: &[u8]) -> (&[u8], &[u8]) {
    let after_brackets = memchr::memrchr(b']', address).map_or(0, |at| at + 1);
    match memchr::memrchr(b':', &address[after_brackets..]) {
        Some(at) => {
            let (mut host, port) = address.split_at(after_brackets + at);
            while let [b'[', inner @ ..] = host {
                host = inner;
            }
            while let [inner @ .., b']'] = host {
                host = inner;
            }
            (host, &port[1..])
        }
        None => (address, b"-"),
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
