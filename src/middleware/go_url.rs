//! URLs as Go's `net/url` reads and writes them: what Traefik does to the address of a redirection.

use std::fmt::Write as _;

/// Where in a URL a text stands, which decides what may stand there as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    User,
    Host,
    Path,
    Fragment,
}

/// The URL as Go would write it after reading it. None: Go would not read it.
pub(crate) fn normalized(url: &str) -> Option<String> {
    if url.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return None;
    }
    let (rest, fragment) = url.split_once('#').map_or((url, ""), |(rest, fragment)| (rest, fragment));
    let (scheme, rest) = scheme(rest)?;
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let mut out = String::with_capacity(url.len());
    if let Some(scheme) = scheme {
        out.push_str(&scheme.to_ascii_lowercase());
        out.push(':');
    }
    if !rest.starts_with('/') && scheme.is_some() {
        // What has no path is kept as it is.
        out.push_str(rest);
    } else {
        let is_first_with_colon = rest.split('/').next().is_some_and(|first| first.contains(':'));
        if !rest.starts_with('/') && is_first_with_colon {
            return None;
        }
        let has_authority = rest.starts_with("//") && (scheme.is_some() || !rest.starts_with("///"));
        let (authority, path) = match rest.strip_prefix("//").filter(|_| has_authority) {
            Some(after) => after.split_at(after.find('/').unwrap_or(after.len())),
            None => ("", rest),
        };
        let authority = written_authority(authority)?;
        if has_authority && (!authority.is_empty() || scheme.is_some()) {
            out.push_str("//");
        }
        out.push_str(&authority);
        out.push_str(&written(path, Part::Path)?);
    }
    if let Some(query) = query {
        out.push('?');
        out.push_str(query);
    }
    if !fragment.is_empty() {
        out.push('#');
        out.push_str(&written(fragment, Part::Fragment)?);
    }
    Some(out)
}

/// `https://a` → `https` and `//a`. None: it begins with a colon.
fn scheme(url: &str) -> Option<(Option<&str>, &str)> {
    for (at, byte) in url.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return None,
            b':' => return Some((Some(&url[..at]), &url[at + 1..])),
            _ => return Some((None, url)),
        }
    }
    Some((None, url))
}

fn written_authority(authority: &str) -> Option<String> {
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let mut out = String::new();
    if let Some(user) = user {
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
        if !user.bytes().all(is_valid) {
            return None;
        }
        for (index, part) in user.splitn(2, ':').enumerate() {
            if index > 0 {
                out.push(':');
            }
            escape(&unescape(part, Part::User)?, Part::User, &mut out);
        }
        out.push('@');
    }
    let port = match host.strip_prefix('[') {
        Some(after) => after.split_once(']')?.1,
        None => host.rfind(':').map_or("", |at| &host[at..]),
    };
    let is_port =
        |port: &str| port.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    if !port.is_empty() && !is_port(port) {
        return None;
    }
    escape(&unescape(host, Part::Host)?, Part::Host, &mut out);
    Some(out)
}

/// As it is, if it may stand there; else decoded and encoded again.
fn written(text: &str, part: Part) -> Option<String> {
    let decoded = unescape(text, part)?;
    let may_stand = |byte: u8| b"!$&'()*+,;=:@[]%".contains(&byte) || !must_be_escaped(byte, part);
    if text.bytes().all(may_stand) {
        return Some(text.to_owned());
    }
    let mut out = String::with_capacity(text.len() + 8);
    escape(&decoded, part, &mut out);
    Some(out)
}

fn unescape(text: &str, part: Part) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == b'%' {
            let digits = std::str::from_utf8(bytes.get(at + 1..at + 3)?).ok()?;
            let value = digits
                .bytes()
                .all(|digit| digit.is_ascii_hexdigit())
                .then(|| u8::from_str_radix(digits, 16).ok())??;
            // A host may hold encoded bytes beyond ASCII only.
            if part == Part::Host && value < 0x80 {
                return None;
            }
            out.push(value);
            at += 3;
        } else {
            if part == Part::Host && byte < 0x80 && must_be_escaped(byte, part) {
                return None;
            }
            out.push(byte);
            at += 1;
        }
    }
    Some(out)
}

fn escape(bytes: &[u8], part: Part, out: &mut String) {
    for byte in bytes {
        if must_be_escaped(*byte, part) {
            let _text_takes_all = write!(out, "%{byte:02X}");
        } else {
            out.push(char::from(*byte));
        }
    }
}

fn must_be_escaped(byte: u8, part: Part) -> bool {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => false,
        _ if part == Part::Host && b"!$&'()*+,;=:[]<>\"".contains(&byte) => false,
        b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@' => match part {
            Part::User => b"@/?:".contains(&byte),
            Part::Path => byte == b'?',
            Part::Fragment => false,
            Part::Host => true,
        },
        b'!' | b'(' | b')' | b'*' if part == Part::Fragment => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<&str>) {
        assert_eq!(normalized(url).as_deref(), expected, "{url}");
    }

    #[test]
    fn what_go_writes() {
        check("https://a.test/x%2Fy?q=%zz#f", Some("https://a.test/x%2Fy?q=%zz#f"));
        check("HTTP://A.test:80", Some("http://A.test:80"));
        check("http://z/a%20b%2Fc ü", Some("http://z/a%20b/c%20%C3%BC"));
        check("http://u%20:p@h/", Some("http://u%20:p@h/"));
        check("/only/path?x=ü", Some("/only/path?x=ü"));
        check("//host/p", Some("//host/p"));
        check("mailto:a@b", Some("mailto:a@b"));
        check("http://[::1]:80/s", Some("http://[::1]:80/s"));
        check("", Some(""));
    }

    #[test]
    fn what_go_refuses() {
        for bad in ["http://a/%zz", "ht tp://%zz", ":x", "http://a b/", "http://h:x/", "http://[::1/", "a\nb"] {
            check(bad, None);
        }
    }
}
