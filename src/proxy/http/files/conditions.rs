//! Conditions and ranges of RFC 9110 for a file: what of it the client wants.

use std::time::{Duration, SystemTime};

use trafficcop_exchange::{Headers, StatusCode};

/// At least one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) length: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Whole,
    Part(Range),
    NotModified,
    Failed,
    Unsatisfiable,
}

impl Verdict {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Whole => StatusCode::OK,
            Self::Part(_) => StatusCode::PARTIAL_CONTENT,
            Self::NotModified => StatusCode::NOT_MODIFIED,
            Self::Failed => StatusCode::PRECONDITION_FAILED,
            Self::Unsatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        }
    }
}

/// A strong tag: each encoding has its own.
pub(super) fn tag(modified: SystemTime, size: u64, encoding: Option<&str>) -> String {
    let time = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    match encoding {
        Some(encoding) => format!("\"{time:x}-{size:x}-{encoding}\""),
        None => format!("\"{time:x}-{size:x}\""),
    }
}

pub(super) fn date(time: SystemTime) -> String {
    httpdate::fmt_http_date(time.max(SystemTime::UNIX_EPOCH))
}

pub(super) fn judge(headers: &Headers, tag: &str, modified: SystemTime, size: u64) -> Verdict {
    if headers.contains("If-Match") {
        if !lists(headers, "If-Match", tag, false) {
            return Verdict::Failed;
        }
    } else if since(headers, "If-Unmodified-Since").is_some_and(|time| whole_seconds(modified) > time) {
        return Verdict::Failed;
    }
    if headers.contains("If-None-Match") {
        if lists(headers, "If-None-Match", tag, true) {
            return Verdict::NotModified;
        }
    } else if since(headers, "If-Modified-Since").is_some_and(|time| whole_seconds(modified) <= time) {
        return Verdict::NotModified;
    }
    match headers.get_str("Range") {
        Some(range) if is_still_meant(headers, tag, modified) => part(range, size),
        _ => Verdict::Whole,
    }
}

/// Whether a list of tags has this one, or is `*`.
fn lists(headers: &Headers, name: &str, tag: &str, weakly: bool) -> bool {
    let mut listed =
        headers.get_all(name).filter_map(|line| std::str::from_utf8(line).ok()).flat_map(|line| line.split(','));
    listed.any(|one| {
        let one = one.trim();
        one == "*" || one == tag || (weakly && one.strip_prefix("W/") == Some(tag))
    })
}

fn since(headers: &Headers, name: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get_str(name)?).ok()
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// If-Range: the part is wanted only of the file that the client knows.
fn is_still_meant(headers: &Headers, tag: &str, modified: SystemTime) -> bool {
    headers.get_str("If-Range").is_none_or(|known| {
        known == tag || httpdate::parse_http_date(known).is_ok_and(|time| time == whole_seconds(modified))
    })
}

/// One range; several, and what is none, mean the whole.
fn part(range: &str, size: u64) -> Verdict {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Verdict::Whole;
    };
    let number = |text: &str| text.trim().bytes().all(|byte| byte.is_ascii_digit()).then(|| text.trim().parse().ok());
    let (Some(first), Some(last)) = (number(first), number(last)) else { return Verdict::Whole };
    let (start, end): (u64, u64) = match (first, last) {
        (Some(first), Some(last)) if last < first => return Verdict::Whole,
        (Some(first), last) => (first, last.map_or(size, |last: u64| last.saturating_add(1)).min(size)),
        (None, Some(length)) => (size.saturating_sub(length), size),
        (None, None) => return Verdict::Whole,
    };
    if start >= end {
        return Verdict::Unsatisfiable;
    }
    Verdict::Part(Range { start, length: end - start })
}

/// Whether the client takes that coding by name.
pub(super) fn accepts(headers: &Headers, coding: &str) -> bool {
    let lines = headers.get_all("Accept-Encoding").filter_map(|line| std::str::from_utf8(line).ok());
    lines.flat_map(|line| line.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        is_named && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}
