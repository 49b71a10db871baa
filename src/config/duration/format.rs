//! Go's `Duration.String`: `1h0m0s`, `1.5s`, `100ms`, `0s`.

use std::fmt::{Formatter, Result, Write};

const SECOND: u64 = 1_000_000_000;

pub(super) fn format(nanos: i64, f: &mut Formatter<'_>) -> Result {
    if nanos < 0 {
        f.write_char('-')?;
    }
    let nanos = nanos.unsigned_abs();
    match nanos {
        0 => f.write_str("0s"),
        1..1_000 => write!(f, "{nanos}ns"),
        1_000..1_000_000 => decimal(nanos, 1_000, "\u{b5}s", f),
        1_000_000..SECOND => decimal(nanos, 1_000_000, "ms", f),
        _ => {
            let minutes = nanos / (60 * SECOND);
            if minutes >= 60 {
                write!(f, "{}h", minutes / 60)?;
            }
            if minutes > 0 {
                write!(f, "{}m", minutes % 60)?;
            }
            decimal(nanos % (60 * SECOND), SECOND, "s", f)
        }
    }
}

/// `value / scale` with as many decimals as it needs.
fn decimal(value: u64, scale: u64, unit: &str, f: &mut Formatter<'_>) -> Result {
    write!(f, "{}", value / scale)?;
    let mut rest = value % scale;
    let mut place = scale;
    if rest > 0 {
        f.write_char('.')?;
    }
    while rest > 0 {
        place /= 10;
        write!(f, "{}", rest / place)?;
        rest %= place;
    }
    f.write_str(unit)
}
