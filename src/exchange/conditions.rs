//! Conditions and ranges of RFC 9110: what of a representation the client wants.

use std::time::{Duration, SystemTime};

use crate::{Headers, StatusCode};

/// What a representation is recognized by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Validators<'a> {
    /// With its quotes; weak ones begin with `W/`.
    pub tag: Option<&'a str>,
    pub modified: Option<SystemTime>,
}

/// At least one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub start: u64,
    pub length: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Whole,
    Part(Range),
    NotModified,
    Failed,
    Unsatisfiable,
}

impl Verdict {
    pub fn status(self) -> StatusCode {
        match self {
            Self::Whole => StatusCode::OK,
            Self::Part(_) => StatusCode::PARTIAL_CONTENT,
            Self::NotModified => StatusCode::NOT_MODIFIED,
            Self::Failed => StatusCode::PRECONDITION_FAILED,
            Self::Unsatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        }
    }
}

/// What a request with these headers gets of `size` bytes.
pub fn judge(headers: &Headers, of: Validators<'_>, size: u64) -> Verdict {
    let modified = of.modified.map(whole_seconds);
    let is_after = |time| modified.is_some_and(|modified| modified > time);
    let is_not_after = |time| modified.is_some_and(|modified| modified <= time);
    if headers.contains("If-Match") {
        if !lists(headers, "If-Match", of.tag, false) {
            return Verdict::Failed;
        }
    } else if since(headers, "If-Unmodified-Since").is_some_and(is_after) {
        return Verdict::Failed;
    }
    if headers.contains("If-None-Match") {
        if lists(headers, "If-None-Match", of.tag, true) {
            return Verdict::NotModified;
        }
    } else if since(headers, "If-Modified-Since").is_some_and(is_not_after) {
        return Verdict::NotModified;
    }
    match headers.get_str("Range") {
        Some(range) if is_still_meant(headers, of.tag, modified) => part(range, size),
        _ => Verdict::Whole,
    }
}

/// Whether a list of tags has this one, or is `*`.
fn lists(headers: &Headers, name: &str, tag: Option<&str>, weakly: bool) -> bool {
    let mut listed =
        headers.get_all(name).filter_map(|line| std::str::from_utf8(line).ok()).flat_map(|line| line.split(','));
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    listed.any(|one| {
        let one = one.trim();
        let is_it = tag
            .is_some_and(|tag| if weakly { opaque(one) == opaque(tag) } else { one == tag && !tag.starts_with("W/") });
        one == "*" || is_it
    })
}

fn since(headers: &Headers, name: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get_str(name)?).ok()
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// If-Range: the part is wanted only of the representation that the client knows.
fn is_still_meant(headers: &Headers, tag: Option<&str>, modified: Option<SystemTime>) -> bool {
    headers.get_str("If-Range").is_none_or(|known| {
        let is_tag = tag.is_some_and(|tag| known == tag && !tag.starts_with("W/"));
        is_tag || httpdate::parse_http_date(known).is_ok_and(|time| Some(time) == modified)
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
