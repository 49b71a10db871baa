//! A request path as Traefik's middlewares change it: decoded, with the escaped form beside it.
//!
//! Rewriting works on the decoded path and keeps the client's own escaping where it still says the same; this decides
//! which bytes a back end sees after a rewrite, so the rules are those of Go's `net/url`.

use trafficcop_exchange::Target;

/// A decoded path and, if it differs from the standard escaping, the escaped form it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GoPath {
    pub(crate) path: Vec<u8>,
    pub(crate) raw: Option<String>,
}

impl GoPath {
    pub(crate) fn of(target: &Target) -> Self {
        Self::parse(target.path())
    }

    /// A broken escape counts as text: the entry point has refused it long before.
    pub(crate) fn parse(escaped: &str) -> Self {
        let path = unescape(escaped.as_bytes());
        let raw = (escape(&path) != escaped).then(|| escaped.to_owned());
        Self { path, raw }
    }

    /// The form that is sent: the kept one if it still stands for the path, else the standard one.
    pub(crate) fn escaped(&self) -> String {
        match &self.raw {
            Some(raw) if is_valid_escaped(raw) && unescape(raw.as_bytes()) == self.path => raw.clone(),
            _ => escape(&self.path),
        }
    }

    /// Puts the path into the target, with the slash it must begin with.
    pub(crate) fn store(&self, target: &mut Target) {
        let escaped = self.escaped();
        target.set_path(if escaped.is_empty() { "/".to_owned() } else { escaped });
    }

    /// Cleaning would change it: it holds `.` or `..` segments or empty ones. Such a path, uncovered by a rewrite, leads
    /// past the rules that looked at the path before.
    pub(crate) fn is_unsafe(&self) -> bool {
        is_unsafe(&self.path)
    }
}

/// See [`GoPath::is_unsafe`].
pub(crate) fn is_unsafe(path: &[u8]) -> bool {
    let inner = path.strip_prefix(b"/").unwrap_or(path);
    let mut segments = inner.split(|byte| *byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if segment == b"." || segment == b".." || (segment.is_empty() && !last) {
            return true;
        }
    }
    false
}

/// Whether an escaped path is the same decoded, and in the standard escaping.
pub(crate) fn is_plain(escaped: &[u8]) -> bool {
    escaped.iter().all(|byte| !must_escape(*byte))
}

/// Percent-decodes; what is no escape stays.
pub(crate) fn unescape(text: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(text).collect()
}

/// The standard escaping of a path.
pub(crate) fn escape(path: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut escaped = String::with_capacity(path.len());
    for &byte in path {
        if must_escape(byte) {
            escaped.push('%');
            escaped.push(HEX[usize::from(byte >> 4)] as char);
            escaped.push(HEX[usize::from(byte & 15)] as char);
        } else {
            escaped.push(byte as char);
        }
    }
    escaped
}

fn must_escape(byte: u8) -> bool {
    !(byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'@'))
}

fn is_valid_escaped(raw: &str) -> bool {
    raw.bytes().all(|byte| b"!$&'()*+,;=:@[]%".contains(&byte) || !must_escape(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(escaped: &str, change: impl Fn(&mut GoPath), expected: &str) {
        let mut path = GoPath::parse(escaped);
        change(&mut path);
        assert_eq!(path.escaped(), expected);
    }

    #[test]
    fn keeps_the_clients_escaping() {
        check("/a%2Fb", |_| (), "/a%2Fb");
        check("/a(b)", |_| (), "/a(b)");
        check("/%C3%A9", |_| (), "/%C3%A9");
    }

    #[test]
    fn falls_back_to_the_standard_escaping() {
        check("/a%2Fb", |path| path.path = b"/x y?".to_vec(), "/x%20y%3F");
        check("/a", |path| path.raw = Some("/b".into()), "/a");
    }

    #[test]
    fn finds_paths_that_cleaning_would_change() {
        for (path, expected) in [
            ("/a/../b", true),
            ("/a//b", true),
            ("/./a", true),
            ("/a/b/", false),
            ("/", false),
            ("/..a", false),
            ("/%2e%2e/a", true),
        ] {
            assert_eq!(GoPath::parse(path).is_unsafe(), expected, "{path}");
        }
    }
}
