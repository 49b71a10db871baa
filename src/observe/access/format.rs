//! The layouts of a line: `common`, `genericCLF` and `json`, byte for byte as Traefik's readers expect them.
//!
//! What must hold: nothing that a client sends ends a line or a quoted field.

mod json;

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use trafficcop_exchange::{Exchange, Version};

use super::Kept;
use super::fields::{Fields, Mode, REDACTED};
use crate::{LogRecord, Outcome};

/// `21/Nov/2026:06:30:00 +0000`
const CLF_TIME: &str = "%d/%b/%Y:%H:%M:%S %z";

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
    pub(super) ended: Timestamp,
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
            time: line.started().into(),
            observed: line.ended.into(),
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
            Self::Common | Self::GenericClf => out.extend_from_slice(clf(line, self == Self::Common).as_bytes()),
        }
    }
}

fn clf(line: &Line<'_>, is_common: bool) -> String {
    let Line { kept, exchange, outcome, fields, .. } = line;
    let mut text = String::with_capacity(256);
    let shown = |field: &str, value: &dyn Fn() -> String| if fields.keeps(field) { value() } else { "-".to_owned() };
    let time = if fields.keeps("StartUTC") {
        line.started().strftime(CLF_TIME).to_string()
    } else {
        shown("StartLocal", &|| line.started().to_zoned(TimeZone::system()).strftime(CLF_TIME).to_string())
    };
    let _text_takes_all = write!(
        text,
        "{} - {} [{time}] \"{} {} {}\" {} {} {} {}",
        shown("ClientHost", &|| word(&line.client_host())),
        shown("ClientUsername", &|| word(exchange.user.as_deref().unwrap_or("-"))),
        shown("RequestMethod", &|| word(kept.method.as_str())),
        shown("RequestPath", &|| escaped(&fields.path(&kept.target))),
        shown("RequestProtocol", &|| protocol(kept.version).to_owned()),
        shown("DownstreamStatus", &|| outcome.status.as_u16().to_string()),
        shown("DownstreamContentSize", &|| outcome.bytes_out.to_string()),
        quoted(line.request_header("Referer").as_deref()),
        quoted(line.request_header("User-Agent").as_deref()),
    );
    if is_common {
        let route = exchange.route.as_ref().filter(|_| fields.keeps("RouterName"));
        let server = exchange.server.as_ref().filter(|_| fields.keeps("ServiceURL"));
        let millis = if fields.keeps("Duration") { outcome.duration.as_millis() } else { 0 };
        let _text_takes_all = write!(
            text,
            " {} {} {} {millis}ms",
            shown("RequestCount", &|| kept.count.to_string()),
            quoted(route.map(|route| &*route.router)),
            quoted(server.map(|server| &*server.url)),
        );
    }
    text.push('\n');
    text
}

impl Line<'_> {
    fn started(&self) -> Timestamp {
        let duration = jiff::SignedDuration::try_from(self.outcome.duration).unwrap_or_default();
        self.ended.checked_sub(duration).unwrap_or(self.ended)
    }

    /// The whole `X-Forwarded-For` if there is one, else the peer.
    fn client_host(&self) -> Cow<'_, str> {
        match self.kept.headers.get("X-Forwarded-For") {
            Some(value) if !value.is_empty() => String::from_utf8_lossy(value),
            _ => Cow::Borrowed(self.exchange.connection.peer_text()),
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

fn quoted(value: Option<&str>) -> String {
    let value = value.filter(|value| !value.is_empty()).unwrap_or("-");
    format!("\"{}\"", escaped(value))
}

/// A value that stands without quotes: no spaces either, they would move the fields behind it.
fn word(value: &str) -> String {
    if value.is_empty() { "-".to_owned() } else { escaped(value).replace(' ', "\\x20") }
}

/// Quotes and backslashes get a backslash, control characters their number.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _text_takes_all = write!(text, "\\x{:02x}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests;
