//! The path of a request as it is routed and sent on: escaped as Go would, normalised, without dot segments.
//!
//! What must hold: whatever a rule sees is what the server gets, so a request that means one thing to us and another to
//! the server cannot be made. Paths that are already clean, nearly all of them, are not copied.

use std::borrow::Cow;

/// Why a path is refused; the answer is 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadPath {
    /// It holds a `#`: a fragment, which no client may send.
    Fragment,
    /// A `%` is not followed by two hexadecimal digits.
    Escape,
}

/// Cleans an escaped path. `sanitize`: dot segments and doubled slashes are resolved too.
pub(crate) fn clean(raw: &str, sanitize: bool) -> Result<Cow<'_, str>, BadPath> {
    let mut simple = true;
    let mut last = 0;
    for &byte in raw.as_bytes() {
        match byte {
            b'#' => return Err(BadPath::Fragment),
            b'.' | b'/' => simple &= !sanitize || last != b'/',
            _ => simple &= PLAIN[byte as usize],
        }
        last = byte;
    }
    if simple && raw.starts_with('/') {
        return Ok(Cow::Borrowed(raw));
    }
    let normal = normalize(raw)?;
    Ok(if sanitize { Cow::Owned(resolve(&normal)) } else { Cow::Owned(normal) })
}

/// Bytes that stand for themselves in a path and need no second look.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        plain[byte] = (byte as u8).is_ascii_alphanumeric() || is_one_of(byte as u8, b"-_~!$&'()*+,;=:@[]");
        byte += 1;
    }
    plain
};

const fn is_one_of(byte: u8, set: &[u8]) -> bool {
    let mut at = 0;
    while at < set.len() {
        if set[at] == byte {
            return true;
        }
        at += 1;
    }
    false
}

/// Escapes in upper case, and only where they are needed. A path with a byte that no path may hold is decoded and
/// escaped anew as a whole: that is what Go makes of it, so `/a%2Fb|c` is `/a/b%7Cc` for rules and servers alike.
fn normalize(raw: &str) -> Result<String, BadPath> {
    let foreign = raw.bytes().any(|byte| !PLAIN[byte as usize] && !matches!(byte, b'.' | b'/' | b'%'));
    let mut normal = String::with_capacity(raw.len() + 8);
    let bytes = raw.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let (value, escaped) = if byte == b'%' {
            let digit = |at: usize| bytes.get(at).and_then(|digit| char::from(*digit).to_digit(16));
            let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) else { return Err(BadPath::Escape) };
            at += 3;
            ((high << 4 | low) as u8, true)
        } else {
            at += 1;
            (byte, false)
        };
        let unreserved = value.is_ascii_alphanumeric() || b"-._~".contains(&value);
        let stays = unreserved || if foreign { b"$&+,/:;=@".contains(&value) } else { !escaped };
        if stays {
            normal.push(char::from(value));
        } else {
            push_escape(&mut normal, value);
        }
    }
    Ok(normal)
}

fn push_escape(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// Removes `.`, `..` and empty segments; a trailing slash stays if it was written.
fn resolve(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let mut resolved = String::with_capacity(path.len() + 1);
    for segment in &kept {
        resolved.push('/');
        resolved.push_str(segment);
    }
    if resolved.is_empty() || path.ends_with('/') {
        resolved.push('/');
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, sanitize: bool, expected: &str) {
        assert_eq!(clean(raw, sanitize).as_deref(), Ok(expected));
    }

    #[test]
    fn dot_segments_and_doubled_slashes_go() {
        check("/a/../b/x", true, "/b/x");
        check("/a//b/./c/", true, "/a/b/c/");
        check("//a", true, "/a");
        check("/a/b/..", true, "/a");
        check("/../../a", true, "/a");
        check("/..", true, "/");
        check("/a/%2e%2E/b", true, "/b");
        check("/a/..%2Fb", true, "/a/..%2Fb");
        check("/.well-known/x", true, "/.well-known/x");
    }

    #[test]
    fn they_stay_when_asked() {
        check("/a/../b//c", false, "/a/../b//c");
        check("/a/%2e%2e/b", false, "/a/../b");
    }

    #[test]
    fn escapes_are_brought_into_one_form() {
        check("/a%2fb", true, "/a%2Fb");
        check("/%61%7e", true, "/a~");
        check("/a%20b%C3%a9", true, "/a%20b%C3%A9");
        check("/a b|c", true, "/a%20b%7Cc");
        check("/a%2Fb|c!", true, "/a/b%7Cc%21");
        check("/caf\u{e9}", true, "/caf%C3%A9");
    }

    #[test]
    fn a_clean_path_is_not_copied() {
        for path in ["/", "/a/b.c/d-e_f~", "/a;b=1,2/@x:y", "/!$&'()*+"] {
            assert!(matches!(clean(path, true), Ok(Cow::Borrowed(same)) if same == path), "{path}");
        }
    }

    #[test]
    fn fragments_and_broken_escapes_are_refused() {
        assert_eq!(clean("/a#b", true), Err(BadPath::Fragment));
        for path in ["/%", "/%2", "/%zz", "/a%4"] {
            assert_eq!(clean(path, true), Err(BadPath::Escape), "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn cleaning_twice_changes_nothing_more(raw in "/[a-c./%25eEfF|!;\\[ é]{0,24}") {
            for sanitize in [true, false] {
                let Ok(once) = clean(&raw, sanitize) else { continue };
                let twice = clean(&once, sanitize);
                proptest::prop_assert_eq!(twice.as_deref(), Ok(&*once));
                proptest::prop_assert!(once.starts_with('/') && once.is_ascii());
                if sanitize {
                    let segments: Vec<_> = once[1..].split('/').collect();
                    let (_, inner) = segments.split_last().expect("splitting yields at least one");
                    proptest::prop_assert!(inner.iter().all(|segment| !["", ".", ".."].contains(segment)), "{}", once);
                    proptest::prop_assert!(![".", ".."].contains(segments.last().expect("as above")), "{}", once);
                }
            }
        }
    }
}
