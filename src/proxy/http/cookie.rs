//! The sticky cookie: read from requests, written once per server when the service is built.

use std::fmt::Write;

use bytes::Bytes;
use trafficcop_balancer::{Candidate, sticky};
use trafficcop_config::dynamic::http::Cookie;
use trafficcop_exchange::{Headers, Response};

/// See the module.
#[derive(Debug)]
pub(crate) struct StickyCookie {
    name: String,
    /// `Set-Cookie` for each candidate.
    lines: Box<[Bytes]>,
}

impl StickyCookie {
    /// `service` is the qualified name, from which an unnamed cookie has its name.
    pub(crate) fn new(settings: &Cookie, service: &str, candidates: &[Candidate]) -> Self {
        let name = sticky::cookie_name(&settings.name, service);
        let attributes = attributes(settings);
        let line = |candidate: &Candidate| format!("{name}={}{attributes}", sticky::value(&candidate.name)).into();
        let lines = candidates.iter().map(line).collect();
        Self { name, lines }
    }

    /// The value that the client carries.
    pub(crate) fn value<'a>(&self, headers: &'a Headers) -> Option<&'a str> {
        headers
            .get_all("cookie")
            .filter_map(|line| std::str::from_utf8(line).ok())
            .flat_map(|line| line.split(';'))
            .find_map(|pair| {
                let (name, value) = pair.trim_matches([' ', '\t']).split_once('=')?;
                let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
                (name.trim_matches([' ', '\t']) == self.name).then_some(value)
            })
    }

    /// Binds the client to that candidate. What the server sets comes after it.
    pub(crate) fn write(&self, index: usize, response: &mut Response) {
        let mut headers = Headers::new();
        headers.push(b"Set-Cookie", &self.lines[index]);
        if response.headers.contains("set-cookie") {
            for (name, value) in response.headers.lines() {
                headers.push(name, value);
            }
            response.headers = headers;
        } else {
            response.headers.push(b"Set-Cookie", &self.lines[index]);
        }
    }
}

/// In the order in which Go writes them; what a cookie cannot hold is left out.
fn attributes(settings: &Cookie) -> String {
    let mut text = String::new();
    let path: String = settings
        .path
        .as_deref()
        .unwrap_or("/")
        .chars()
        .filter(|letter| matches!(letter, ' '..='~') && *letter != ';')
        .collect();
    if !path.is_empty() {
        text.push_str("; Path=");
        text.push_str(&path);
    }
    let domain = settings.domain.strip_prefix('.').unwrap_or(&settings.domain);
    if !domain.is_empty() && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:".contains(&byte)) {
        text.push_str("; Domain=");
        text.push_str(domain);
    }
    if settings.max_age != 0 {
        // Writing to a String cannot fail. A negative age deletes, which is written as zero.
        let _cannot_fail = write!(text, "; Max-Age={}", settings.max_age.max(0));
    }
    if settings.http_only {
        text.push_str("; HttpOnly");
    }
    if settings.secure {
        text.push_str("; Secure");
    }
    text.push_str(match settings.same_site.to_ascii_lowercase().as_str() {
        "none" => "; SameSite=None",
        "lax" => "; SameSite=Lax",
        "strict" => "; SameSite=Strict",
        _ => "",
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use trafficcop_balancer::Status;
    use trafficcop_exchange::StatusCode;

    fn cookie(settings: &Cookie, url: &str) -> StickyCookie {
        StickyCookie::new(settings, "unnamed@file", &[Candidate::new(url, 1.0, false, Status::leaf())])
    }

    #[track_caller]
    fn check(settings: &Cookie, url: &str, expected: &str) {
        let mut response = Response::new(StatusCode::OK);
        cookie(settings, url).write(0, &mut response);
        assert_eq!(response.headers.get_str("set-cookie"), Some(expected));
    }

    #[test]
    fn as_traefik_writes_it() {
        let named = |name: &str| Cookie { name: name.into(), ..Cookie::default() };
        check(&named("lb"), "http://127.0.0.77:9/", "lb=8f8432d0b09ea28b; Path=/");
        check(&named(""), "http://127.0.0.77:9", "_d59b4=38c09d9133d2abac; Path=/");
        let all = Cookie { secure: true, same_site: "none".into(), domain: "a.test".into(), max_age: -1, ..named("s") };
        check(
            &all,
            "http://127.0.0.78:9",
            "s=fa79d02ccca88f63; Path=/; Domain=a.test; Max-Age=0; Secure; SameSite=None",
        );
        let other =
            Cookie { http_only: true, same_site: "Lax".into(), max_age: 60, path: Some("/p".into()), ..named("lb") };
        check(&other, "http://127.0.0.77:9/", "lb=8f8432d0b09ea28b; Path=/p; Max-Age=60; HttpOnly; SameSite=Lax");
    }

    #[track_caller]
    fn check_read(lines: &[&'static str], expected: Option<&str>) {
        let cookie = cookie(&Cookie { name: "lb".into(), ..Cookie::default() }, "http://a");
        let headers = lines.iter().map(|line| ("Cookie", *line)).collect();
        assert_eq!(cookie.value(&headers), expected);
    }

    #[test]
    fn is_found_among_others() {
        check_read(&["lb=1"], Some("1"));
        check_read(&["a=b; xlb=2;lb=3", "lb=4"], Some("3"));
        check_read(&["a=b", "c; lb=\"5\""], Some("5"));
        check_read(&["LB=1", "lbx=2"], None);
        check_read(&[], None);
    }

    #[test]
    fn comes_before_what_the_server_sets() {
        let mut response = Response::new(StatusCode::OK);
        response.headers = [("A", "1"), ("set-cookie", "x=y")].into_iter().collect();
        cookie(&Cookie { name: "lb".into(), ..Cookie::default() }, "http://a").write(0, &mut response);
        let set: Vec<_> = response.headers.get_all("set-cookie").collect();
        assert!(set[0].starts_with(b"lb="));
        assert_eq!(set[1], b"x=y");
        assert_eq!(response.headers.get("a"), Some(&b"1"[..]));
    }
}
