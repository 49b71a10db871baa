//! TLS: certificates by name, options by name, ALPN, and what must not work.

use std::sync::Arc;

use rcgen::generate_simple_self_signed;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::{HandshakeKind, NamedGroup};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trafficcop_config::dynamic::tls::{Certificate, ClientAuth, Options, Tls};
use trafficcop_tls::{ClientTls, client_config};

use super::support::*;

/// A certificate for these names, PEM in place.
fn certificate(names: &[&str]) -> Certificate {
    let made = generate_simple_self_signed(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    Certificate { cert_file: made.cert.pem(), key_file: made.signing_key.serialize_pem(), stores: Vec::new() }
}

fn tls(certificates: &[Certificate], options: &[(&str, Options)]) -> Tls {
    let default = [("default", Options::default())];
    Tls {
        certificates: certificates.iter().cloned().map(Into::into).collect(),
        options: default
            .iter()
            .chain(options)
            .map(|(name, options)| ((*name).to_owned(), options.clone().into()))
            .collect(),
        ..Tls::default()
    }
}

fn routes() -> Routes {
    vec![
        ("Path(`/x`)", true, Arc::new(Echo(&["X-Forwarded-Proto", "X-Forwarded-Port"]))),
        ("Path(`/plain`)", false, Arc::new(Says("plain"))),
    ]
}

async fn connect(running: &Running, name: &str, client: ClientTls) -> std::io::Result<TlsStream<TcpStream>> {
    let config = client_config(&ClientTls { insecure_skip_verify: true, ..client }).unwrap();
    let stream = TcpStream::connect(running.address).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connecting = TlsConnector::from(config).connect(name, stream);
    tokio::time::timeout(PATIENCE, connecting).await.expect("a handshake in time")
}

const GET: &str = "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n";

#[tokio::test]
async fn certificates_follow_the_name_and_routes_the_kind_of_connection() {
    let (exact, wild) = (certificate(&["a.test"]), certificate(&["*.wild.test"]));
    let state = tls(&[exact.clone(), wild.clone()], &[]);
    let running = start(&snapshot(routes(), &state, &[]), |_| {}).await;
    for (name, expected) in [("a.test", &exact), ("b.wild.test", &wild)] {
        let stream = connect(&running, name, ClientTls::default()).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
        assert_eq!(shown, trafficcop_tls::pem::certificates(&expected.cert_file).unwrap()[0]);
    }
    let mut stream = connect(&running, "a.test", ClientTls::default()).await.unwrap();
    let answer = ask(&mut stream, GET).await;
    assert!(answer.ends_with("X-Forwarded-Proto: https\nX-Forwarded-Port: 443\n"), "{answer}");
    let answer = ask(&mut stream, &GET.replace("/x", "/plain")).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    let answer = talk(running.address, &GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[tokio::test]
async fn alpn_chooses_the_version() {
    let running = start(&snapshot(routes(), &tls(&[certificate(&["a.test"])], &[]), &[]), |_| {}).await;
    let offers = |names: &[&str]| ClientTls {
        alpn: names.iter().map(|name| name.as_bytes().to_vec()).collect(),
        ..ClientTls::default()
    };
    for (offered, expected) in [(&["http/1.1", "h2"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)] {
        let stream = connect(&running, "a.test", offers(offered)).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), expected.map(str::as_bytes));
    }
    assert!(connect(&running, "a.test", offers(&["spdy/1"])).await.is_err());
}

#[tokio::test]
async fn options_follow_the_name_and_broken_ones_close() {
    let strict = Options { min_version: "VersionTLS13".into(), ..Options::default() };
    let broken = Options { cipher_suites: vec!["TLS_NONE".into()], ..Options::default() };
    let all = tls(&[certificate(&["*.test"])], &[("strict@file", strict), ("broken@file", broken)]);
    let hosts = [("b.test", "strict@file"), ("c.test", "broken@file"), ("d.test", "missing@file")];
    let running = start(&snapshot(routes(), &all, &hosts), |_| {}).await;
    let old = || ClientTls { max_version: "VersionTLS12".into(), ..ClientTls::default() };
    assert!(connect(&running, "a.test", old()).await.is_ok());
    assert!(connect(&running, "b.test", old()).await.is_err());
    assert!(connect(&running, "c.test", ClientTls::default()).await.is_err());
    assert!(connect(&running, "d.test", ClientTls::default()).await.is_err());

    let mut fronted = connect(&running, "a.test", ClientTls::default()).await.unwrap();
    let answer = ask(&mut fronted, &GET.replace("a.test", "b.test")).await;
    assert!(answer.starts_with("HTTP/1.1 421 ") && answer.ends_with("Misdirected Request\n"), "{answer}");
    let answer = ask(&mut fronted, &GET.replace("a.test", "e.test")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "the same options: {answer}");
}

#[tokio::test]
async fn clients_are_asked_for_certificates() {
    let (good, alien) = (certificate(&["good"]), certificate(&["alien"]));
    let auth = |kind: &str| ClientAuth { ca_files: vec![good.cert_file.clone()], client_auth_type: kind.into() };
    let options = |kind: &str| Options { client_auth: auth(kind), ..Options::default() };
    let state = tls(
        &[certificate(&["*.test"])],
        &[
            ("must@file", options("")),
            ("maybe@file", options("VerifyClientCertIfGiven")),
            ("any@file", options("RequireAnyClientCert")),
        ],
    );
    let hosts = [("must.test", "must@file"), ("maybe.test", "maybe@file"), ("any.test", "any@file")];
    let running = start(&snapshot(routes(), &state, &hosts), |_| {}).await;
    let with = |own: Option<&Certificate>| ClientTls {
        certificates: own
            .map(|own| trafficcop_config::dynamic::http::CertificatePair {
                cert_file: own.cert_file.clone(),
                key_file: own.key_file.clone(),
            })
            .into_iter()
            .collect(),
        ..ClientTls::default()
    };
    for (name, own, expected) in [
        ("must.test", Some(&good), true),
        ("must.test", None, false),
        ("must.test", Some(&alien), false),
        ("maybe.test", None, true),
        ("maybe.test", Some(&good), true),
        ("maybe.test", Some(&alien), false),
        ("any.test", Some(&alien), true),
        ("any.test", None, false),
    ] {
        // With TLS 1.3 the client believes itself connected before the server has looked at its certificate.
        let served = match connect(&running, name, with(own)).await {
            Ok(mut stream) => {
                use tokio::io::AsyncWriteExt;
                let request = GET.replace("a.test", name).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
                stream.write_all(request.as_bytes()).await.is_ok() && read_all(&mut stream).await.contains("200 OK")
            }
            Err(_) => false,
        };
        assert_eq!(served, expected, "{name}, certificate: {}", own.is_some());
    }
}

#[tokio::test]
async fn a_proxy_header_may_come_before_the_handshake() {
    use tokio::io::AsyncWriteExt;
    let believes = |entry: &mut trafficcop_config::settings::EntryPoint| {
        let trusted_ips = vec!["127.0.0.1".into()];
        entry.proxy_protocol =
            Some(trafficcop_config::settings::entry_points::ProxyProtocol { insecure: false, trusted_ips });
    };
    let running = start(&snapshot(routes(), &tls(&[certificate(&["a.test"])], &[]), &[]), believes).await;
    let config = client_config(&ClientTls { insecure_skip_verify: true, ..ClientTls::default() }).unwrap();
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"PROXY TCP4 198.51.100.7 127.0.0.1 4000 443\r\n").await.unwrap();
    let name = ServerName::try_from("a.test").unwrap();
    let mut stream = TlsConnector::from(config).connect(name, stream).await.unwrap();
    let answer = ask(&mut stream, GET).await;
    assert!(answer.contains("GET /x a.test 198.51.100.7\n"), "{answer}");
}

#[tokio::test]
async fn options_of_http_2_alone_still_serve_clients_of_http_1() {
    let only = Options { alpn_protocols: vec!["h2".into()], ..Options::default() };
    let all = tls(&[certificate(&["*.test"])], &[("only@file", only)]);
    let running = start(&snapshot(routes(), &all, &[("a.test", "only@file")]), |_| {}).await;
    let client = ClientTls { alpn: vec![b"http/1.1".to_vec()], ..ClientTls::default() };
    let mut stream = connect(&running, "a.test", client).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), None);
    assert!(ask(&mut stream, GET).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn sessions_survive_a_reload_but_not_a_change_of_their_options() {
    let own = certificate(&["a.test"]);
    let with = |version: &str| {
        let options = Options { max_version: version.into(), ..Options::default() };
        tls(std::slice::from_ref(&own), &[("own@file", options)])
    };
    let running = start(&snapshot(routes(), &with(""), &[("a.test", "own@file")]), |_| {}).await;
    let reload = |tls: &Tls| {
        let before = Arc::clone(&running.live.current(0).tls);
        let mut next = Arc::into_inner(snapshot(routes(), tls, &[("a.test", "own@file")])).unwrap();
        next.tls = Arc::new(trafficcop_tls::TlsState::build(tls, Some(&before)).0);
        running.live.swap(&Arc::new(next));
    };
    let client = client_config(&ClientTls { insecure_skip_verify: true, ..ClientTls::default() }).unwrap();
    let visit = async || {
        let stream = TcpStream::connect(running.address).await.unwrap();
        let name = ServerName::try_from("a.test").unwrap();
        let mut stream = TlsConnector::from(Arc::clone(&client)).connect(name, stream).await.unwrap();
        ask(&mut stream, GET).await;
        stream.get_ref().1.handshake_kind().unwrap()
    };
    assert_eq!(visit().await, HandshakeKind::Full);
    assert_eq!(visit().await, HandshakeKind::Resumed);
    reload(&with(""));
    assert_eq!(visit().await, HandshakeKind::Resumed);
    reload(&with("VersionTLS13"));
    assert_eq!(visit().await, HandshakeKind::Full);
}

/// Offers every ticket to every name.
#[derive(Debug)]
struct Careless(ClientSessionMemoryCache);

fn any() -> ServerName<'static> {
    ServerName::try_from("any.test").unwrap()
}

