//! Identities of traces and spans: chance, and nothing to be kept secret.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceId(pub [u8; 16]);

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SpanId(pub [u8; 8]);

/// Two digits for each byte, as far as there is room.
pub(super) fn write_hexadecimal(out: &mut [u8], bytes: &[u8]) {
    static PAIRS: [[u8; 2]; 256] = {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut pairs = [[0; 2]; 256];
        let mut byte = 0;
        while byte < 256 {
            pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
            byte += 1;
        }
        pairs
    };
    for (digits, byte) in out.as_chunks_mut().0.iter_mut().zip(bytes) {
        *digits = PAIRS[usize::from(*byte)];
    }
}

fn hexadecimal(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    let mut digits = [0; 32];
    let digits = &mut digits[..2 * bytes.len()];
    write_hexadecimal(digits, bytes);
    f.write_str(std::str::from_utf8(digits).unwrap_or_default())
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hexadecimal(f, &self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hexadecimal(f, &self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

thread_local! {
    /// Begins elsewhere on every thread; the standard library takes that from the system.
    static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0_u8));
}

/// SplitMix64: one addition and some mixing.
fn next() -> u64 {
    STATE.with(|state| {
        let now = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        state.set(now);
        let mixed = (now ^ (now >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

pub fn new_trace_id() -> TraceId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&next().max(1).to_be_bytes());
    id[8..].copy_from_slice(&next().to_be_bytes());
    TraceId(id)
}

pub fn new_span_id() -> SpanId {
    SpanId(next().max(1).to_be_bytes())
}
