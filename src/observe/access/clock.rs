//! Times as lines show them: RFC 3339, in UTC and in the zone of this machine.
//!
//! A second is worked out once for all of its lines; what is behind the point is a number and costs nothing.

use std::cell::RefCell;
use std::io::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

thread_local! {
    /// The last second, and the last of the other parity: lines begin in one and end in the next.
    static SECONDS: RefCell<[Second; 2]> = const { RefCell::new([Second::new(), Second::new()]) };
}

/// A second as text.
struct Second {
    number: i64,
    utc: String,
    local: String,
    /// `Z` or `+02:00`.
    zone: String,
}

impl Second {
    const fn new() -> Self {
        Self { number: i64::MIN, utc: String::new(), local: String::new(), zone: String::new() }
    }

    fn of(time: Timestamp) -> Self {
        const FORMAT: &str = "%Y-%m-%dT%H:%M:%S";
        let local = time.to_zoned(TimeZone::system());
        let zone = if local.offset().is_zero() { "Z".to_owned() } else { local.strftime("%:z").to_string() };
        let (utc, local) = (time.strftime(FORMAT).to_string(), local.strftime(FORMAT).to_string());
        Self { number: time.as_second(), utc, local, zone }
    }
}

/// What of a time is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Utc,
    Local,
    /// Without what is behind the point.
    LocalSecond,
}

pub(super) fn push(out: &mut Vec<u8>, time: Timestamp, shown: Shown) {
    SECONDS.with_borrow_mut(|seconds| {
        let number = time.as_second();
        let second = &mut seconds[usize::from(number & 1 == 1)];
        if second.number != number {
            *second = Second::of(time);
        }
        out.extend_from_slice(if shown == Shown::Utc { &second.utc } else { &second.local }.as_bytes());
        let nanos = time.subsec_nanosecond();
        if shown != Shown::LocalSecond && nanos > 0 {
            let start = out.len();
            let _memory_takes_all = write!(out, ".{nanos:09}");
            let zeros = out[start..].iter().rev().take_while(|digit| **digit == b'0').count();
            out.truncate(out.len() - zeros);
        }
        out.extend_from_slice(if shown == Shown::Utc { b"Z" } else { second.zone.as_bytes() });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_library() {
        for text in ["2026-11-21T06:30:00Z", "2026-11-21T06:30:00.003Z", "2026-11-21T06:30:01.120000001Z"] {
            let time: Timestamp = text.parse().unwrap();
            let mut out = Vec::new();
            push(&mut out, time, Shown::Utc);
            assert_eq!(std::str::from_utf8(&out).unwrap(), text);
            for shown in [Shown::Local, Shown::LocalSecond] {
                let mut out = Vec::new();
                push(&mut out, time, shown);
                let again: Timestamp = std::str::from_utf8(&out).unwrap().parse().unwrap();
                assert_eq!(again.as_second(), time.as_second());
                assert_eq!(again == time, shown == Shown::Local || time.subsec_nanosecond() == 0);
            }
        }
    }
}
