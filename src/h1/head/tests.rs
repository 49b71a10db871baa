//! What real Traefik was seen to do with these heads.

use std::fmt::Write as _;

use proptest::prelude::*;
use trafficcop_exchange::{Method, StatusCode, Version};

use super::*;
use crate::compose;
use crate::framing::Framing;
use crate::refusal::Refusal;

const LIMITS: Limits = Limits { bytes: 1 << 20, lines: 4096 };

/// A request as one line: method, host, target, headers, what the engine will do.
fn show(head: &RequestHead) -> String {
    let request = &head.request;
    let mut text = format!("{} {} {}", request.method, request.host_str(), request.target.to_uri());
    for (name, value) in request.headers.iter() {
        let _ = write!(text, " {name}={}", String::from_utf8_lossy(value));
    }
    match head.framing {
        Framing::Empty => {}
        framing => {
            let _ = write!(text, " {framing:?}");
        }
    }
    for (flag, name) in [
        (head.wants_close, " close"),
        (head.expects_continue, " continue"),
        (head.expects_nonsense, " nonsense"),
        (head.is_opaque, " opaque"),
    ] {
        text.push_str(if flag { name } else { "" });
    }
    text
}

fn parse(text: &[u8]) -> Result<Option<Box<RequestHead>>, Refusal> {
    parse_request(text, LIMITS)
}

#[track_caller]
fn check(text: &str, expected: Result<&str, Refusal>) {
    let parsed = parse(text.as_bytes());
    let shown = parsed.map(|head| show(&head.expect("the head is whole")));
    assert_eq!(shown.as_deref().map_err(|refusal| *refusal), expected, "{text:?}");
}

/// A request line with a Host behind it.
#[track_caller]
fn line(line: &str, expected: Result<&str, Refusal>) {
    check(&format!("{line}\r\nHost: x\r\n\r\n"), expected);
}

/// Header lines behind a request line with a Host.
#[track_caller]
fn lines(lines: &str, expected: Result<&str, Refusal>) {
    check(&format!("POST / HTTP/1.1\r\nHost: x\r\n{lines}\r\n"), expected);
}

#[test]
fn request_lines() {
    line("GET / HTTP/1.1", Ok("GET x /"));
    line("get / HTTP/1.1", Ok("get x /"));
    line("GET / HTTP/1.2", Ok("GET x /"));
    line("GET / HTTP/1.0", Ok("GET x / close"));
    for version in ["HTTP/0.9", "HTTP/2.0", "HTTP/2.1", "HTTP/3.0"] {
        line(&format!("GET / {version}"), Err(Refusal::Version));
    }
    for broken in [
        "get / http/1.1",
        "GET / HTTP/1.10",
        "GET / HTTP/01.1",
        "GET / HTTP/1",
        "GET / HTTP/1.1 ",
        "GET / x HTTP/1.1",
        "GET\t/ HTTP/1.1",
        " GET / HTTP/1.1",
        "GET /",
        "GET",
        "",
        "\r\n",
        "GET  HTTP/1.1",
        "GET  / HTTP/1.1",
        "G(T / HTTP/1.1",
        "G@T / HTTP/1.1",
        "GET /\u{1} HTTP/1.1",
        "GET /\t HTTP/1.1",
        "GET /\0 HTTP/1.1",
        "GET /\u{7f} HTTP/1.1",
        "GET nopath HTTP/1.1",
        "GET #a HTTP/1.1",
        "GET ?a HTTP/1.1",
        "GET 1http://x/ HTTP/1.1",
        "GET /%zz HTTP/1.1",
        "GET /%2 HTTP/1.1",
        "GET http://h/%zz HTTP/1.1",
        "GET http://[::1/ HTTP/1.1",
        "GET http://a:b/ HTTP/1.1",
        "GET http://a%41/p HTTP/1.1",
        "GET http://a\"b/ HTTP/1.1",
        "GET /a?b c HTTP/1.1",
    ] {
        line(broken, Err(Refusal::Malformed));
    }
}

