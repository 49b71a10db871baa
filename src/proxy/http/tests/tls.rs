//! TLS towards servers.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use trafficcop_config::dynamic::http::ServersTransport;
use trafficcop_exchange::{Method, Reason};

use crate::http::testing::*;

struct Secured {
    url: String,
    certificate: String,
}

/// A server for back.test that answers with the protocol that was settled.
async fn secured(alpn: &[&str]) -> Secured {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["back.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let provider = Arc::new(trafficcop_tls::provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let settled = stream.get_ref().1.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
            let mut start = [0; 14];
            stream.read_exact(&mut start).await.unwrap();
            let body = format!("{settled:?} {}", String::from_utf8_lossy(&start).replace("\r\n", " "));
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    Secured { url, certificate: cert.pem() }
}

async fn check(alpn: &[&str], transport: impl Fn(&Secured) -> ServersTransport, expected: (u16, &str)) {
    worker(async {
        let server = secured(alpn).await;
        let service = build_with(&settings(&[&server.url]), &transport(&server));
        let mut cx = exchange();
        let (status, body) = ask_in(&*service, request(Method::GET, "/"), &mut cx).await;
        assert_eq!((status, &*body), expected);
        assert_eq!(cx.reason.is_some(), status != 200);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_certificate_is_an_error_of_ours() {
    check(&[], |_| ServersTransport::default(), (500, "Internal Server Error")).await;
}

#[tokio::test]
async fn unverified() {
    let skip = |_: &Secured| ServersTransport { insecure_skip_verify: true, ..ServersTransport::default() };
    check(&["http/1.1"], skip, (200, "Some(\"http/1.1\") GET / HTTP/1.1")).await;
    check(&[], skip, (200, "None GET / HTTP/1.1")).await;
}

#[tokio::test]
async fn verified_by_its_own_name() {
    let with_name = |name: &'static str| {
        move |server: &Secured| ServersTransport {
            server_name: name.into(),
            root_cas: vec![server.certificate.clone()],
            ..ServersTransport::default()
        }
    };
    check(&[], with_name("back.test"), (200, "None GET / HTTP/1.1")).await;
    check(&[], with_name("other.test"), (500, "Internal Server Error")).await;
}

#[tokio::test]
async fn http2_unless_disabled() {
    let transport = |disable_http2| {
        move |_: &Secured| ServersTransport { insecure_skip_verify: true, disable_http2, ..ServersTransport::default() }
    };
    check(&["h2", "http/1.1"], transport(true), (200, "None GET / HTTP/1.1")).await;
    worker(async {
        // The server is none of HTTP/2, but it is spoken to in it.
        let server = secured(&["h2", "http/1.1"]).await;
        let mut cx = exchange();
        let service = build_with(&settings(&[&server.url]), &transport(false)(&server));
        let (status, _) = ask_in(&*service, request(Method::GET, "/"), &mut cx).await;
        assert_eq!((status, cx.reason), (502, Some(Reason::ServerClosed)));
    })
    .await;
}

#[tokio::test]
async fn a_server_without_tls() {
    worker(async {
        let backend = Backend::start(|_, _, _| ok("")).await;
        let url = backend.url.replace("http", "https");
        backend.kill().await;
        assert_eq!(get(&*servers(&[&url])).await.0, 502, "refused");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        tokio::task::spawn_local(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            let mut rest = Vec::new();
            let _reset_or_end = stream.read_to_end(&mut rest).await;
        });
        assert_eq!(get(&*servers(&[&url])).await.0, 500, "what came was no TLS");
    })
    .await;
}
