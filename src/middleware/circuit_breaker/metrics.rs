//! What a breaker knows of the last ten seconds (and of the latencies of the last minute).

use std::time::Duration;

use tokio::time::Instant;
use trafficcop_exchange::StatusCode;

const SECONDS: usize = 10;
/// Latencies are kept in steps of about 7 %: sixteen to each doubling, from 1 µs to an hour.
const STEPS: usize = 16 * 32;

/// Counts of one second.
#[derive(Clone)]
struct Second {
    codes: [u32; 600],
    total: u64,
    network_errors: u64,
}

impl Second {
    const EMPTY: Self = Self { codes: [0; 600], total: 0, network_errors: 0 };
}

pub(super) struct Metrics {
    begun: Instant,
    /// The second, counted from the beginning, that was last written.
    newest: u64,
    seconds: Box<[Second]>,
    latencies: Box<[u32]>,
    older_latencies: Box<[u32]>,
    /// The minute that was last written.
    minute: u64,
}

impl Metrics {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begun: now,
            newest: 0,
            seconds: vec![Second::EMPTY; SECONDS].into(),
            latencies: vec![0; STEPS].into(),
            older_latencies: vec![0; STEPS].into(),
            minute: 0,
        }
    }

    pub(super) fn record(&mut self, status: StatusCode, latency: Duration, now: Instant) {
        self.advance(now);
        let second = &mut self.seconds[self.newest as usize % SECONDS];
        second.total += 1;
        let code = usize::from(status.as_u16());
        if let Some(count) = second.codes.get_mut(code) {
            *count += 1;
        }
        if code == 502 || code == 504 {
            second.network_errors += 1;
        }
        self.latencies[step(latency)] += 1;
    }

    /// Forgets what has become too old.
    fn advance(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.begun).as_secs();
        for second in (self.newest + 1..=elapsed).take(SECONDS) {
            self.seconds[second as usize % SECONDS] = Second::EMPTY;
        }
        self.newest = self.newest.max(elapsed);
        if elapsed / 60 > self.minute {
            self.minute = elapsed / 60;
            self.older_latencies = std::mem::replace(&mut self.latencies, vec![0; STEPS].into());
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.seconds.iter().map(|second| second.total).sum()
    }

    pub(super) fn network_error_ratio(&self) -> f64 {
        ratio(self.seconds.iter().map(|second| second.network_errors).sum(), self.total())
    }

    /// Answers with a code of `from..to` among those of `divided_from..divided_to`.
    pub(super) fn code_ratio(&self, [from, to, divided_from, divided_to]: [usize; 4]) -> f64 {
        let count = |from: usize, to: usize| {
            let codes = |second: &Second| {
                second.codes[from.min(600)..to.clamp(from.min(600), 600)].iter().map(|n| u64::from(*n)).sum::<u64>()
            };
            self.seconds.iter().map(codes).sum()
        };
        ratio(count(from, to), count(divided_from, divided_to))
    }

    /// Milliseconds below which `quantile` percent of the answers came.
    pub(super) fn latency_ms(&self, quantile: f64) -> f64 {
        let counts =
            || self.latencies.iter().zip(&self.older_latencies).map(|(new, old)| u64::from(*new) + u64::from(*old));
        let wanted = (counts().sum::<u64>() as f64 * quantile / 100.0).ceil();
        let mut seen = 0;
        for (step, count) in counts().enumerate() {
            seen += count;
            if count > 0 && seen as f64 >= wanted {
                return 2_f64.powf((step as f64 + 0.5) / 16.0) / 1000.0;
            }
        }
        0.0
    }
}

fn step(latency: Duration) -> usize {
    let micros = (latency.as_micros() as f64).max(1.0);
    ((micros.log2() * 16.0) as usize).min(STEPS - 1)
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_moves_on() {
        let start = Instant::now();
        let mut metrics = Metrics::new(start);
        metrics.record(StatusCode::BAD_GATEWAY, Duration::from_millis(100), start);
        metrics.record(StatusCode::OK, Duration::from_millis(1), start + Duration::from_secs(5));
        assert!((metrics.network_error_ratio() - 0.5).abs() < 1e-9);
        assert!((metrics.code_ratio([500, 600, 0, 600]) - 0.5).abs() < 1e-9);
        metrics.record(StatusCode::OK, Duration::from_millis(1), start + Duration::from_secs(11));
        assert_eq!((metrics.total(), metrics.network_error_ratio() > 0.0), (2, false));
        metrics.record(StatusCode::OK, Duration::from_millis(1), start + Duration::from_secs(1000));
        assert_eq!(metrics.total(), 1);
    }

    #[test]
    fn latencies_are_near() {
        let start = Instant::now();
        let mut metrics = Metrics::new(start);
        for millis in 1..=100 {
            metrics.record(StatusCode::OK, Duration::from_millis(millis), start);
        }
        assert!((metrics.latency_ms(50.0) - 50.0).abs() < 4.0, "{}", metrics.latency_ms(50.0));
        assert!((metrics.latency_ms(99.0) - 99.0).abs() < 8.0, "{}", metrics.latency_ms(99.0));
    }
}
