//! Which exchanges are logged: those that any filter keeps; all of them when there is no filter.

use std::ops::RangeInclusive;
use std::time::Duration;

use trafficcop_config::settings::observability::AccessLogFilters;

#[derive(Debug, Default)]
pub(super) struct Filter {
    statuses: Vec<RangeInclusive<u16>>,
    retried: bool,
    /// Zero: no such filter.
    slower_than: Duration,
}

impl Filter {
    pub(super) fn new(settings: &AccessLogFilters) -> Self {
        let mut statuses = Vec::new();
        for text in &settings.status_codes {
            if let Some(range) = range(text) {
                statuses.push(range);
            } else {
                tracing::error!(%text, "accessLog.filters.statusCodes: this is neither a status nor a range.");
            }
        }
        let slower_than = settings.min_duration.positive().unwrap_or_default();
        Self { statuses, retried: settings.retry_attempts, slower_than }
    }

    pub(super) fn keeps(&self, status: u16, retries: u32, duration: Duration) -> bool {
        let has_no_filter = self.statuses.is_empty() && !self.retried && self.slower_than.is_zero();
        has_no_filter
            || self.statuses.iter().any(|range| range.contains(&status))
            || (self.retried && retries > 0)
            || (!self.slower_than.is_zero() && duration > self.slower_than)
    }
}

/// `404` or `500-599`.
fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    Some(low.trim().parse().ok()?..=high.trim().parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statuses: &[&str], retried: bool, slow: i64, seen: (u16, u32, u64), expected: bool) {
        let filter = Filter::new(&AccessLogFilters {
            status_codes: statuses.iter().map(|&text| text.to_owned()).collect(),
            retry_attempts: retried,
            min_duration: trafficcop_config::Duration::from_secs(slow),
        });
        assert_eq!(filter.keeps(seen.0, seen.1, Duration::from_secs(seen.2)), expected);
    }

    #[test]
    fn without_filters_everything_is_kept() {
        check(&[], false, 0, (200, 0, 0), true);
    }

    #[test]
    fn any_filter_keeps() {
        check(&["404", "500-599"], false, 0, (404, 0, 0), true);
        check(&["404", "500-599"], false, 0, (599, 0, 0), true);
        check(&["404", "500-599"], false, 0, (403, 0, 0), false);
        check(&["404"], true, 0, (200, 1, 0), true);
        check(&["404"], true, 5, (200, 0, 6), true);
        check(&["404"], true, 5, (200, 0, 4), false);
    }
}
