//! The three ways of counting, apart from where counts are kept: pure, the time comes in.

use std::time::Duration;

/// How requests are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Algorithm {
    /// Tokens flow in at `rate` a second, `burst` at most; waits up to `max_delay` seconds are waited out.
    TokenBucket { rate: f64, burst: f64, max_delay: f64 },
    /// So many in each period.
    FixedWindow { limit: f64, period: f64 },
    /// So many in a period that moves along: what the last one had counts for as much of it as is still in view.
    SlidingWindow { limit: f64, period: f64 },
}

/// What is known of one source. Times are seconds since an origin that stays the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Count {
    /// Tokens that are left, or requests of this window.
    pub(super) now: f64,
    /// Requests of the window before.
    pub(super) before: f64,
    /// When that was so, or when the window began.
    pub(super) at: f64,
}

/// What is to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Now,
    After(Duration),
    /// It would have to wait so long.
    Refused(Duration),
}

impl Verdict {
    /// By the seconds that a request would have to wait, and those that may be waited out.
    pub(super) fn of(wait: f64, max_delay: f64) -> Self {
        let span = || Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX);
        if wait <= 0.0 {
            Self::Now
        } else if wait > max_delay {
            Self::Refused(span())
        } else {
            Self::After(span())
        }
    }
}

impl Algorithm {
    pub(super) fn token_bucket(rate: f64, burst: f64) -> Self {
        Self::TokenBucket { rate, burst, max_delay: if rate < 1.0 { 0.5 } else { 0.5 / rate } }
    }

    /// Of a source that has not been seen.
    pub(super) fn fresh(self, now: f64) -> Count {
        match self {
            Self::TokenBucket { burst, .. } => Count { now: burst, before: 0.0, at: now },
            Self::FixedWindow { period, .. } | Self::SlidingWindow { period, .. } => {
                Count { now: 0.0, before: 0.0, at: window(now, period) }
            }
        }
    }

    /// Counts a request, unless it is refused.
    pub(super) fn take(self, count: &mut Count, now: f64) -> Verdict {
        match self {
            Self::TokenBucket { rate, burst, max_delay } => {
                let elapsed = (now - count.at).max(0.0);
                let tokens = (count.now + elapsed * rate).min(burst) - 1.0;
                let verdict = Verdict::of(-tokens / rate, max_delay);
                if !matches!(verdict, Verdict::Refused(_)) {
                    *count = Count { now: tokens, before: 0.0, at: now };
                }
                verdict
            }
            Self::FixedWindow { limit, period } => {
                let start = window(now, period);
                if count.at < start {
                    *count = Count { now: 0.0, before: 0.0, at: start };
                }
                let is_full = count.now >= limit;
                if !is_full {
                    count.now += 1.0;
                }
                Verdict::of(if is_full { (start + period - now).max(0.001) } else { 0.0 }, 0.0)
            }
            Self::SlidingWindow { limit, period } => {
                let start = window(now, period);
                if count.at < start {
                    // Within half a period: floating numbers are not exact.
                    let is_next = start - count.at < period * 1.5;
                    *count = Count { now: 0.0, before: if is_next { count.now } else { 0.0 }, at: start };
                }
                let in_view = count.before * (1.0 - (now - start) / period);
                let excess = in_view + count.now + 1.0 - limit;
                if excess <= 0.0 {
                    count.now += 1.0;
                    return Verdict::Now;
                }
                let to_its_end = (start + period - now).max(0.001);
                let wait = if count.before > 0.0 { excess / count.before * period } else { to_its_end };
                Verdict::of(wait.clamp(0.001, to_its_end), 0.0)
            }
        }
    }
}

/// When the window began in which `now` lies.
fn window(now: f64, period: f64) -> f64 {
    (now / period).floor() * period
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of requests at these times: `+` passes, `~` waits, `-` is refused.
    #[track_caller]
    fn check(algorithm: Algorithm, times: &[f64], expected: &str) {
        let mut count = algorithm.fresh(times[0]);
        let verdicts = times.iter().map(|now| match algorithm.take(&mut count, *now) {
            Verdict::Now => '+',
            Verdict::After(_) => '~',
            Verdict::Refused(_) => '-',
        });
        assert_eq!(verdicts.collect::<String>(), expected, "{algorithm:?}");
    }

    #[test]
    fn buckets_fill_as_time_goes() {
        check(Algorithm::token_bucket(10.0, 1.0), &[0.0, 0.0, 0.06, 0.06, 10.0], "+-~-+");
        check(Algorithm::token_bucket(1.0, 3.0), &[0.0, 0.0, 0.0, 0.0, 1.0, 1.0], "+++-+-");
    }

    #[test]
    fn fixed_windows_begin_anew() {
        let algorithm = Algorithm::FixedWindow { limit: 2.0, period: 10.0 };
        check(algorithm, &[9.0, 9.1, 9.2, 10.0, 10.1, 10.2, 35.0], "++-++-+");
    }

    #[test]
    fn sliding_windows_remember_the_last() {
        let algorithm = Algorithm::SlidingWindow { limit: 2.0, period: 10.0 };
        check(algorithm, &[9.0, 9.1, 9.2, 10.0, 14.0, 15.0, 15.1, 40.0], "++---+-+");
        let mut count = Count { now: 0.0, before: 2.0, at: 10.0 };
        // Of the two before, one is out of view at half time.
        assert_eq!(algorithm.take(&mut count, 14.0), Verdict::Refused(Duration::from_secs(1)));
    }
}
