use bytes::Bytes;
use trafficcop_config::settings::entry_points::ForwardedHeaders;
use trafficcop_exchange::{Method, Request, Target};

use super::*;

const PEER: &str = "192.0.2.7";

fn request(host: &'static str, headers: &[(&'static str, &'static str)]) -> Request {
    let mut request = Request::new(Method::GET, Target::parse(Bytes::from_static(b"/")));
    request.host = Bytes::from_static(host.as_bytes());
    request.headers = headers.iter().map(|(name, value)| (*name, *value)).collect();
    request
}

/// Applies the settings and compares the named headers; an empty value means absent.
#[track_caller]
fn check(settings: &ForwardedHeaders, tls: bool, mut request: Request, expected: &[(&str, &str)]) {
    let forwarded = Forwarded::new(settings).unwrap();
    let peer = forwarded.peer(PEER.parse().unwrap(), tls);
    forwarded.apply(&mut request, &peer);
    for (name, value) in expected {
        assert_eq!(request.headers.get_str(name).unwrap_or(""), *value, "{name}");
    }
}

#[test]
fn a_stranger_is_not_believed() {
    let sent = [
        ("X-Forwarded-For", "1.2.3.4"),
        ("x-forwarded-proto", "https"),
        ("X_Forwarded_Host", "evil"),
        ("X-Real-Ip", "9.9.9.9"),
        ("X-Forwarded-Prefix", "/p"),
        ("X-Forwarded-Scheme", "https"),
    ];
    let expected = [
        ("X-Forwarded-For", ""),
        ("X-Forwarded-Proto", "http"),
        ("X_Forwarded_Host", ""),
        ("X-Forwarded-Host", "a.test:8080"),
        ("X-Forwarded-Port", "8080"),
        ("X-Real-Ip", PEER),
        ("X-Forwarded-Prefix", ""),
        ("X-Forwarded-Scheme", "https"),
    ];
    check(&ForwardedHeaders::default(), false, request("a.test:8080", &sent), &expected);
}

#[test]
fn a_trusted_peer_is_believed_and_gaps_are_filled() {
    let trusting = ForwardedHeaders { trusted_ips: vec!["192.0.2.0/24".into()], ..Default::default() };
    let sent = [("X-Forwarded-For", "1.2.3.4"), ("X-Forwarded-For", "5.6.7.8"), ("X-Forwarded-Proto", "https")];
    let expected = [
        ("X-Forwarded-For", "1.2.3.4, 5.6.7.8"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Host", "a.test"),
        ("X-Real-Ip", PEER),
    ];
    check(&trusting, false, request("a.test", &sent), &expected);
}

#[test]
fn scheme_and_port_follow_the_connection() {
    let settings = ForwardedHeaders::default();
    check(&settings, true, request("a.test", &[]), &[("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "443")]);
    check(&settings, false, request("[::1]:81", &[]), &[("X-Forwarded-Proto", "http"), ("X-Forwarded-Port", "81")]);
    check(&settings, false, request("::1", &[]), &[("X-Forwarded-Port", "80")]);
    let mut upgrading = request("a.test", &[("Connection", "Upgrade"), ("Upgrade", "websocket")]);
    upgrading.upgrade = Some(Bytes::from_static(b"websocket"));
    check(&settings, true, upgrading, &[("X-Forwarded-Proto", "wss"), ("Connection", "Upgrade")]);
}

#[test]
fn connection_removes_what_it_names_but_not_what_we_vouch_for() {
    let settings = ForwardedHeaders { insecure: true, connection: vec!["Foo".into()], ..Default::default() };
    let sent = [
        ("Connection", "keep-alive, X-Private, X-Forwarded-For"),
        ("connection", "foo, x_real_ip"),
        ("X-Private", "1"),
        ("Foo", "2"),
        ("X-Forwarded-For", "1.2.3.4"),
        ("Keep-Alive", "5"),
    ];
    let expected =
        [("X-Private", ""), ("Foo", "2"), ("X-Forwarded-For", "1.2.3.4"), ("Keep-Alive", ""), ("Connection", "foo")];
    check(&settings, false, request("a.test", &sent), &expected);
    check(&settings, false, request("a.test", &[("Connection", "keep-alive")]), &[("Connection", "")]);
}
