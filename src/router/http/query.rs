//! The query of a request, read as Go reads it: pairs between `&`; a pair with a semicolon or a broken escape does not
//! count.

use crate::path::lossy;
use crate::pattern::Pattern;

/// How many bytes of a decoded value find room without an allocation.
const ROOM: usize = 256;

/// The pairs of a query, still escaped.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.contains(';'))
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(key, value)| bytes(key).all(|byte| byte.is_some()) && bytes(value).all(|byte| byte.is_some()))
}

/// The values of a key, still escaped.
pub(super) fn values<'a>(query: Option<&'a str>, key: &'a str) -> impl Iterator<Item = &'a str> {
    pairs(query.unwrap_or_default()).filter(move |(name, _)| is(name, key)).map(|(_, value)| value)
}

/// Whether the escaped text says this.
pub(super) fn is(escaped: &str, text: &str) -> bool {
    bytes(escaped).eq(text.bytes().map(Some))
}

/// Whether the pattern matches what the escaped text says.
pub(super) fn is_match(escaped: &str, pattern: &Pattern) -> bool {
    if !escaped.contains(['%', '+']) {
        return pattern.is_match(escaped);
    }
    let mut room = [0; ROOM];
    if escaped.len() <= ROOM {
        let mut length = 0;
        for (place, byte) in room.iter_mut().zip(bytes(escaped).flatten()) {
            *place = byte;
            length += 1;
        }
        return pattern.is_match_bytes(&room[..length]);
    }
    pattern.is_match(&lossy(bytes(escaped).flatten().collect()))
}

/// The bytes for which the text stands; `None` for an escape that is broken.
fn bytes(escaped: &str) -> impl Iterator<Item = Option<u8>> {
    let mut rest = escaped.bytes();
    std::iter::from_fn(move || {
        Some(match rest.next()? {
            b'+' => Some(b' '),
            b'%' => digit(rest.next()).zip(digit(rest.next())).map(|(high, low)| high << 4 | low),
            byte => Some(byte),
        })
    })
}

fn digit(byte: Option<u8>) -> Option<u8> {
    char::from(byte?).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::{Pattern, is, is_match, values};

    #[track_caller]
    fn check(query: &str, key: &str, expected: &[&str]) {
        let found: Vec<_> = values(Some(query), key).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn pairs_count_as_in_go() {
        check("a=1&b=2&a=3", "a", &["1", "3"]);
        check("a&a=&=a", "a", &["", ""]);
        check("&&=x", "", &["x"]);
        check("a=1;b=2&a=4", "a", &["4"]);
        check("a=%zz&a=%4&%6&a=5", "a", &["5"]);
        check("%61=1&a+b=2", "a", &["1"]);
        check("%61=1&a+b=2", "a b", &["2"]);
        check("a=b=c", "a", &["b=c"]);
    }

    #[test]
    fn escapes_are_resolved_for_comparing() {
        assert!(is("a%20b+c", "a b c"));
        assert!(!is("a", "ab"));
        assert!(is("%C3%A9", "é"));
    }

    #[test]
    fn patterns_see_resolved_values_of_any_length() {
        let pattern = Pattern::compile("^[a ]+$").unwrap();
        assert!(is_match("a+%61", &pattern));
        assert!(!is_match("a+%62", &pattern));
        assert!(is_match(&"%61+".repeat(200), &pattern));
    }
}