#[test]
fn targets() {
    for (target, expected) in [
        ("/a?b#c", "x /a?b#c"),
        ("/p#frag", "x /p#frag"),
        ("/a??", "x /a??"),
        ("/a?", "x /a?"),
        ("/a;b?c;d", "x /a;b?c;d"),
        ("//abs.test/p", "x //abs.test/p"),
        ("/%41%2f", "x /%41%2f"),
        ("/a?%zz", "x /a?%zz"),
        ("/é?é", "x /%C3%A9?é"),
        ("/\"<>\\^`{|}", "x /%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("/a?\"<>\\^`{|}", "x /a?\"<>\\^`{|}"),
        ("/a%2fb\"c", "x /a/b%22c"),
        ("/[a]!'()*", "x /[a]!'()*"),
        ("/[a]!'()*\"", "x /%5Ba%5D%21%27%28%29%2A%22"),
        ("/%23#\"", "x /%23#%22"),
        ("*", "x *"),
        ("http://abs.test", "abs.test /"),
        ("http://abs.test?x=1", "abs.test /?x=1"),
        ("HTTP://ABS.test:80/p?q", "ABS.test:80 /p?q"),
        ("ftp://abs.test/p", "abs.test /p"),
        ("http://u:p@abs.test/p", "abs.test /p"),
        ("http://@h/p", "h /p"),
        ("http://a:/p", "a: /p"),
        ("http://[::1]:80/", "[::1]:80 /"),
        ("http:///p", "x /p"),
        ("http:/p", "x /p"),
        ("mailto:x", "x / opaque"),
        ("a:b", "x / opaque"),
    ] {
        line(&format!("GET {target} HTTP/1.1"), Ok(&format!("GET {expected}")));
    }
    line("OPTIONS * HTTP/1.1", Ok("OPTIONS x *"));
    line("CONNECT y:443 HTTP/1.1", Ok("CONNECT y:443 /"));
    line("CONNECT / HTTP/1.1", Ok("CONNECT x /"));
    let head = parse(b"GET /a?\x80b HTTP/1.1\r\nHost: x\r\n\r\n").unwrap().unwrap();
    assert_eq!(head.request.target.to_uri(), "/a?%80b");
}

#[test]
fn hosts() {
    let head = |lines: &str| format!("GET / HTTP/1.1\r\n{lines}\r\n");
    for (lines, expected) in [
        ("Host:\r\n", Ok("GET  /")),
        ("Host: a:80\r\n", Ok("GET a:80 /")),
        ("host:x\r\n", Ok("GET x /")),
        ("HOST:\tx\t\r\n", Ok("GET x /")),
        ("Host: a,b\r\n", Ok("GET a,b /")),
        ("Host: [::1]\r\n", Ok("GET [::1] /")),
        ("Host: a_b\r\n", Ok("GET a_b /")),
        ("", Err(Refusal::MissingHost)),
        ("Host: a\r\nHost: a\r\n", Err(Refusal::Malformed)),
        ("Host: a b\r\n", Err(Refusal::MalformedHost)),
        ("Host: a/b\r\n", Err(Refusal::MalformedHost)),
        ("Host: a@b\r\n", Err(Refusal::MalformedHost)),
        ("Host: \"a\"\r\n", Err(Refusal::MalformedHost)),
        ("Host: é\r\n", Err(Refusal::MalformedHost)),
        ("Host: a\0\r\n", Err(Refusal::Malformed)),
        ("Host: x\r\n X: 1\r\n", Err(Refusal::MalformedHost)),
    ] {
        check(&head(lines), expected);
    }
    check("GET / HTTP/1.0\r\n\r\n", Ok("GET  / close"));
    check("GET http://abs/ HTTP/1.1\r\n\r\n", Err(Refusal::MissingHost));
    check("CONNECT x:1 HTTP/1.1\r\n\r\n", Ok("CONNECT x:1 /"));
}

