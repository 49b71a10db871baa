//! A certificate in words.

use std::net::IpAddr;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{
    OID_DOMAIN_COMPONENT, OID_X509_COMMON_NAME, OID_X509_COUNTRY_NAME, OID_X509_LOCALITY_NAME,
    OID_X509_ORGANIZATION_NAME, OID_X509_ORGANIZATIONAL_UNIT, OID_X509_SERIALNUMBER, OID_X509_STATE_OR_PROVINCE_NAME,
    Oid,
};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::X509Name;

use super::{DistinguishedName, Info};

/// `Subject="…";Issuer="…"…`; None when the certificate cannot be read.
pub(super) fn describe(info: &Info, der: &bytes::Bytes) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let mut parts = Vec::new();
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            parts.push(format!("{name}=\"{value}\""));
        }
    };
    if let Some(wanted) = &info.subject {
        add("Subject", name(wanted, certificate.subject()));
    }
    if let Some(wanted) = &info.issuer {
        add("Issuer", name(wanted, certificate.issuer()));
    }
    if info.serial_number {
        add("SerialNumber", certificate.tbs_certificate.serial.to_string());
    }
    if info.not_before {
        add("NB", certificate.validity().not_before.timestamp().to_string());
    }
    if info.not_after {
        add("NA", certificate.validity().not_after.timestamp().to_string());
    }
    if info.sans {
        add("SAN", alternative_names(&certificate));
    }
    Some(parts.join(";"))
}

/// The wanted parts in Traefik's order.
fn name(wanted: &DistinguishedName, of: &X509Name<'_>) -> String {
    let table: [(bool, &str, Oid<'static>); 8] = [
        (wanted.domain_component, "DC", OID_DOMAIN_COMPONENT),
        (wanted.country, "C", OID_X509_COUNTRY_NAME),
        (wanted.province, "ST", OID_X509_STATE_OR_PROVINCE_NAME),
        (wanted.locality, "L", OID_X509_LOCALITY_NAME),
        (wanted.organization, "O", OID_X509_ORGANIZATION_NAME),
        (wanted.organizational_unit, "OU", OID_X509_ORGANIZATIONAL_UNIT),
        (wanted.serial_number, "SN", OID_X509_SERIALNUMBER),
        (wanted.common_name, "CN", OID_X509_COMMON_NAME),
    ];
    let mut parts = Vec::new();
    for (_, key, oid) in table.iter().filter(|(wanted, _, _)| *wanted) {
        for attribute in of.iter_by_oid(oid) {
            parts.extend(attribute.as_str().ok().map(|value| format!("{key}={value}")));
        }
    }
    parts.join(",")
}

/// Names, then mail addresses, then IP addresses, then URIs.
fn alternative_names(certificate: &X509Certificate<'_>) -> String {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return String::new() };
    let mut kinds: [Vec<String>; 4] = Default::default();
    for name in &extension.value.general_names {
        match name {
            GeneralName::DNSName(name) => kinds[0].push((*name).to_owned()),
            GeneralName::RFC822Name(mail) => kinds[1].push((*mail).to_owned()),
            GeneralName::IPAddress(bytes) => kinds[2].extend(address(bytes)),
            GeneralName::URI(uri) => kinds[3].push((*uri).to_owned()),
            _ => {}
        }
    }
    kinds.concat().join(",")
}

fn address(bytes: &[u8]) -> Option<String> {
    let address =
        <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
    address.ok().map(|address| address.to_string())
}
