//! [`Backoff`]: later and later, with jitter, and back to the start after a success.
//!
//! Pure: randomness comes in as an argument, the time to wait goes out as a value.

use std::time::Duration;

/// Doubling waits with an upper bound.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits begin around `first` and never exceed `most`.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, next: first.min(most) }
    }

    /// The next time to wait: between half and the whole of the current step. `random` is a number from 0 to 1; it keeps
    /// many instances that lost the same peer from coming back at the same moment.
    pub fn next(&mut self, random: f64) -> Duration {
        let step = self.next;
        self.next = step.saturating_mul(2).min(self.most);
        step.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
    }

    /// After a success the next failure waits the first time again.
    pub fn reset(&mut self) {
        self.next = self.first.min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    fn milliseconds(backoff: &mut Backoff, random: f64, count: usize) -> Vec<u128> {
        (0..count).map(|_| backoff.next(random).as_millis()).collect()
    }

    fn backoff() -> Backoff {
        Backoff::new(Duration::from_millis(100), Duration::from_secs(1))
    }

    #[test]
    fn doubles_up_to_the_bound() {
        assert_eq!(milliseconds(&mut backoff(), 1.0, 6), [100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn jitter_takes_away_up_to_half() {
        assert_eq!(milliseconds(&mut backoff(), 0.0, 3), [50, 100, 200]);
        assert_eq!(milliseconds(&mut backoff(), 0.5, 2), [75, 150]);
    }

    #[test]
    fn a_success_starts_over() {
        let mut backoff = backoff();
        milliseconds(&mut backoff, 1.0, 5);
        backoff.reset();
        assert_eq!(milliseconds(&mut backoff, 1.0, 2), [100, 200]);
    }

    #[test]
    fn a_first_wait_beyond_the_bound_is_cut() {
        let mut backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(1));
        assert_eq!(milliseconds(&mut backoff, 1.0, 2), [1000, 1000]);
    }
}