#[test]
fn header_lines() {
    for (text, expected) in [
        ("X: a\tb\r\n", "X=a\tb"),
        ("X:\r\n", "X="),
        ("X:  padded  \r\n", "X=padded"),
        ("X: é\r\n", "X=é"),
        ("X:a\nY:b\r\n", "X=a Y=b"),
        ("X_Y: 1\r\nX.y: 2\r\nX'y: 3\r\n", "X_Y=1 X.y=2 X'y=3"),
        ("X: a\r\n\tb\r\n  c \r\n", "X=a b c"),
        ("X: a\r\n \r\nY: b\r\n", "X=a Y=b"),
    ] {
        lines(text, Ok(&format!("POST x / {expected}")));
    }
    for broken in [
        ": 1\r\n",
        "X@: 1\r\n",
        "X\t: 1\r\n",
        "é: 1\r\n",
        "X\r\n",
        "X\r\n a: b\r\n",
        "X: a\0b\r\n",
        "X: a\u{1}\r\n",
        "X: \u{7f}\r\n",
        "X: a\rb\r\n",
        "X: a\r\r\n",
        "X:\r a\r\n",
        "X: a\r\n \rb\r\n",
    ] {
        lines(broken, Err(Refusal::Malformed));
    }
    for blank in ["X : 1\r\n", "X Y: 1\r\n", "Content-Length : 3\r\n", "Transfer-Encoding : chunked\r\n"] {
        lines(blank, Err(Refusal::HeaderName));
    }
    check("GET / HTTP/1.1\r\n folded\r\nHost: x\r\n\r\n", Err(Refusal::Malformed));
    check("GET / HTTP/1.1\nHost: x\n\n", Ok("GET x /"));
}

#[test]
fn framing_lines() {
    for (text, expected) in [
        ("Content-Length: 3\r\n", "Content-Length=3 Length(3)"),
        ("Content-Length: 03 \r\n", "Content-Length=03 Length(3)"),
        ("Content-Length: 3\r\nContent-Length: 3\r\n", "Content-Length=3 Content-Length=3 Length(3)"),
        ("Transfer-Encoding: \tChunked\r\n", "Chunked"),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Chunked"),
        ("Transfer_Encoding: chunked\r\n", "Transfer_Encoding=chunked"),
    ] {
        lines(text, Ok(&format!("POST x / {expected}")));
    }
    for broken in ["3, 3", "-1", "+3", "", "0x3", "9223372036854775808"] {
        lines(&format!("Content-Length: {broken}\r\n"), Err(Refusal::Malformed));
        lines(&format!("Transfer-Encoding: chunked\r\nContent-Length: {broken}\r\n"), Err(Refusal::Malformed));
    }
    lines("Content-Length: 3\r\nContent-Length: 4\r\n", Err(Refusal::Malformed));
    for unknown in ["xchunked", "chunked, chunked", "gzip, chunked", "identity", "", "\"chunked\"", "chunked;a=b"] {
        lines(&format!("Transfer-Encoding: {unknown}\r\n"), Err(Refusal::TransferEncoding));
    }
    lines("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", Err(Refusal::TransferEncoding));
    lines("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Err(Refusal::TransferEncoding));
    lines("Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n", Err(Refusal::Malformed));
    check(
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        Ok("POST  / Content-Length=3 Length(3) close"),
    );
    check(
        "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
        Ok("POST  / Connection=keep-alive close"),
    );
    // What Go finds first is told first.
    check("GET / HTTP/2.0\r\nTransfer-Encoding: x\r\n\r\n", Err(Refusal::TransferEncoding));
    check("GET / HTTP/2.0\r\n\r\n", Err(Refusal::Version));
    check("GET / HTTP/1.1\r\nX Y: 1\r\n\r\n", Err(Refusal::MissingHost));
}

#[test]
fn connections_and_expectations() {
    for (version, text, expected) in [
        ("1.1", "Connection: foo, Close\r\n", " Connection=foo, Close close"),
        ("1.1", "Connection: \"close\"\r\n", " Connection=\"close\""),
        ("1.0", "Connection: keep-alive, close\r\n", " Connection=keep-alive, close"),
        ("1.0", "Connection: keep-alive\r\n", " Connection=keep-alive"),
        (
            "1.1",
            "Expect: 100-Continue\r\nContent-Length: 1\r\n",
            " Expect=100-Continue Content-Length=1 Length(1) continue",
        ),
        ("1.1", "Expect: 100-continue\r\n", " Expect=100-continue"),
        ("1.1", "Expect: foo\r\n", " Expect=foo nonsense"),
        ("1.1", "Expect:\r\n", " Expect="),
    ] {
        check(&format!("GET / HTTP/{version}\r\nHost: x\r\n{text}\r\n"), Ok(&format!("GET x /{expected}")));
    }
    let upgrade = |connection: &str| {
        let text = format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\nUpgrade: websocket\r\n\r\n");
        parse(text.as_bytes()).unwrap().unwrap().request.upgrade
    };
    assert_eq!(upgrade("keep-alive, Upgrade").as_deref(), Some(&b"websocket"[..]));
    assert_eq!(upgrade("keep-alive"), None);
}

#[test]
fn limits() {
    let few = Limits { bytes: 100, lines: 80 };
    let long = |len: usize| format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(len));
    assert!(parse_request(long(4000).as_bytes(), few).unwrap().is_some());
    assert_eq!(parse_request(long(5000).as_bytes(), few).unwrap_err(), Refusal::TooLarge);
    assert_eq!(parse_request(&long(5000).as_bytes()[..4500], few).unwrap_err(), Refusal::TooLarge);
    assert!(parse_request(&long(5000).as_bytes()[..4000], few).unwrap().is_none());
    let many = |lines: usize| format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: 1\r\n".repeat(lines - 1));
    let head = parse_request(many(80).as_bytes(), few).unwrap().unwrap();
    assert_eq!(head.request.headers.len(), 79);
    assert_eq!(parse_request(many(81).as_bytes(), few).unwrap_err(), Refusal::TooLarge);
}

