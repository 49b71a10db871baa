//! Times as lines show them: RFC 3339 and the form of the common layout, in UTC and in the zone of this machine.
//!
//! A second is worked out once for all of its lines; what is behind the point is a number and costs nothing.

use std::cell::RefCell;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `21/Nov/2026:06:30:00 +0000`
const COMMON: &str = "%d/%b/%Y:%H:%M:%S %z";

thread_local! {
    /// The last second, and the last of the other parity: lines begin in one and end in the next.
    static SECONDS: RefCell<[Second; 2]> = const { RefCell::new([Second::new(), Second::new()]) };
}

/// A second as text.
struct Second {
    number: u64,
    utc: [u8; 19],
    local: [u8; 19],
    /// `Z` or `+02:00`.
    zone: String,
    common_utc: String,
    common_local: String,
}

impl Second {
    const fn new() -> Self {
        const NONE: String = String::new();
        let none = [b'-'; 19];
        Self { number: u64::MAX, utc: none, local: none, zone: NONE, common_utc: NONE, common_local: NONE }
    }

    /// The second in which a time lies.
    fn with(since_1970: Duration, see: impl FnOnce(&Self)) {
        let number = since_1970.as_secs();
        SECONDS.with_borrow_mut(|seconds| {
            let second = &mut seconds[usize::from(number & 1 == 1)];
            if second.number != number {
                *second = Self::of(number);
            }
            see(second);
        });
    }

    fn of(number: u64) -> Self {
        const FORMAT: &str = "%Y-%m-%dT%H:%M:%S";
        let time = Timestamp::from_second(i64::try_from(number).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX);
        let local = time.to_zoned(TimeZone::system());
        let zone = if local.offset().is_zero() { "Z".to_owned() } else { local.strftime("%:z").to_string() };
        Self {
            number,
            utc: array(&time.strftime(FORMAT).to_string()),
            local: array(&local.strftime(FORMAT).to_string()),
            zone,
            common_utc: time.strftime(COMMON).to_string(),
            common_local: local.strftime(COMMON).to_string(),
        }
    }
}

/// The local time without what is behind the point.
pub(super) fn push_second(out: &mut Vec<u8>, since_1970: Duration) {
    Second::with(since_1970, |second| {
        out.extend_from_slice(&second.local);
        out.extend_from_slice(second.zone.as_bytes());
    });
}

/// A text of as many letters as there are in the years with four digits.
fn array(text: &str) -> [u8; 19] {
    text.as_bytes().as_array().copied().unwrap_or([b'-'; 19])
}

/// What of a time is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Utc,
    Local,
    CommonUtc,
    CommonLocal,
}

/// A time that is about to be shown, perhaps more than once.
pub(super) struct Moment {
    pub(super) since_1970: Duration,
    /// `.003`; nothing for a whole second.
    fraction: [u8; 10],
    length: usize,
}

impl Moment {
    pub(super) fn new(since_1970: Duration) -> Self {
        let (mut fraction, mut rest) = (*b".000000000", since_1970.subsec_nanos());
        for digit in fraction[1..].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        let last = fraction.iter().rposition(|digit| *digit != b'0').unwrap_or(0);
        Self { since_1970, fraction, length: if last == 0 { 0 } else { last + 1 } }
    }

    pub(super) fn push(&self, out: &mut Vec<u8>, shown: Shown) {
        Second::with(self.since_1970, |second| match shown {
            Shown::Utc => {
                out.extend_from_slice(&second.utc);
                self.push_fraction(out);
                out.push(b'Z');
            }
            Shown::Local => {
                out.extend_from_slice(&second.local);
                self.push_fraction(out);
                out.extend_from_slice(second.zone.as_bytes());
            }
            Shown::CommonUtc => out.extend_from_slice(second.common_utc.as_bytes()),
            Shown::CommonLocal => out.extend_from_slice(second.common_local.as_bytes()),
        });
    }

    fn push_fraction(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.fraction);
        out.truncate(out.len() - self.fraction.len() + self.length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, shown: Shown) -> String {
        let time: Timestamp = text.parse().unwrap();
        let mut out = Vec::new();
        Moment::new(Duration::try_from(time.as_duration()).unwrap()).push(&mut out, shown);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_are_those_of_the_library() {
        for text in ["2026-11-21T06:30:00Z", "2026-11-21T06:30:00.003Z", "2026-11-21T06:30:01.120000001Z"] {
            let time: Timestamp = text.parse().unwrap();
            assert_eq!(shown(text, Shown::Utc), text);
            let again: Timestamp = shown(text, Shown::Local).parse().unwrap();
            assert_eq!(again, time);
            let mut out = Vec::new();
            push_second(&mut out, Duration::from_secs(time.as_second().unsigned_abs()));
            let again: Timestamp = std::str::from_utf8(&out).unwrap().parse().unwrap();
            assert_eq!((again.as_second(), again.subsec_nanosecond()), (time.as_second(), 0));
            assert_eq!(shown(text, Shown::CommonUtc), time.strftime(COMMON).to_string());
            let zoned = time.to_zoned(TimeZone::system());
            assert_eq!(shown(text, Shown::CommonLocal), zoned.strftime(COMMON).to_string());
        }
    }
}
