//! What `Cache-Control` says beside what the policy decides.

use std::time::Duration;

use http::HeaderMap;

/// Of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Directives {
    /// It must not be given once it is stale.
    pub(super) must_revalidate: bool,
    /// A lifetime for shared caches, which must ask afterwards (RFC 9111, 5.2.2.10) unless the answer itself allows more.
    pub(super) shared_lifetime: bool,
    /// It must never be given without asking.
    pub(super) no_cache: bool,
    pub(super) while_revalidate: Option<Duration>,
    pub(super) if_error: Option<Duration>,
}

impl Directives {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        each(headers, |name, value| match name {
            "must-revalidate" | "proxy-revalidate" => found.must_revalidate = true,
            "s-maxage" => found.shared_lifetime = true,
            "no-cache" => found.no_cache = true,
            "stale-while-revalidate" => found.while_revalidate = seconds(value),
            "stale-if-error" => found.if_error = seconds(value),
            _ => {}
        });
        found
    }
}

/// Whether a request or an answer says that word.
pub(super) fn says(headers: &HeaderMap, word: &str) -> bool {
    let mut found = false;
    each(headers, |name, _| found |= name == word);
    found
}

/// Calls `take` for each directive: its name in lower case and its value without quotes.
fn each(headers: &HeaderMap, mut take: impl FnMut(&str, &str)) {
    for line in headers.get_all(http::header::CACHE_CONTROL) {
        let Ok(line) = line.to_str() else { continue };
        for directive in line.split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            take(&name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'));
        }
    }
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_secs)
}
