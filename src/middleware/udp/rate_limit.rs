//! # rateLimit (UDP)
//!
//! Limits how many datagrams of one client address pass: `average` in each `period`, and `burst` at once. Others are
//! dropped.
//!
//! ```yaml
//! udp:
//!   middlewares:
//!     calm: {rateLimit: {average: 1000, burst: 100, period: 1s}}
//! ```
//!
//! At most 65,536 addresses are remembered. When there are more, those that have been silent for long are forgotten, and
//! if that does not help, new ones are dropped.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Deserialize;
use trafficcop_exchange::UdpFilter;

use super::UdpMiddleware;
use crate::BuildError;

/// Addresses that are remembered.
const MOST: usize = 1 << 16;
/// How often silent ones are looked for, at most.
const SWEEP: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RateLimit {
    /// Datagrams in each period; 0: no limit.
    average: i64,
    /// Datagrams at once.
    burst: i64,
    period: trafficcop_config::Duration,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { average: 0, burst: 1, period: trafficcop_config::Duration::from_secs(1) }
    }
}

struct Limit {
    per_second: f64,
    burst: f64,
    state: Mutex<State>,
}

struct State {
    /// When the bucket was looked at, and what was in it.
    buckets: HashMap<IpAddr, (Instant, f64), foldhash::fast::RandomState>,
    swept: Instant,
}

impl UdpMiddleware for RateLimit {
    const NAME: &'static str = "rateLimit";

    fn build(self) -> Result<Arc<dyn UdpFilter>, BuildError> {
        let Some(period) = self.period.positive() else {
            return Err(BuildError::invalid("period must be more than 0"));
        };
        let per_second = if self.average <= 0 { f64::INFINITY } else { self.average as f64 / period.as_secs_f64() };
        let state = State { buckets: HashMap::default(), swept: Instant::now() };
        Ok(Arc::new(Limit { per_second, burst: self.burst.max(1) as f64, state: Mutex::new(state) }))
    }
}

impl Limit {
    fn takes(&self, client: IpAddr, now: Instant) -> bool {
        if self.per_second.is_infinite() {
            return true;
        }
        let mut state = self.state.lock();
        let filled = |(since, content): (Instant, f64)| {
            (content + now.saturating_duration_since(since).as_secs_f64() * self.per_second).min(self.burst)
        };
        if state.buckets.len() >= MOST && !state.buckets.contains_key(&client) {
            if now.saturating_duration_since(state.swept) >= SWEEP {
                state.swept = now;
                // A full bucket says no more than none.
                state.buckets.retain(|_, bucket| filled(*bucket) < self.burst);
            }
            if state.buckets.len() >= MOST {
                return false;
            }
        }
        let bucket = state.buckets.entry(client).or_insert((now, self.burst));
        let content = filled(*bucket);
        let passes = content >= 1.0;
        *bucket = (now, if passes { content - 1.0 } else { content });
        passes
    }
}

impl UdpFilter for Limit {
    fn admits(&self, client: SocketAddr) -> bool {
        self.takes(client.ip().to_canonical(), Instant::now())
    }

    fn is_per_datagram(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_average() {
        let limit = Limit {
            per_second: 10.0,
            burst: 3.0,
            state: Mutex::new(State { buckets: HashMap::default(), swept: Instant::now() }),
        };
        let (one, other) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let begin = Instant::now();
        let passed = |at: u64| limit.takes(one, begin + Duration::from_millis(at));
        assert_eq!([0, 0, 0, 0].map(passed), [true, true, true, false]);
        assert!(limit.takes(other, begin), "another has a bucket of its own");
        assert_eq!([100, 100, 150, 200].map(passed), [true, false, false, true]);
    }

    #[test]
    fn the_table_is_bounded() {
        let now = Instant::now();
        let state = State { buckets: HashMap::default(), swept: now };
        let limit = Limit { per_second: 1.0, burst: 1.0, state: Mutex::new(state) };
        for number in 0..MOST {
            let address = std::net::Ipv4Addr::from(u32::try_from(number).unwrap());
            assert!(limit.takes(address.into(), now));
        }
        let new = "192.0.2.1".parse().unwrap();
        assert!(!limit.takes(new, now));
        assert!(limit.takes(new, now + Duration::from_secs(2)), "the others are full again");
        assert_eq!(limit.state.lock().buckets.len(), 1);
    }
}
