//! `/api/certificates`: what the store `default` holds, the user's default certificate included, ours not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use trafficcop_snapshot::Snapshot;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::X509Name;

use crate::answer::Answer;
use crate::page::{self, Query};

/// From this many seconds before its end a certificate is told to be ending.
const SOON: i64 = 30 * 24 * 3600;

/// Object identifiers of parts of names.
const COMMON_NAME: &str = "2.5.4.3";
const COUNTRY: &str = "2.5.4.6";
const ORGANIZATION: &str = "2.5.4.10";

/// One certificate, and by what it is searched and sorted.
struct Shown {
    common_name: String,
    issuer: String,
    status: &'static str,
    not_after: i64,
    searched: Vec<String>,
    value: Value,
}

pub(crate) fn list(snapshot: &Snapshot, query: &Query) -> Answer {
    let (search, status) = (query.get("search").to_lowercase(), query.get("status"));
    let mut shown: Vec<Shown> = all(snapshot).into_values().collect();
    shown.retain(|certificate| {
        let found = certificate.searched.iter().any(|text| text.to_lowercase().contains(&search));
        (search.is_empty() || found) && (status.is_empty() || status.eq_ignore_ascii_case(certificate.status))
    });
    let by = query.get("sortBy");
    shown.sort_by(|one, other| {
        let first = match by {
            "status" => one.status.cmp(other.status),
            "issuer" => one.issuer.cmp(&other.issuer),
            "validUntil" => one.not_after.cmp(&other.not_after),
            _ => std::cmp::Ordering::Equal,
        };
        first.then_with(|| one.common_name.cmp(&other.common_name))
    });
    if !matches!(query.get("direction"), "" | "asc") {
        shown.reverse();
    }
    page::list(shown.into_iter().map(|certificate| certificate.value).collect(), query)
}

/// The certificate of that fingerprint.
pub(crate) fn one(snapshot: &Snapshot, fingerprint: &str) -> Option<Value> {
    all(snapshot).remove(fingerprint).map(|certificate| certificate.value)
}

/// How many there are, how many end soon, and how many have ended.
pub(crate) fn counts(snapshot: &Snapshot) -> Value {
    let all = all(snapshot);
    let count = |status| all.values().filter(|certificate| certificate.status == status).count();
    json!({ "total": all.len(), "warnings": count("warning"), "errors": count("expired") })
}

/// When a certificate ends, and what tells it from others.
pub struct CertificateEnd {
    pub common_name: String,
    /// In decimal digits.
    pub serial: String,
    /// Names and addresses, sorted.
    pub names: Vec<String>,
    /// Seconds since 1970.
    pub not_after: i64,
}

/// Of all that the store `default` holds; each once.
pub fn certificate_ends(snapshot: &Snapshot) -> Vec<CertificateEnd> {
    let end = |der: &[u8]| {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let subject = certificate.subject();
        let common_name = subject.iter_common_name().next().and_then(|name| name.as_str().ok());
        Some(CertificateEnd {
            common_name: common_name.unwrap_or("").to_owned(),
            serial: certificate.tbs_certificate.serial.to_string(),
            names: names(&certificate),
            not_after: certificate.validity().not_after.timestamp(),
        })
    };
    let distinct: BTreeSet<&[u8]> = leaves(snapshot).collect();
    distinct.into_iter().filter_map(end).collect()
}

/// By fingerprint. What cannot be read is left out.
fn all(snapshot: &Snapshot) -> BTreeMap<String, Shown> {
    leaves(snapshot).filter_map(|der| Some((fingerprint(der), show(der)?))).collect()
}

fn leaves(snapshot: &Snapshot) -> impl Iterator<Item = &[u8]> {
    let store = snapshot.tls.store();
    let keys = store.certificates().iter().chain(store.given_default()).map(|certificate| &certificate.key);
    keys.filter_map(|key| key.cert.first().map(|der| &**der))
}

pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _writing_to_a_string_succeeds = write!(hex, "{byte:02x}");
        hex
    })
}

