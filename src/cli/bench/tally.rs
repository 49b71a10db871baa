//! What was answered, and how fast.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Classes of durations for each power of ten: none is wider than a fifth of its beginning.
const PER_DECADE: f64 = 13.0;
/// From a microsecond to a hundred seconds.
const CLASSES: usize = 8 * PER_DECADE as usize;
/// Different errors that are kept.
const MOST_ERRORS: usize = 10;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) took: Duration,
    classes: [u64; CLASSES],
    slowest: Duration,
    bytes: u64,
    statuses: BTreeMap<u16, u64>,
    errors: BTreeMap<String, u64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            took: Duration::ZERO,
            classes: [0; CLASSES],
            slowest: Duration::ZERO,
            bytes: 0,
            statuses: BTreeMap::new(),
            errors: BTreeMap::new(),
        }
    }
}

impl Tally {
    pub(super) fn answered(&mut self, status: u16, bytes: usize, took: Duration) {
        let micros = (took.as_secs_f64() * 1e6).max(1.0);
        let class = (micros.log10() * PER_DECADE) as usize;
        self.classes[class.min(CLASSES - 1)] += 1;
        self.slowest = self.slowest.max(took);
        self.bytes += bytes as u64;
        *self.statuses.entry(status).or_default() += 1;
    }

    pub(super) fn failed(&mut self, error: &str) {
        let known = self.errors.contains_key(error) || self.errors.len() < MOST_ERRORS;
        *self.errors.entry(if known { error } else { "others" }.to_owned()).or_default() += 1;
    }

    fn count(&self) -> u64 {
        self.statuses.values().sum()
    }

    fn failures(&self) -> u64 {
        self.errors.values().sum()
    }

    pub(super) fn is_well(&self) -> bool {
        self.count() > 0 && self.errors.is_empty() && self.statuses.keys().all(|status| *status < 500)
    }

    /// The duration that this share of the answers did not exceed; to a fifth.
    fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.count() as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (class, count) in self.classes.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                let micros = 10_f64.powf((class as f64 + 1.0) / PER_DECADE);
                return Duration::from_secs_f64(micros / 1e6).min(self.slowest);
            }
        }
        self.slowest
    }

    /// While it runs.
    pub(super) fn line(&self, elapsed: Duration) -> String {
        let seconds = elapsed.as_secs_f64();
        format!(
            "{seconds:5.1} s  {} requests  {:.0}/s  p50 {}  p99 {}  errors {}",
            self.count(),
            self.count() as f64 / seconds.max(0.001),
            millis(self.quantile(0.5)),
            millis(self.quantile(0.99)),
            self.failures(),
        )
    }

    /// At the end.
    pub(super) fn summary(&self) -> String {
        let seconds = self.took.as_secs_f64().max(0.001);
        let mut text = format!(
            "requests  {} in {seconds:.1} s, {:.0} per second, {:.2} MB per second\n",
            self.count(),
            self.count() as f64 / seconds,
            self.bytes as f64 / seconds / 1e6,
        );
        let shown = |share| millis(self.quantile(share));
        let _memory_takes_all = writeln!(
            text,
            "latency   p50 {}  p90 {}  p99 {}  p99.9 {}  slowest {}",
            shown(0.5),
            shown(0.9),
            shown(0.99),
            shown(0.999),
            millis(self.slowest),
        );
        for (status, count) in &self.statuses {
            let _memory_takes_all = writeln!(text, "status    {status}: {count}");
        }
        for (error, count) in &self.errors {
            let _memory_takes_all = writeln!(text, "error     {count}: {error}");
        }
        text
    }
}

fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    if millis < 10.0 { format!("{millis:.2} ms") } else { format!("{millis:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_a_fifth() {
        let mut tally = Tally::default();
        for micros in 1..=1000 {
            tally.answered(200, 1, Duration::from_micros(micros));
        }
        for (share, micros) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = tally.quantile(share).as_secs_f64() * 1e6;
            assert!((micros..=micros * 1.2).contains(&found), "{share}: {found}");
        }
        assert!(tally.is_well());
        tally.answered(500, 0, Duration::from_secs(1000));
        assert!(!tally.is_well() && tally.summary().contains("status    500: 1"), "{}", tally.summary());
        (0..100).for_each(|number| tally.failed(&number.to_string()));
        assert_eq!((tally.failures(), tally.errors.len()), (100, MOST_ERRORS + 1));
    }
}
