//! What a back end is told of a client certificate.

use std::rc::Rc;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair, SanType};
use trafficcop_exchange::{Method, TlsInfo};

use crate::testing::{self, Origin, Seen};

fn ask(settings: &str, with_certificate: bool) -> Seen {
    let mut params = CertificateParams::new(vec!["me.test".to_owned()]).expect("good names");
    params.subject_alt_names.push(SanType::IpAddress([10, 1, 2, 3].into()));
    params.distinguished_name.push(DnType::CommonName, "me & you");
    params.distinguished_name.push(DnType::CountryName, "FR");
    params.serial_number = Some(716_584_772_441_u64.into());
    let key = KeyPair::generate().expect("a key");
    let der = params.self_signed(&key).expect("a certificate").der().to_vec();
    let origin = Origin::ok();
    let chain = testing::chain("passTLSClientCert", settings, origin.clone()).expect("good settings");
    let mut exchange = testing::exchange();
    let client_certificates = if with_certificate { vec![der.into()] } else { Vec::new() };
    let mut connection = (*exchange.connection).clone();
    connection.tls = Some(Arc::new(TlsInfo { client_certificates, ..TlsInfo::default() }));
    exchange.connection = Rc::new(connection);
    let mut request = testing::request(Method::GET, "/");
    request.headers.append("X-Forwarded-Tls-Client-Cert", "forged");
    request.headers.append("X-Forwarded-Tls-Client-Cert-Info", "forged");
    testing::run(&chain, request, &mut exchange);
    origin.seen().remove(0)
}

#[test]
fn details_are_escaped_and_in_order() {
    let seen = ask("{info: {sans: true, serialNumber: true, subject: {commonName: true, country: true}}}", true);
    assert_eq!(
        seen.header("X-Forwarded-Tls-Client-Cert-Info"),
        Some(
            "Subject%3D%22C%3DFR%2CCN%3Dme+%26+you%22%3BSerialNumber%3D%22716584772441%22%3BSAN%3D%22me.test%2C10.1.2.3%22"
        )
    );
}

#[test]
fn the_certificate_has_no_armour() {
    let seen = ask("{pem: true}", true);
    let value = seen.header("X-Forwarded-Tls-Client-Cert").expect("a header");
    assert!(value.starts_with("MII") && !value.contains('\n'), "{value}");
}

#[test]
fn forgeries_are_removed() {
    let seen = ask("{pem: true, info: {sans: true}}", false);
    assert_eq!(seen.header("X-Forwarded-Tls-Client-Cert"), None);
    assert_eq!(seen.header("X-Forwarded-Tls-Client-Cert-Info"), None);
}