fn show(der: &[u8]) -> Option<Shown> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let text = |name: &X509Name<'_>, oid: &str| {
        let found = name.iter_attributes().find(|attribute| attribute.attr_type().to_id_string() == oid);
        found.and_then(|attribute| attribute.as_str().ok()).unwrap_or("").to_owned()
    };
    let common_name = text(certificate.subject(), COMMON_NAME);
    let (issuer_org, issuer_cn) = (text(certificate.issuer(), ORGANIZATION), text(certificate.issuer(), COMMON_NAME));
    let sans = names(&certificate);
    let (not_before, not_after) =
        (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp());
    let status = status(not_after);
    let (key_type, key_size) = key(&certificate);
    let own = fingerprint(der);

    let mut value = Map::new();
    let mut put = |name: &str, shown: Value| {
        if shown != json!("") {
            value.insert(name.to_owned(), shown);
        }
    };
    put("issuerOrg", json!(issuer_org));
    put("issuerCN", json!(issuer_cn));
    put("issuerCountry", json!(text(certificate.issuer(), COUNTRY)));
    put("organization", json!(text(certificate.subject(), ORGANIZATION)));
    put("country", json!(text(certificate.subject(), COUNTRY)));
    if key_size > 0 {
        put("keySize", json!(key_size));
    }
    value.extend([
        ("name".to_owned(), json!(own)),
        ("sans".to_owned(), json!(sans)),
        ("notAfter".to_owned(), json!(time(not_after))),
        ("notBefore".to_owned(), json!(time(not_before))),
        ("serialNumber".to_owned(), json!(certificate.tbs_certificate.serial.to_string())),
        ("commonName".to_owned(), json!(common_name)),
        ("version".to_owned(), json!(format!("v{}", certificate.version().0 + 1))),
        ("keyType".to_owned(), json!(key_type)),
        ("signatureAlgorithm".to_owned(), json!(signature(&certificate))),
        ("certFingerprint".to_owned(), json!(own)),
        ("publicKeyFingerprint".to_owned(), json!(fingerprint(certificate.public_key().raw))),
        ("status".to_owned(), json!(status)),
    ]);
    let issuer = if issuer_org.is_empty() { issuer_cn.clone() } else { issuer_org.clone() };
    let searched = [common_name.clone(), issuer_org, issuer_cn].into_iter().chain(sans).collect();
    Some(Shown { common_name, issuer, status, not_after, searched, value: Value::Object(value) })
}

fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

fn status(not_after: i64) -> &'static str {
    match not_after - Timestamp::now().as_second() {
        left if left < 0 => "expired",
        left if left < SOON => "warning",
        _ => "enabled",
    }
}

/// Names and addresses, sorted.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let mut names: Vec<String> = (extension.iter())
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect();
    names.sort();
    names
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| std::net::IpAddr::from(bytes).to_string());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| std::net::IpAddr::from(bytes).to_string())).ok()
}

/// The kind of the key and its size in bits.
fn key(certificate: &X509Certificate<'_>) -> (&'static str, usize) {
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => ("RSA", key.key_size()),
        Ok(PublicKey::EC(point)) => ("ECDSA", point.key_size()),
        _ => ("Unknown", 0),
    }
}

/// As Go calls it.
fn signature(certificate: &X509Certificate<'_>) -> String {
    let oid = certificate.signature_algorithm.algorithm.to_id_string();
    let known = [
        ("1.2.840.113549.1.1.5", "SHA1-RSA"),
        ("1.2.840.113549.1.1.11", "SHA256-RSA"),
        ("1.2.840.113549.1.1.12", "SHA384-RSA"),
        ("1.2.840.113549.1.1.13", "SHA512-RSA"),
        ("1.2.840.113549.1.1.10", "SHA256-RSAPSS"),
        ("1.2.840.10045.4.1", "ECDSA-SHA1"),
        ("1.2.840.10045.4.3.2", "ECDSA-SHA256"),
        ("1.2.840.10045.4.3.3", "ECDSA-SHA384"),
        ("1.2.840.10045.4.3.4", "ECDSA-SHA512"),
        ("1.3.101.112", "Ed25519"),
    ];
    known.iter().find(|(id, _)| *id == oid).map_or(oid.clone(), |(_, name)| (*name).to_owned())
}
