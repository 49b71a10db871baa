//! How a file is recognized, and what codings a client takes.

use std::time::SystemTime;

use trafficcop_exchange::Headers;

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
