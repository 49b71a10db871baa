//! [`Pulse`]: how much traffic there is and how it fares, for the dashboard. A handful of numbers, whatever metrics are on.
//!
//! What must hold: counting is a few atomic additions in this thread's own part, and nothing a client sends makes it grow.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use trafficcop_exchange::Exchange;

use crate::Outcome;

/// Parts; threads beyond that share.
const PARTS: usize = 64;
/// Upper bounds of durations, in microseconds; the last class has none.
pub const BOUNDS: [u64; 12] =
    [250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];

/// See the module.
pub struct Pulse {
    parts: Box<[Part]>,
}

/// What one thread counted, on cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Part {
    started: AtomicU64,
    /// By the first digit of the status; 0 for what has none.
    classes: [AtomicU64; 6],
    durations: [AtomicU64; BOUNDS.len() + 1],
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    reasons: Mutex<BTreeMap<&'static str, u64>>,
}

/// All parts added up. Counts since the start of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    pub started: u64,
    pub classes: [u64; 6],
    /// Not added up; by [`BOUNDS`].
    pub durations: [u64; BOUNDS.len() + 1],
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// Answers of our own by the code of their reason.
    pub reasons: BTreeMap<&'static str, u64>,
}

impl Beat {
    /// Requests that have ended.
    pub fn ended(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// Requests that are under way.
    pub fn in_flight(&self) -> u64 {
        self.started.saturating_sub(self.ended())
    }
}

thread_local! {
    static PLACE: Cell<Option<usize>> = const { Cell::new(None) };
}
static PLACES: AtomicUsize = AtomicUsize::new(0);

/// This thread's number among those that carry traffic.
pub(crate) fn place() -> usize {
    PLACE.with(|place| {
        place.get().unwrap_or_else(|| {
            let taken = PLACES.fetch_add(1, Ordering::Relaxed);
            place.set(Some(taken));
            taken
        })
    })
}

impl Default for Pulse {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| Part::default()).collect() }
    }
}

impl Pulse {
    pub(crate) fn start(&self) {
        self.part().started.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, exchange: &Exchange, outcome: &Outcome) {
        let part = self.part();
        let class = usize::from(outcome.status.as_u16() / 100);
        part.classes[if class < part.classes.len() { class } else { 0 }].fetch_add(1, Ordering::Relaxed);
        let took = u64::try_from(outcome.duration.as_micros()).unwrap_or(u64::MAX);
        let class = BOUNDS.iter().position(|bound| took <= *bound).unwrap_or(BOUNDS.len());
        part.durations[class].fetch_add(1, Ordering::Relaxed);
        part.bytes_in.fetch_add(outcome.bytes_in, Ordering::Relaxed);
        part.bytes_out.fetch_add(outcome.bytes_out, Ordering::Relaxed);
        if let Some(reason) = exchange.reason {
            *part.reasons.lock().entry(reason.code()).or_default() += 1;
        }
    }

    /// What was counted so far.
    pub fn read(&self) -> Beat {
        let mut beat = Beat::default();
        for part in &self.parts {
            // What has ended is read first, so that no more seems to have ended than has started.
            for (sum, count) in beat.classes.iter_mut().zip(&part.classes) {
                *sum += count.load(Ordering::Relaxed);
            }
            for (sum, count) in beat.durations.iter_mut().zip(&part.durations) {
                *sum += count.load(Ordering::Relaxed);
            }
            beat.started += part.started.load(Ordering::Relaxed);
            beat.bytes_in += part.bytes_in.load(Ordering::Relaxed);
            beat.bytes_out += part.bytes_out.load(Ordering::Relaxed);
            for (reason, count) in &*part.reasons.lock() {
                *beat.reasons.entry(reason).or_default() += count;
            }
        }
        beat
    }

    fn part(&self) -> &Part {
        &self.parts[place() % PARTS]
    }
}
