//! A span of time in Go's spelling: `1m30s`, `100ms`; a bare integer means seconds. Signed, since Traefik gives a
//! meaning to some negative ones.

mod format;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Nanoseconds, signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

/// The text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration such as 10s, 1m30s or 100ms")]
pub struct BadDuration(pub String);

/// What a decoder tells the user a duration looks like.
pub(crate) const EXPECTED: &str = "a duration such as 10s, 1m30s or 100ms (a bare number means seconds)";

impl Duration {
    pub const ZERO: Self = Self(0);
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }
    /// Saturates at the ends of what nanoseconds can hold (about 292 years).
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }
    /// Saturates like [`Duration::from_millis`].
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }
    pub const fn as_nanos(self) -> i64 {
        self.0
    }
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
    /// None for zero and below: the usual meaning of "no limit" or "the default".
    pub fn positive(self) -> Option<std::time::Duration> {
        u64::try_from(self.0).ok().filter(|nanos| *nanos > 0).map(std::time::Duration::from_nanos)
    }
}

impl FromStr for Duration {
    type Err = BadDuration;
    /// A bare integer means seconds, anything else is Go's `time.ParseDuration`.
    fn from_str(text: &str) -> Result<Self, BadDuration> {
        parse::parse(text).map(Self).ok_or_else(|| BadDuration(text.to_owned()))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        format::format(self.0, f)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DurationVisitor)
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = Duration;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }
    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Duration, E> {
        seconds
            .checked_mul(1_000_000_000)
            .map(Duration)
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(seconds), &self))
    }
    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Duration, E> {
        i64::try_from(seconds)
            .map_err(|_| E::invalid_value(Unexpected::Unsigned(seconds), &self))
            .and_then(|seconds| self.visit_i64(seconds))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}
