//! What a client calls the host, brought into the one form at which rules look.

pub(crate) mod expression;
pub(crate) mod index;

use std::borrow::Cow;

/// Lower-case, without port and without the brackets of an IPv6 literal.
pub type CanonicalHost<'a> = Cow<'a, str>;

/// The header has a byte that no host may have. The answer to such a request is 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host has a byte ({byte:#04x}) that a host cannot have")]
pub struct InvalidHost {
    pub byte: u8,
}

/// The canonical form of a `Host` header or an `:authority`.
///
/// A port is dropped when there is exactly one colon behind the name or the brackets; what has colons otherwise is taken
/// as a whole, as it came. A trailing dot stays. Allocates only where a letter must be lowered.
pub fn canonical_host(raw: &[u8]) -> Result<CanonicalHost<'_>, InvalidHost> {
    if let Some(&byte) = raw.iter().find(|byte| !is_allowed(**byte)) {
        return Err(InvalidHost { byte });
    }
    let text = std::str::from_utf8(raw).map_err(|error| InvalidHost { byte: raw[error.valid_up_to()] })?;
    let name = without_port(text);
    Ok(if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    })
}

/// The bytes of names, addresses and ports, and the sub-delimiters of RFC 3986, which Go lets pass too.
fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=[]_~".contains(&byte)
}

fn without_port(text: &str) -> &str {
    let Some(colon) = text.rfind(':') else { return text };
    if let Some(inner) = text.strip_prefix('[') {
        let Some(end) = inner.find(']') else { return text };
        let rest = &inner[end + 1..];
        let literal = &inner[..end];
        let has_stray_bracket = literal.contains('[') || rest.contains(['[', ']']);
        return match rest.strip_prefix(':') {
            Some(port) if !port.contains(':') && !has_stray_bracket => literal,
            // `[…]` as a whole loses its brackets, even where what is inside is odd.
            _ if text.ends_with(']') => &text[1..text.len() - 1],
            _ => text,
        };
    }
    let name = &text[..colon];
    if name.contains([':', '[', ']']) || text[colon..].contains(['[', ']']) { text } else { name }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{InvalidHost, canonical_host};

    #[track_caller]
    fn check(raw: &str, expected: &str) {
        assert_eq!(canonical_host(raw.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn ports_and_brackets_go() {
        check("a.example", "a.example");
        check("A.Example:80", "a.example");
        check("a:", "a");
        check(":80", "");
        check("", "");
        check("[::1]", "::1");
        check("[::1]:443", "::1");
        check("[FE80::1%25eth0]:80", "fe80::1%25eth0");
    }

    #[test]
    fn what_has_no_port_stays_as_it_came() {
        check("::1", "::1");
        check("a:b:c", "a:b:c");
        check("a.example.", "a.example.");
        check("a]:80", "a]:80");
        check("[a", "[a");
        check("[a:80", "[a:80");
        check("[a]b:80", "[a]b:80");
        check("[a:]b]", "a:]b");
        check("[a]", "[a]");
        check("a:[]", "a:[]");
    }

    #[test]
    fn only_the_bytes_of_hosts_pass() {
        for (raw, byte) in [("a b", b' '), ("a/b", b'/'), ("a@b", b'@'), ("a\"", b'"'), ("é", 0xc3)] {
            assert_eq!(canonical_host(raw.as_bytes()), Err(InvalidHost { byte }));
        }
    }

    #[test]
    fn nothing_is_allocated_without_need() {
        assert!(matches!(canonical_host(b"a.example:80"), Ok(Cow::Borrowed("a.example"))));
    }
}
