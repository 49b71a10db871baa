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
