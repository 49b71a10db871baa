//! Texts that stand in JSON as they are, eight bytes at a time.

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES << 7;

/// Whether a text is ASCII without control characters, quotes and backslashes: nothing of it needs to be escaped.
pub(super) fn is_plain(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<8>() else { return text.iter().all(|byte| odd(u64::from(*byte) * ONES) == 0) };
    let (chunks, _) = text.as_chunks::<8>();
    let all = chunks.iter().fold(odd(u64::from_ne_bytes(*last)), |all, chunk| all | odd(u64::from_ne_bytes(*chunk)));
    all == 0
}

/// Zero if none of the eight bytes is odd.
fn odd(bytes: u64) -> u64 {
    let is = |byte: u8| {
        let same = bytes ^ (ONES * u64::from(byte));
        same.wrapping_sub(ONES) & !same
    };
    let is_control = bytes.wrapping_sub(ONES * 0x20) & !bytes;
    (bytes | is_control | is(b'"') | is(b'\\')) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_judged_as_the_library_does() {
        for length in 1..20 {
            for place in 0..length {
                for byte in 0..=255 {
                    let mut text = vec![b'~'; length];
                    text[place] = byte;
                    let is_ascii = byte.is_ascii();
                    let same = is_ascii
                        && serde_json::to_string(std::str::from_utf8(&text).unwrap()).unwrap().len() == length + 2;
                    assert_eq!(is_plain(&text), same, "{text:?}");
                }
            }
        }
        assert!(is_plain(b""));
    }
}
