use std::io;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConnection, ServerConfig, ServerConnection};

use super::*;

/// A server's certificate and key, and the PEM of what signed it.
struct Made {
    key: Arc<CertifiedKey>,
    pem: String,
    authority: String,
}

/// A certificate for `a.test` with this URI, signed by an authority of its own or by itself as an authority.
fn made(uri: &str, signs_itself: bool) -> Made {
    let pair = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    params.subject_alt_names.push(SanType::URI(uri.try_into().unwrap()));
    let mut of_authority = CertificateParams::new(Vec::new()).unwrap();
    of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(of_authority, KeyPair::generate().unwrap()).unwrap();
    let certificate = if signs_itself {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.self_signed(&pair).unwrap()
    } else {
        params.signed_by(&pair, &authority).unwrap()
    };
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
    let key = CertifiedKey::from_der(vec![certificate.der().clone()], der, &crate::provider()).unwrap();
    Made { key: Arc::new(key), pem: certificate.pem(), authority: authority.pem() }
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl rustls::server::ResolvesServerCert for Always {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Shakes hands in memory, as a client of `a.test`.
fn shake(server: &Made, tls: &ClientTls, name: &str) -> Result<(), rustls::Error> {
    let config = ServerConfig::builder_with_provider(Arc::new(crate::provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(Arc::clone(&server.key))));
    let mut server = ServerConnection::new(Arc::new(config))?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(client_config(tls).unwrap(), name)?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        server.read_tls(&mut io::Cursor::new(bytes)).unwrap();
        server.process_new_packets()?;
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        client.read_tls(&mut io::Cursor::new(bytes)).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

#[track_caller]
fn check(server: &Made, tls: &ClientTls, name: &str, expected: bool) {
    for version in ["VersionTLS12", "VersionTLS13"] {
        let tls = ClientTls { max_version: version.into(), min_version: version.into(), ..tls.clone() };
        let result = shake(server, &tls, name);
        assert_eq!(result.is_ok(), expected, "{version}: {result:?}");
    }
}

fn roots(pem: &str) -> ClientTls {
    ClientTls { root_cas: vec![pem.to_owned()], ..ClientTls::default() }
}

#[test]
fn authorities_are_believed() {
    let server = made("spiffe://x", false);
    check(&server, &roots(&server.authority), "a.test", true);
    check(&server, &roots(&server.authority), "b.test", false);
    check(&server, &roots(&made("spiffe://x", false).authority), "a.test", false);
    check(&server, &ClientTls::default(), "a.test", false);
}

#[test]
fn a_certificate_that_signed_itself_as_an_authority_is_believed_when_named() {
    let server = made("spiffe://x", true);
    check(&server, &roots(&server.pem), "a.test", true);
    check(&server, &roots(&server.pem), "b.test", false);
    check(&server, &roots(&made("spiffe://x", true).pem), "a.test", false);
}

#[test]
fn verification_can_be_skipped() {
    let skipping = ClientTls { insecure_skip_verify: true, ..ClientTls::default() };
    check(&made("spiffe://x", false), &skipping, "b.test", true);
    check(&made("spiffe://x", true), &skipping, "b.test", true);
}

#[test]
fn a_uri_that_must_be_there_is_looked_for_even_when_the_rest_is_skipped() {
    let server = made("spiffe://right", false);
    let wants = |uri: &str, skip| ClientTls {
        peer_cert_uri: uri.into(),
        insecure_skip_verify: skip,
        ..roots(&server.authority)
    };
    check(&server, &wants("spiffe://right", false), "a.test", true);
    check(&server, &wants("spiffe://wrong", false), "a.test", false);
    check(&server, &wants("spiffe://right", true), "b.test", true);
    check(&server, &wants("spiffe://wrong", true), "b.test", false);
    let stranger =
        ClientTls { peer_cert_uri: "spiffe://right".into(), insecure_skip_verify: true, ..roots(&server.pem) };
    check(&made("spiffe://right", false), &stranger, "a.test", false);
}

#[test]
fn what_makes_no_sense_is_said() {
    let versions =
        |min: &str, max: &str| ClientTls { min_version: min.into(), max_version: max.into(), ..ClientTls::default() };
    assert!(matches!(client_config(&versions("TLS13", "")), Err(TlsError::UnknownVersion(_))));
    assert!(matches!(client_config(&versions("VersionTLS13", "VersionTLS12")), Err(TlsError::NothingLeft(_))));
    let suites = ClientTls { cipher_suites: vec!["NONE".into()], ..ClientTls::default() };
    assert!(matches!(client_config(&suites), Err(TlsError::UnknownCipherSuite(_))));
    assert!(matches!(client_config(&roots("/nowhere.pem")), Err(TlsError::Pem(_))));
}
