//! Hop-by-hop hygiene: what belongs to one connection stays on it, in both directions.

use bytes::Bytes;
use smallvec::SmallVec;
use trafficcop_exchange::{Exchange, Headers, KnownName, Request, Response, StatusCode};

use super::failure::Failure;

/// Prepares a request for a server. Host and target are not touched here.
pub(crate) fn to_server(request: &mut Request, cx: &Exchange, appends_forwarded_for: bool) {
    let wants_trailers = request.headers.get_all("te").any(|value| has_token(value, "trailers"));
    let has_trailers = request.body.remaining().is_none();
    clean(&mut request.headers, has_trailers);
    if wants_trailers {
        request.headers.push(b"Te", b"trailers");
    }
    if request.upgrade.as_ref().is_some_and(|protocol| !may_pass(protocol)) {
        request.upgrade = None;
    }
    if appends_forwarded_for && !cx.omit_forwarded_for && !cx.keep_forwarded_for {
        append_forwarded_for(&mut request.headers, cx);
    }
}

/// Prepares an answer for the client.
pub(crate) fn to_client(response: &mut Response, asked: Option<&Bytes>) -> Result<(), Failure> {
    if response.status == StatusCode::SWITCHING_PROTOCOLS {
        return check_switch(response, asked);
    }
    // An answer that closes its connection may list what it likes: the whole line goes before anybody reads it.
    if response.headers.get_all("connection").any(|value| has_token(value, "close")) {
        response.headers.remove("connection");
    }
    let has_trailers = response.body.remaining().is_none();
    clean(&mut response.headers, has_trailers);
    Ok(())
}

/// Protocols that would change who speaks HTTP to whom are not passed: the server would get a connection on which no
/// later request is looked at.
fn may_pass(protocol: &[u8]) -> bool {
    let name = protocol.split(|byte| *byte == b'/').next().unwrap_or_default();
    let is_printable = protocol.iter().all(|byte| (0x20..0x7f).contains(byte));
    is_printable && !["h2c", "h2", "http", "tls"].iter().any(|refused| name.eq_ignore_ascii_case(refused.as_bytes()))
}

fn check_switch(response: &mut Response, asked: Option<&Bytes>) -> Result<(), Failure> {
    let offered = response.headers.get("upgrade").unwrap_or_default();
    match asked {
        Some(asked) if asked.eq_ignore_ascii_case(offered) => Ok(()),
        _ => Err(Failure::bad_response("the server switched to a protocol that was not asked for")),
    }
}

fn clean(headers: &mut Headers, keeps_trailer: bool) {
    let listed = listed_by_connection(headers);
    headers.retain_lines(|name, _| {
        let is_hop = match name.len() {
            2 => name.eq_ignore_ascii_case(b"te"),
            7 => name.eq_ignore_ascii_case(b"upgrade") || (!keeps_trailer && name.eq_ignore_ascii_case(b"trailer")),
            10 => name.eq_ignore_ascii_case(b"connection") || name.eq_ignore_ascii_case(b"keep-alive"),
            16 => name.eq_ignore_ascii_case(b"proxy-connection"),
            17 => name.eq_ignore_ascii_case(b"transfer-encoding"),
            18 => name.eq_ignore_ascii_case(b"proxy-authenticate"),
            19 => name.eq_ignore_ascii_case(b"proxy-authorization"),
            _ => false,
        };
        !is_hop && !listed.iter().any(|listed| listed.eq_ignore_ascii_case(name))
    });
}

/// The headers that `Connection` names, but for those that go anyway and those that a client may not take away.
fn listed_by_connection(headers: &Headers) -> SmallVec<[SmallVec<[u8; 32]>; 2]> {
    let mut listed = SmallVec::new();
    for token in headers.get_all("connection").flat_map(|value| value.split(|byte| *byte == b',')) {
        let token = token.trim_ascii();
        let is_usual =
            ["close", "keep-alive", "upgrade"].iter().any(|usual| token.eq_ignore_ascii_case(usual.as_bytes()));
        if !token.is_empty() && !is_usual && !is_managed(token) {
            listed.push(SmallVec::from_slice(token));
        }
    }
    listed
}

/// What the entry point says about the client: `Connection` cannot remove it.
fn is_managed(name: &[u8]) -> bool {
    let starts = |start: &str| name.len() >= start.len() && name[..start.len()].eq_ignore_ascii_case(start.as_bytes());
    starts("x-forwarded-") || name.eq_ignore_ascii_case(b"x-real-ip")
}

