//! Go's `time.ParseDuration`, preceded by Traefik's rule that a bare integer means seconds.

const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Nanoseconds, or `None` where Go would refuse the text or overflow.
pub(super) fn parse(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return seconds.checked_mul(1_000_000_000);
    }
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (nanos, after) = component(rest)?;
        total = total.checked_add(nanos).filter(|sum| *sum <= 1 << 63)?;
        rest = after;
    }
    if negative { 0_i64.checked_sub_unsigned(total) } else { i64::try_from(total).ok() }
}

/// One number with its unit, and what follows it.
fn component(text: &str) -> Option<(u64, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole_len = digits(text);
    let whole: u64 = if whole_len == 0 { 0 } else { text[..whole_len].parse().ok()? };
    let mut rest = &text[whole_len..];
    let mut fraction = "";
    if let Some(after_point) = rest.strip_prefix('.') {
        let len = digits(after_point);
        if whole_len == 0 && len == 0 {
            return None;
        }
        (fraction, rest) = after_point.split_at(len);
    } else if whole_len == 0 {
        return None;
    }
    let unit_len = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_len);
    let scale = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    let nanos = whole.checked_mul(scale)?.checked_add(fraction_of(fraction, scale))?;
    Some((nanos, rest))
}

/// `scale` times `0.<digits>`, rounded towards zero. Digits beyond what can matter are ignored, as Go does.
fn fraction_of(digits: &str, scale: u64) -> u64 {
    let digits = &digits[..digits.len().min(18)];
    let value: u64 = digits.parse().unwrap_or(0);
    let divisor = 10_u128.pow(digits.len() as u32);
    u64::try_from(u128::from(value) * u128::from(scale) / divisor).expect("a fraction of a unit is less than the unit")
}
