//! The path at which rules look: percent-escapes of characters that mean nothing special are resolved, the others stay.

use std::borrow::Cow;

/// A `%` in a path is not followed by two hexadecimal digits. The answer to such a request is 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path has an invalid percent-escape at byte {at}")]
pub struct InvalidEscape {
    /// Offset in bytes of the `%`.
    pub at: usize,
}

/// The routing path of an escaped path.
///
/// Escapes of the reserved characters ``:/?#[]@!$&'()*+,;=`` and of `%` stay, with upper-case digits; every other escape is
/// resolved. Bytes that then are not UTF-8 become U+FFFD, one for each byte: that is
/// what a Go regular expression sees, and no rule can name them otherwise.
pub fn routing_path(escaped: &str) -> Result<Cow<'_, str>, InvalidEscape> {
    let Some(first) = memchr::memchr(b'%', escaped.as_bytes()) else { return Ok(Cow::Borrowed(escaped)) };
    let bytes = escaped.as_bytes();
    let mut path = Vec::with_capacity(bytes.len());
    path.extend_from_slice(&bytes[..first]);
    let mut at = first;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'%' {
            path.push(byte);
            at += 1;
            continue;
        }
        let escape = bytes.get(at..at + 3).ok_or(InvalidEscape { at })?;
        let value = hex(escape[1]).zip(hex(escape[2])).map(|(high, low)| high << 4 | low);
        let value = value.ok_or(InvalidEscape { at })?;
        if is_reserved(value) {
            path.extend(escape.iter().map(u8::to_ascii_uppercase));
        } else {
            path.push(value);
        }
        at += 3;
    }
    Ok(Cow::Owned(lossy(path)))
}

/// UTF-8 of the bytes, with one U+FFFD for each byte that is none.
pub(crate) fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let mut text = String::with_capacity(error.as_bytes().len() + 8);
        for chunk in error.as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
        }
        text
    })
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

fn is_reserved(byte: u8) -> bool {
    b":/?#[]@!$&'()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{InvalidEscape, routing_path};

    #[track_caller]
    fn check(escaped: &str, expected: &str) {
        assert_eq!(routing_path(escaped).unwrap(), expected);
    }

    #[test]
    fn reserved_characters_stay_escaped() {
        check("/a%2fb%2F", "/a%2Fb%2F");
        check(
            "/%3A%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25",
            "/%3A%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%25",
        );
    }

    #[test]
    fn everything_else_is_resolved() {
        check("/%61%20%7E%5C%22", "/a ~\\\"");
        check("/caf%C3%A9", "/café");
        check("/%FF%C3x", "/\u{fffd}\u{fffd}x");
        assert!(matches!(routing_path("/plain"), Ok(Cow::Borrowed("/plain"))));
    }

    #[test]
    fn broken_escapes_are_refused() {
        for (escaped, at) in [("/%", 1), ("/a%4", 2), ("/%zz", 1), ("/%61%4", 4)] {
            assert_eq!(routing_path(escaped), Err(InvalidEscape { at }));
        }
    }
}