impl ClientSessionStore for Careless {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(any(), group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.kx_hint(&any())
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(any(), value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(&any())
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.0.remove_tls12_session(&any());
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(any(), value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&any())
    }
}

#[tokio::test]
async fn tickets_hold_under_their_own_options_only_and_without_early_data() {
    let authority = certificate(&["client"]).cert_file;
    let maybe = ClientAuth { ca_files: vec![authority], client_auth_type: "VerifyClientCertIfGiven".into() };
    let asking = Options { client_auth: maybe, ..Options::default() };
    let newer = Options { min_version: "VersionTLS13".into(), ..Options::default() };
    let all = tls(&[certificate(&["*.test"])], &[("asking@file", asking), ("newer@file", newer)]);
    let hosts = [("b.test", "asking@file"), ("c.test", "newer@file")];
    let running = start(&snapshot(routes(), &all, &hosts), |_| {}).await;
    for version in ["VersionTLS12", "VersionTLS13"] {
        let plain = ClientTls { insecure_skip_verify: true, max_version: version.into(), ..ClientTls::default() };
        let mut client = rustls::ClientConfig::clone(&client_config(&plain).unwrap());
        client.enable_early_data = true;
        let visit = async |client: &Arc<rustls::ClientConfig>, host: &'static str| {
            let stream = TcpStream::connect(running.address).await.unwrap();
            let name = ServerName::try_from(host).unwrap();
            let connector = TlsConnector::from(Arc::clone(client)).early_data(true);
            let mut stream = connector.connect(name, stream).await.unwrap();
            let answer = ask(&mut stream, &GET.replace("a.test", host)).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            assert!(!stream.get_ref().1.is_early_data_accepted());
            stream.get_ref().1.handshake_kind().unwrap()
        };
        for (first, second, expected) in [
            ("a.test", "a.test", HandshakeKind::Resumed),
            ("a.test", "b.test", HandshakeKind::Full),
            ("b.test", "a.test", HandshakeKind::Full),
            ("a.test", "c.test", HandshakeKind::Full),
            ("c.test", "a.test", HandshakeKind::Full),
        ] {
            if version == "VersionTLS12" && [first, second].contains(&"c.test") {
                continue;
            }
            client.resumption = Resumption::store(Arc::new(Careless(ClientSessionMemoryCache::new(8))));
            let client = Arc::new(client.clone());
            assert_eq!(visit(&client, first).await, HandshakeKind::Full, "{version}, {first}");
            let mut offer =
                rustls::ClientConnection::new(Arc::clone(&client), ServerName::try_from(first).unwrap()).unwrap();
            assert!(offer.early_data().is_none(), "{version}: a ticket of {first} allows early data");
            // That one took the ticket along.
            visit(&client, first).await;
            assert_eq!(visit(&client, second).await, expected, "{version}, a ticket of {first} at {second}");
        }
    }
}
