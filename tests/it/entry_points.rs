//! Entry points: HTTP/2 in both ways, redirection, and a graceful end.

use std::sync::Arc;

use bytes::Bytes;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::client::send;
use crate::support::router::routes;
use crate::support::{Backend, Router, soon, until};

/// Status and body of one request over HTTP/2.
async fn get_over_h2(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, uri: &str) -> (u16, String) {
    let (client, connection) = h2::client::handshake(stream).await.expect("the router speaks HTTP/2");
    tokio::spawn(connection);
    let mut client = client.ready().await.expect("streams are free");
    let request = http::Request::get(uri).body(()).expect("the request is right");
    let (answer, _) = client.send_request(request, true).expect("it can be sent");
    let answer = soon("the answer", answer).await.expect("it comes");
    let status = answer.status().as_u16();
    let (mut body, mut text) = (answer.into_body(), Vec::new());
    while let Some(data) = soon("the body", body.data()).await {
        let data: Bytes = data.expect("the body is whole");
        body.flow_control().release_capacity(data.len()).expect("it was received");
        text.extend_from_slice(&data);
    }
    (status, String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serves_http2_by_prior_knowledge() {
    let back = Backend::start("back").await;
    let router = Router::start(&routes(&["a.test"], &[back.url()])).await;
    router.answers(200, "a.test", "/").await;
    let stream = TcpStream::connect(router.web()).await.expect("the router listens");
    let (status, body) = get_over_h2(stream, "http://a.test/over-h2").await;
    assert_eq!(status, 200);
    assert!(body.starts_with("back\nGET /over-h2 HTTP/1.1\r\nHost: a.test\r\n"), "{body}");
    router.app.stop().await;
}

/// Takes any certificate.
#[derive(Debug)]
struct Anyone(Arc<rustls::crypto::CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serves_http2_over_tls_with_the_default_certificate() {
    let back = Backend::start("back").await;
    let settings = "entryPoints: {web: {address: '127.0.0.1:0'}, secure: {address: '127.0.0.1:0', http: {tls: {}}}}";
    let router = Router::start_with(settings, &routes(&["a.test"], &[back.url()])).await;
    router.answers(404, "nobody.test", "/").await;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let config = config.expect("the provider knows them").dangerous();
    let mut config = config.with_custom_certificate_verifier(Arc::new(Anyone(provider))).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let connect = || async {
        let stream = TcpStream::connect(router.address("secure")).await.expect("the router listens");
        let name = ServerName::try_from("a.test").expect("it is a name");
        soon("the handshake", connector.connect(name, stream)).await.expect("it succeeds")
    };
    until("the route is live", || async { get_over_h2(connect().await, "https://a.test/").await.0 == 200 }).await;
    let stream = connect().await;
    let session = stream.get_ref().1;
    assert_eq!(session.alpn_protocol(), Some(&b"h2"[..]));
    let certificate = session.peer_certificates().expect("the router showed one")[0].clone();
    let name = b"TRAEFIK DEFAULT CERT";
    assert!(certificate.windows(name.len()).any(|part| part == name), "the certificate is another one");
    let (status, body) = get_over_h2(stream, "https://a.test/secret").await;
    assert_eq!(status, 200);
    assert!(body.contains("\r\nX-Forwarded-Proto: https\r\n"), "{body}");
    router.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_from_one_entry_point_to_another() {
    let settings = "entryPoints: {web: {address: '127.0.0.1:0', http: {redirections: {entryPoint: {to: ':8443'}}}}, \
                    plain: {address: '127.0.0.1:0', http: {redirections: {entryPoint: {to: ':443', permanent: false}}}}}";
    let back = Backend::start("back").await;
    let router = Router::start_with(settings, &routes(&["a.test"], &[back.url()])).await;
    let answer = router.get("a.test", "/path?key=value").await;
    assert_eq!((answer.status, answer.header("Location")), (301, Some("https://a.test:8443/path?key=value")));
    let answer = crate::support::get(router.address("plain"), "a.test:80", "/").await;
    assert_eq!((answer.status, answer.header("Location")), (302, Some("https://a.test/")));
    router.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_stop_finishes_what_is_in_flight() {
    let back = Backend::start("back").await;
    let router = Router::start(&routes(&["a.test"], &[back.url()])).await;
    let web = router.web();
    router.answers(200, "a.test", "/").await;
    let mut stream = send(web, "a.test", "/gate", "").await;
    soon("the request arrives", back.arrived.acquire()).await.expect("nobody closes it").forget();
    let stopping = tokio::spawn(router.app.stop());
    until("nobody listens any more", || async { TcpStream::connect(web).await.is_err() }).await;
    assert!(!stopping.is_finished(), "the request is still in flight");
    back.gate.add_permits(1);
    let mut answer = String::new();
    soon("the answer", stream.read_to_string(&mut answer)).await.expect("it comes whole");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\nback\nGET /gate HTTP/1.1\r\n") || answer.contains("\nGET /gate "), "{answer}");
    soon("the stop", stopping).await.expect("it ends well");
}