#[track_caller]
fn answer(method: &Method, text: &str, expected: Result<(&str, Framing, bool), &str>) {
    let parsed = parse_response(text.as_bytes(), method, LIMITS).map(|head| {
        let head = head.expect("the head is whole");
        let mut shown = head.status.to_string();
        for (name, value) in head.headers.iter() {
            let _ = write!(shown, " {name}={}", String::from_utf8_lossy(value));
        }
        (shown, head.framing, head.keeps_alive)
    });
    let parsed =
        parsed.as_ref().map(|(shown, framing, keeps)| (shown.as_str(), *framing, *keeps)).map_err(|fault| *fault);
    assert_eq!(parsed, expected, "{text:?}");
}

#[test]
fn answers() {
    let get = &Method::GET;
    answer(
        get,
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
        Ok(("200 OK Content-Length=3", Framing::Length(3), true)),
    );
    answer(get, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", Ok(("200 OK Content-Length=0", Framing::Empty, true)));
    answer(get, "HTTP/1.1 200 Ok\nX: 1\n\n", Ok(("200 OK X=1", Framing::UntilClose, false)));
    answer(
        get,
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        Ok(("200 OK", Framing::Chunked, true)),
    );
    answer(
        get,
        "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n",
        Ok(("200 OK Content-Length=3", Framing::Length(3), false)),
    );
    answer(
        get,
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n",
        Ok(("200 OK Connection=keep-alive Content-Length=3", Framing::Length(3), true)),
    );
    answer(
        get,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\n",
        Ok(("200 OK Connection=close Content-Length=3", Framing::Length(3), false)),
    );
    answer(
        get,
        "HTTP/2.0 200 OK\r\nContent-Length: 3\r\n\r\n",
        Ok(("200 OK Content-Length=3", Framing::Length(3), true)),
    );
    answer(
        get,
        "HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n",
        Ok(("204 No Content Content-Length=3", Framing::Empty, true)),
    );
    answer(
        get,
        "HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n",
        Ok(("304 Not Modified", Framing::Empty, true)),
    );
    answer(
        get,
        "HTTP/1.1 200 OK\r\nX Y: 1\r\nX-F: a\r\n b\r\n\r\n",
        Ok(("200 OK X-F=a b", Framing::UntilClose, false)),
    );
    answer(
        &Method::HEAD,
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
        Ok(("200 OK Content-Length=3", Framing::Empty, true)),
    );
    answer(
        get,
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        Err("the Content-Length is not one"),
    );
    answer(get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Err("unsupported transfer encoding"));
    answer(get, "HTTP/1.1 1000 OK\r\n\r\n", Err("the status is not one"));
    answer(get, "HTTP/1.1 099 OK\r\n\r\n", Err("the status is not one"));
    for junk in [
        "junk\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nNoColon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\u{1}\r\n\r\n",
    ] {
        answer(get, junk, Err("the head is not HTTP"));
    }
    assert!(parse_response(b"HTTP/1.1 200 OK\r\nX: 1\r\n", get, LIMITS).unwrap().is_none());
}

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}"
}

