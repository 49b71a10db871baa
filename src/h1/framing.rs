//! How a body's end is found.

/// The framing of one message's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    Empty,
    /// So many bytes, at least one.
    Length(u64),
    Chunked,
    /// Until the peer closes; answers only.
    UntilClose,
}

impl Framing {
    pub(crate) fn of_length(length: u64) -> Self {
        if length == 0 { Self::Empty } else { Self::Length(length) }
    }
}

/// The `Content-Length` lines of one head: all the same, and a number, or the head is refused.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lengths<'b> {
    first: Option<&'b [u8]>,
    broken: bool,
}

impl<'b> Lengths<'b> {
    pub(crate) fn read(&mut self, value: &'b [u8]) {
        match self.first {
            None => self.first = Some(value),
            Some(first) => self.broken |= first != value,
        }
    }

    /// The length, if there was one; an error when lines contradict each other or are not plain numbers below 2^63.
    pub(crate) fn settle(self) -> Result<Option<u64>, ()> {
        let Some(text) = self.first else { return Ok(None) };
        if self.broken {
            return Err(());
        }
        parse_length(text).map(Some).ok_or(())
    }
}

/// Digits only: no sign, no blank, no list.
pub(crate) fn parse_length(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut length: u64 = 0;
    for byte in text {
        if !byte.is_ascii_digit() {
            return None;
        }
        length = length.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
    }
    i64::try_from(length).ok().map(|_| length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expected: Result<Option<u64>, ()>) {
        let mut lengths = Lengths::default();
        for line in lines {
            lengths.read(line.as_bytes());
        }
        assert_eq!(lengths.settle(), expected, "{lines:?}");
    }

    #[test]
    fn lengths() {
        check(&[], Ok(None));
        check(&["0"], Ok(Some(0)));
        check(&["03"], Ok(Some(3)));
        check(&["3", "3"], Ok(Some(3)));
        check(&["9223372036854775807"], Ok(Some(i64::MAX as u64)));
        for broken in ["", "+3", "-1", "3, 3", "0x3", "3 ", "9223372036854775808", "99999999999999999999"] {
            check(&[broken], Err(()));
        }
        check(&["3", "4"], Err(()));
        check(&["0", "00"], Err(()));
    }
}
