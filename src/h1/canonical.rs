//! Header names as Go writes them: `x-lower` becomes `X-Lower`.

/// Inside a word: the next letter is a small one. Else it is a capital.
const INSIDE: u8 = 1;
/// A letter of the wrong case.
const OTHER: u8 = 2;
/// No part of a name at all.
const BROKEN: u8 = 4;

/// What a byte is, at the beginning of a word and inside of one; and whether the next one is inside.
static STEPS: [[u8; 256]; 2] = {
    let mut steps = [[BROKEN; 256]; 2];
    let mut byte = 0;
    while byte < 128 {
        let this = byte as u8;
        let is_token = this.is_ascii_alphanumeric()
            || matches!(
                this,
                b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            );
        if is_token {
            let next = if this == b'-' { 0 } else { INSIDE };
            steps[0][byte] = next | if this.is_ascii_lowercase() { OTHER } else { 0 };
            steps[1][byte] = next | if this.is_ascii_uppercase() { OTHER } else { 0 };
        }
        byte += 1;
    }
    steps
};

/// Appends the name, in canonical case if so wished. Says no, and appends nothing, when it is not a name.
#[must_use]
pub(crate) fn push_name(out: &mut Vec<u8>, name: &[u8], canonical: bool) -> bool {
    let (mut seen, mut step) = (0, 0);
    for byte in name {
        step = STEPS[usize::from(step & INSIDE)][usize::from(*byte)];
        seen |= step;
    }
    if name.is_empty() || seen & BROKEN != 0 {
        return false;
    }
    if seen & OTHER == 0 || !canonical {
        out.extend_from_slice(name);
        return true;
    }
    let mut is_first = true;
    for byte in name {
        out.push(if is_first { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() });
        is_first = *byte == b'-';
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<&str>) {
        let mut out = Vec::new();
        let is_name = push_name(&mut out, name.as_bytes(), true);
        assert_eq!(is_name.then(|| String::from_utf8(out).unwrap()).as_deref(), expected);
        let mut out = Vec::new();
        assert_eq!(push_name(&mut out, name.as_bytes(), false).then_some(out), expected.map(|_| name.into()));
    }

    #[test]
    fn known_names_are_canonical() {
        for known in trafficcop_exchange::KnownName::all() {
            let name = std::str::from_utf8(known.as_bytes()).unwrap();
            check(name, Some(name));
        }
    }

    #[test]
    fn names() {
        check("x-lower", Some("X-Lower"));
        check("X-Lower", Some("X-Lower"));
        check("x-UPPER-lower", Some("X-Upper-Lower"));
        check("etag", Some("Etag"));
        check("ETag", Some("Etag"));
        check("WWW-authenticate", Some("Www-Authenticate"));
        check("X_Y", Some("X_y"));
        check("X-!#$", Some("X-!#$"));
        check("x--9a-b", Some("X--9a-B"));
        check("", None);
        check("a b", None);
        check("a:b", None);
        check("a\r\nb", None);
        check("é", None);
    }
}