fn other_lines() -> impl Strategy<Value = Vec<(String, String)>> {
    let line = (token(), "[ -~é]{0,20}").prop_map(|(name, value)| (format!("X-{name}"), value.trim().to_owned()));
    prop::collection::vec(line, 0..70)
}

proptest! {
    /// What is written is read as what it was.
    #[test]
    fn requests_survive(method in token(), path in "/[a-z0-9/%.~]{0,20}", query in prop::option::of("[!-~]{0,20}"), host in "[a-z0-9.:-]{0,12}", headers in other_lines(), length in 0_u64..10) {
        let path = path.replace('%', "%25");
        let mut request = trafficcop_exchange::Request::new(Method::from_bytes(method.as_bytes()).unwrap(), trafficcop_exchange::Target::parse(path.into()));
        request.target.set_query(query.map(Into::into));
        request.host = host.into();
        request.headers = headers.iter().cloned().collect();
        let mut text = Vec::new();
        compose::request_head(&mut text, &request, Framing::of_length(length), false);
        let whole = text.len();
        text.extend_from_slice(b"body");
        for cut in 0..whole {
            prop_assert!(parse(&text[..cut]).unwrap().is_none());
        }
        let head = parse(&text).unwrap().unwrap();
        prop_assert_eq!(head.len, whole);
        prop_assert_eq!(head.framing, Framing::of_length(length));
        prop_assert_eq!(head.request.version, Version::HTTP_11);
        prop_assert_eq!(&head.request.method, &request.method);
        prop_assert_eq!(&head.request.target, &request.target);
        prop_assert_eq!(&head.request.host, &request.host);
        let mut read: Vec<_> = head.request.headers.iter().map(|(name, value)| (name.to_owned(), String::from_utf8(value.to_vec()).unwrap())).collect();
        read.retain(|(name, _)| name != "Content-Length");
        prop_assert_eq!(read, headers);
    }

    #[test]
    fn answers_survive(status in 200_u16..600, headers in other_lines(), length in 1_u64..1000) {
        let mut response = trafficcop_exchange::Response::new(StatusCode::from_u16(status).unwrap());
        response.headers = headers.iter().cloned().collect();
        let framing = if compose::allows_body(response.status) { Framing::Length(length) } else { Framing::Empty };
        let mut text = Vec::new();
        let answering = compose::Answering { is_10: false, is_head: false, closes: false, framing, canonical: false };
        compose::response_head(&mut text, &response, answering);
        let head = parse_response(&text, &Method::GET, LIMITS).unwrap().unwrap();
        prop_assert_eq!((head.status.as_u16(), head.framing, head.len, head.keeps_alive), (status, framing, text.len(), true));
        let mut read: Vec<_> = head.headers.iter().map(|(name, value)| (name.to_owned(), String::from_utf8(value.to_vec()).unwrap())).collect();
        read.retain(|(name, _)| name != "Content-Length" && name != "Date");
        prop_assert_eq!(read, headers);
    }

    #[test]
    fn strangers_bytes_never_panic(text in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"GET / HTTP1.\r\n:ab ".to_vec())], 0..200)) {
        let _ = parse(&text);
        let _ = parse_response(&text, &Method::GET, LIMITS);
    }

    /// Whatever a header holds, it stays one line.
    #[test]
    fn nothing_splits_a_head(name in "[ -~\r\n]{1,8}", value in "[ -~\r\n\0]{0,20}") {
        let mut request = trafficcop_exchange::Request::new(Method::GET, trafficcop_exchange::Target::parse("/".into()));
        request.headers.append(name, value);
        let mut text = Vec::new();
        compose::request_head(&mut text, &request, Framing::Empty, true);
        let head = parse(&text);
        prop_assert!(matches!(head, Ok(Some(ref head)) if head.len == text.len() && head.request.headers.len() <= 1) || head.is_err());
        prop_assert!(memchr::memmem::find_iter(&text, b"\r\n").count() <= 4);
    }
}
