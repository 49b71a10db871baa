//! Header names as Go writes them: `x-lower` becomes `X-Lower`.

/// What a name is to the writer.
enum Kind {
    Canonical,
    /// A token in another case.
    Other,
    /// Not a name at all.
    Broken,
}

const TOKEN: u8 = 1;
const UPPER: u8 = 2;
const LOWER: u8 = 4;

static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let this = byte as u8;
        if this.is_ascii_uppercase() {
            table[byte] = TOKEN | UPPER;
        } else if this.is_ascii_lowercase() {
            table[byte] = TOKEN | LOWER;
        } else if this.is_ascii_digit()
            || matches!(
                this,
                b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
            )
        {
            table[byte] = TOKEN;
        }
        byte += 1;
    }
    table
};

fn kind(name: &[u8]) -> Kind {
    if name.is_empty() {
        return Kind::Broken;
    }
    // A letter after a hyphen (or first) is a capital, any other is not.
    let (mut wrong, mut all, mut unwanted) = (0, TOKEN, LOWER);
    for byte in name {
        let class = CLASS[*byte as usize];
        all &= class;
        wrong |= class & unwanted;
        unwanted = if *byte == b'-' { LOWER } else { UPPER };
    }
    match (all, wrong) {
        (0, _) => Kind::Broken,
        (_, 0) => Kind::Canonical,
        _ => Kind::Other,
    }
}

/// Appends the name, in canonical case if so wished. Says no, and appends nothing, when it is not a name.
#[must_use]
pub(crate) fn push_name(out: &mut Vec<u8>, name: &[u8], canonical: bool) -> bool {
    match kind(name) {
        Kind::Broken => return false,
        Kind::Other if canonical => {
            let mut is_first = true;
            for byte in name {
                out.push(if is_first { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() });
                is_first = *byte == b'-';
            }
        }
        _ => out.extend_from_slice(name),
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
