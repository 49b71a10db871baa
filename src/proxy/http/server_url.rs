//! [`ServerUrl`]: the URL of a server, taken apart once.

use std::net::IpAddr;

use bytes::Bytes;

use crate::BuildError;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Http,
    /// HTTP/2 without TLS, by prior knowledge.
    H2c,
    Https,
    /// Anything else: requests are answered with an error.
    Unknown,
}

impl Scheme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::H2c => "h2c",
            Self::Https => "https",
            Self::Unknown => "unknown",
        }
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    pub(crate) scheme: Scheme,
    /// Without brackets.
    pub(crate) host: Box<str>,
    /// Set when the host is an address.
    pub(crate) ip: Option<IpAddr>,
    pub(crate) port: u16,
    /// `host:port` as written: what the server gets as Host when the client's is not passed.
    pub(crate) authority: Bytes,
    /// Escaped, without query; empty when there was none.
    pub(crate) path: Box<str>,
}

impl ServerUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, BuildError> {
        let bad = |problem: &str| BuildError::BadUrl { url: url.to_owned(), problem: problem.to_owned() };
        if url.bytes().any(|byte| byte < 0x21 || byte == 0x7f) {
            return Err(bad("it holds a space or a control character"));
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            // For Go this is a URL, if one that leads nowhere, unless it begins like an address.
            let begins_with_letter = url.starts_with(|letter: char| letter.is_ascii_alphabetic());
            let has_colon = url.split('/').next().is_some_and(|segment| segment.contains(':'));
            if has_colon && !begins_with_letter {
                return Err(bad("expected scheme://host:port"));
            }
            return Ok(Self::leading_nowhere());
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            "h2c" => Scheme::H2c,
            "" => return Err(bad("missing protocol scheme")),
            _ => Scheme::Unknown,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let authority = authority.rsplit_once('@').map_or(authority, |(_, authority)| authority);
        let (host, port) = split_port(authority).ok_or_else(|| bad("malformed host or port"))?;
        let port = match (port, scheme) {
            (Some(port), _) => port,
            (None, Scheme::Https) => 443,
            (None, _) => 80,
        };
        let path = &path[..path.find(['?', '#']).unwrap_or(path.len())];
        let mut escapes = path.split('%').skip(1);
        if !escapes.all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|digit| digit.is_ascii_hexdigit())) {
            return Err(bad("broken escape in the path"));
        }
        Ok(Self {
            scheme,
            host: host.into(),
            ip: host.parse().ok(),
            port,
            authority: Bytes::copy_from_slice(authority.as_bytes()),
            path: path.into(),
        })
    }

    fn leading_nowhere() -> Self {
        let (host, path) = (Box::default(), Box::default());
        Self { scheme: Scheme::Unknown, host, ip: None, port: 0, authority: Bytes::new(), path }
    }

    /// The path of a request put behind the one of the URL.
    pub(crate) fn join(&self, path: &str) -> String {
        let base = match (self.path.ends_with('/'), path.starts_with('/')) {
            (true, true) => &self.path[..self.path.len() - 1],
            (false, false) => return format!("{}/{path}", self.path),
            _ => &self.path,
        };
        format!("{base}{path}")
    }
}

/// The host without brackets, and the port if there is one.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        match rest.strip_prefix(':') {
            Some(port) => (host, port),
            None if rest.is_empty() => (host, ""),
            None => return None,
        }
    } else {
        match authority.split_once(':') {
            Some((_, port)) if port.contains(':') => return None,
            Some((host, port)) => (host, port),
            None => (authority, ""),
        }
    };
    if port.is_empty() {
        return Some((host, None));
    }
    port.bytes().all(|digit| digit.is_ascii_digit()).then_some(())?;
    // A port that cannot be is one at which nobody can be reached.
    Some((host, Some(port.parse().unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<(Scheme, &str, u16, &str, &str)>) {
        let url = ServerUrl::parse(url).ok();
        let parts = url
            .as_ref()
            .map(|url| (url.scheme, &*url.host, url.port, std::str::from_utf8(&url.authority).unwrap(), &*url.path));
        assert_eq!(parts, expected);
    }

    #[test]
    fn parts() {
        check("http://a", Some((Scheme::Http, "a", 80, "a", "")));
        check("HTTPS://a.test/b%2Fc?d=e", Some((Scheme::Https, "a.test", 443, "a.test", "/b%2Fc")));
        check("h2c://127.0.0.1:5000/", Some((Scheme::H2c, "127.0.0.1", 5000, "127.0.0.1:5000", "/")));
        check("http://u:p@[::1]:81", Some((Scheme::Http, "::1", 81, "[::1]:81", "")));
        check("ftp://a:", Some((Scheme::Unknown, "a", 80, "a:", "")));
        check("http://my_app:80", Some((Scheme::Http, "my_app", 80, "my_app:80", "")));
    }

    #[test]
    fn leading_nowhere() {
        for url in ["", "localhost:80", "host", "/a:b", "//a"] {
            check(url, Some((Scheme::Unknown, "", 0, "", "")));
        }
        check("http://a:70000", Some((Scheme::Http, "a", 0, "a:70000", "")));
    }

    #[test]
    fn refused() {
        for url in ["127.0.0.1:80", "://a", "http://a:b", "http://a b", "http://[::1", "http://a/%zz"] {
            check(url, None);
        }
    }

    #[test]
    fn joined_paths() {
        let join = |base: &str, path: &str| ServerUrl::parse(&format!("http://a{base}")).unwrap().join(path);
        assert_eq!(join("/base", "/k/"), "/base/k/");
        assert_eq!(join("/base/", "/k"), "/base/k");
        assert_eq!(join("", "/k"), "/k");
        assert_eq!(join("/base", "*"), "/base/*");
    }
}
