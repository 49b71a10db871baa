//! The layouts of a line: `common`, `genericCLF` and `json`, byte for byte as Traefik's readers expect them.
//!
//! What must hold: nothing that a client sends ends a line or a quoted field.

mod json;
mod members;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use trafficcop_exchange::{Exchange, Version};

use super::clock::{Moment, Shown};
use super::fields::{Field, Fields, Mode, REDACTED, field};
use super::plain::is_plain;
use super::{Kept, number};
use crate::{LogRecord, Outcome};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Common,
    GenericClf,
    Json,
}

/// All that a line is made of.
pub(super) struct Line<'a> {
    pub(super) kept: &'a Kept,
    pub(super) exchange: &'a Exchange,
    pub(super) outcome: &'a Outcome,
    /// Since 1970.
    pub(super) ended: Duration,
    pub(super) fields: &'a Fields,
}

impl Format {
    /// What is none of the three is `common`, and said so.
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "" | "common" => Self::Common,
            "genericCLF" => Self::GenericClf,
            "json" => Self::Json,
            other => {
                tracing::error!("Unsupported access log format: {other:?}, defaulting to common format instead.");
                Self::Common
            }
        }
    }

    /// The line for those who send it elsewhere; `text` is the line as it is written.
    pub(super) fn record(self, line: &Line<'_>, text: &[u8]) -> LogRecord {
        let body = if self == Self::Json { String::new() } else { String::from_utf8_lossy(text).into_owned() };
        let trace = line.exchange.trace.as_ref().filter(|trace| trace.is_sampled);
        LogRecord {
            time: UNIX_EPOCH + line.started(),
            observed: UNIX_EPOCH + line.ended,
            severity: 9,
            severity_text: "info",
            body,
            attributes: json::attributes(line),
            trace: trace.and_then(|trace| Some((trace.id, trace.spans.first()?.id))),
        }
    }

    /// The line with its end.
    pub(super) fn line(self, line: &Line<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Json => json::line(line, out),
            Self::Common | Self::GenericClf => clf(line, self == Self::Common, out),
        }
    }
}

fn clf(line: &Line<'_>, is_common: bool, out: &mut Vec<u8>) {
    let Line { kept, exchange, outcome, fields, .. } = line;
    let shown = |out: &mut Vec<u8>, field: Field, write: &dyn Fn(&mut Vec<u8>)| {
        if fields.keeps(field) { write(out) } else { out.push(b'-') }
    };
    let started = Moment::new(line.started());
    shown(out, field!("ClientHost"), &|out| word(&String::from_utf8_lossy(line.client_host()), out));
    out.extend_from_slice(b" - ");
    shown(out, field!("ClientUsername"), &|out| word(exchange.user.as_deref().unwrap_or("-"), out));
    out.extend_from_slice(b" [");
    if fields.keeps(field!("StartUTC")) {
        started.push(out, Shown::CommonUtc);
    } else {
        shown(out, field!("StartLocal"), &|out| started.push(out, Shown::CommonLocal));
    }
    out.extend_from_slice(b"] \"");
    shown(out, field!("RequestMethod"), &|out| word(kept.method.as_str(), out));
    out.push(b' ');
    shown(out, field!("RequestPath"), &|out| escaped(&fields.path(&kept.target), out));
    out.push(b' ');
    shown(out, field!("RequestProtocol"), &|out| out.extend_from_slice(protocol(kept.version).as_bytes()));
    out.extend_from_slice(b"\" ");
    shown(out, field!("DownstreamStatus"), &|out| number::push(out, outcome.status.as_u16().into()));
    out.push(b' ');
    shown(out, field!("DownstreamContentSize"), &|out| number::push(out, outcome.bytes_out));
    quoted(line.request_header("Referer").as_deref(), out);
    quoted(line.request_header("User-Agent").as_deref(), out);
    if is_common {
        let route = exchange.route.as_ref().filter(|_| fields.keeps(field!("RouterName")));
        let server = exchange.server.as_ref().filter(|_| fields.keeps(field!("ServiceURL")));
        let millis = if fields.keeps(field!("Duration")) { outcome.duration.as_millis() } else { 0 };
        out.push(b' ');
        shown(out, field!("RequestCount"), &|out| number::push(out, kept.count));
        quoted(route.map(|route| &*route.router), out);
        quoted(server.map(|server| &*server.url), out);
        out.push(b' ');
        number::push(out, u64::try_from(millis).unwrap_or(u64::MAX));
        out.extend_from_slice(b"ms");
    }
    out.push(b'\n');
}

impl Line<'_> {
    /// Since 1970.
    fn started(&self) -> Duration {
        self.ended.saturating_sub(self.outcome.duration)
    }

    /// The whole `X-Forwarded-For` if there is one, else the peer.
    fn client_host(&self) -> &[u8] {
        match self.kept.headers.get("X-Forwarded-For") {
            Some(value) if !value.is_empty() => value,
            _ => self.exchange.connection.peer_text().as_bytes(),
        }
    }

    fn request_header(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.fields.header(name) {
            Mode::Drop => None,
            Mode::Redact => self.kept.headers.contains(name).then_some(Cow::Borrowed(REDACTED)),
            Mode::Keep => self.kept.headers.get(name).map(String::from_utf8_lossy),
        }
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

/// A blank and the value in quotes.
fn quoted(value: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(b" \"");
    escaped(value.filter(|value| !value.is_empty()).unwrap_or("-"), out);
    out.push(b'"');
}

/// A value that stands without quotes: no spaces either, they would move the fields behind it.
fn word(value: &str, out: &mut Vec<u8>) {
    let mut parts = value.split(' ');
    escaped(parts.next().filter(|_| !value.is_empty()).unwrap_or("-"), out);
    for part in parts {
        out.extend_from_slice(b"\\x20");
        escaped(part, out);
    }
}

/// Quotes and backslashes get a backslash, control characters their number.
fn escaped(value: &str, out: &mut Vec<u8>) {
    const DELETE: u8 = 0x7f;
    if is_plain(value.as_bytes()) && memchr::memchr(DELETE, value.as_bytes()).is_none() {
        return out.extend_from_slice(value.as_bytes());
    }
    let mut text = String::with_capacity(value.len() + 8);
    for letter in value.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _text_takes_all = write!(text, "\\x{:02x}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests;