pub(crate) fn has_token(value: &[u8], token: &str) -> bool {
    value.split(|byte| *byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// One line: what was there, and the peer.
fn append_forwarded_for(headers: &mut Headers, cx: &Exchange) {
    let peer = cx.connection.peer_text().as_bytes();
    let mut whole: SmallVec<[u8; 128]> = SmallVec::new();
    let mut is_first = true;
    for value in headers.get_all("x-forwarded-for") {
        if !is_first {
            whole.extend_from_slice(b", ");
        }
        whole.extend_from_slice(value);
        is_first = false;
    }
    if is_first {
        headers.push_known(KnownName::X_FORWARDED_FOR, peer);
        return;
    }
    whole.extend_from_slice(b", ");
    whole.extend_from_slice(peer);
    headers.insert("X-Forwarded-For", Bytes::copy_from_slice(&whole));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::exchange;
    use trafficcop_exchange::{Body, Method, Target};

    #[track_caller]
    fn check(given: &[(&'static str, &'static str)], upgrade: Option<&'static str>, expected: &[&str]) {
        let mut request = Request::new(Method::GET, Target::parse(Bytes::from_static(b"/")));
        request.headers = given.iter().copied().collect();
        request.upgrade = upgrade.map(Bytes::from_static_str);
        to_server(&mut request, &exchange(), true);
        let mut lines = shown(&request.headers);
        lines.extend(request.upgrade.map(|protocol| format!("upgrade to {}", String::from_utf8_lossy(&protocol))));
        assert_eq!(lines, expected);
    }

    trait FromStaticStr {
        fn from_static_str(text: &'static str) -> Self;
    }
    impl FromStaticStr for Bytes {
        fn from_static_str(text: &'static str) -> Self {
            Self::from_static(text.as_bytes())
        }
    }

    fn shown(headers: &Headers) -> Vec<String> {
        headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))).collect()
    }

    #[test]
    fn what_belongs_to_the_connection_stays_here() {
        let given = [
            ("Connection", "keep-alive, X-Private, X-Forwarded-Host"),
            ("X-Private", "1"),
            ("X-Forwarded-Host", "h"),
            ("Keep-Alive", "timeout=1"),
            ("Proxy-Connection", "keep-alive"),
            ("Proxy-Authorization", "Basic x"),
            ("TE", "trailers, deflate"),
            ("Trailer", "X-T"),
            ("Upgrade", "foo"),
            ("Accept", "*/*"),
        ];
        check(&given, None, &["X-Forwarded-Host: h", "Accept: */*", "Te: trailers", "X-Forwarded-For: 192.0.2.1"]);
    }

    #[test]
    fn the_peer_is_added_to_one_line() {
        check(
            &[("x-forwarded-for", "10.0.0.1"), ("A", "b"), ("X-Forwarded-For", "10.0.0.2, 10.0.0.3")],
            None,
            &["X-Forwarded-For: 10.0.0.1, 10.0.0.2, 10.0.0.3, 192.0.2.1", "A: b"],
        );
    }

    #[test]
    fn upgrades() {
        let peer = "X-Forwarded-For: 192.0.2.1";
        check(&[("Upgrade", "websocket")], Some("websocket"), &[peer, "upgrade to websocket"]);
        check(&[], Some("SPDY/3.1"), &[peer, "upgrade to SPDY/3.1"]);
        check(&[], Some("h2c"), &[peer]);
        check(&[], Some("HTTP/2.0"), &[peer]);
        check(&[], Some("TLS/1.2"), &[peer]);
    }

    #[test]
    fn x_forwarded_for_can_be_left_alone() {
        let mut request = Request::new(Method::GET, Target::parse(Bytes::from_static(b"/")));
        to_server(&mut request, &exchange(), false);
        let mut cx = exchange();
        cx.omit_forwarded_for = true;
        to_server(&mut request, &cx, true);
        assert!(request.headers.is_empty());
    }

    #[track_caller]
    fn check_answer(given: &[(&'static str, &'static str)], body: Body, expected: &[&str]) {
        let mut response = Response::new(StatusCode::OK);
        response.headers = given.iter().copied().collect();
        response.body = body;
        to_client(&mut response, None).unwrap();
        assert_eq!(shown(&response.headers), expected);
    }

    #[test]
    fn answers() {
        let given = [("Connection", "X-Hop"), ("X-Hop", "1"), ("Proxy-Authenticate", "Basic"), ("Upgrade", "h2c")];
        check_answer(&given, Body::Empty, &[]);
        check_answer(&[("Connection", "X-Hop, close"), ("X-Hop", "1")], Body::Empty, &["X-Hop: 1"]);
        check_answer(&[("Trailer", "X-End"), ("TE", "x")], Body::Empty, &[]);
    }

    #[test]
    fn a_switch_must_be_the_one_that_was_asked_for() {
        let mut response = Response::new(StatusCode::SWITCHING_PROTOCOLS);
        response.headers.append("Upgrade", "WebSocket");
        assert!(to_client(&mut response, Some(&Bytes::from_static(b"websocket"))).is_ok());
        assert!(to_client(&mut response, Some(&Bytes::from_static(b"spdy"))).is_err());
        assert!(to_client(&mut response, None).is_err());
    }
}
