//! The names of versions, cipher suites and curves, as Traefik's users write them, and what of them exists here.
//!
//! The TLS stack has no TLS 1.0 or 1.1, no CBC or static-RSA suites and no key exchange over P-521: such names are known,
//! so that they are told apart from typing errors, and reported as having no effect.

use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{CipherSuite, NamedGroup, SupportedProtocolVersion};

use crate::TlsError;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<T> {
    Here(T),
    /// A valid name of something this TLS stack does not do.
    Absent,
}

/// A TLS version by the name Go gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProtocolVersion {
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

impl ProtocolVersion {
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "VersionTLS10" => Self::Tls10,
            "VersionTLS11" => Self::Tls11,
            "VersionTLS12" => Self::Tls12,
            "VersionTLS13" => Self::Tls13,
            _ => return None,
        })
    }
}

/// The versions from `min` to `max` that exist here, newest first.
pub(crate) fn versions(min: ProtocolVersion, max: ProtocolVersion) -> Vec<&'static SupportedProtocolVersion> {
    let all = [(ProtocolVersion::Tls13, &rustls::version::TLS13), (ProtocolVersion::Tls12, &rustls::version::TLS12)];
    all.into_iter().filter(|(version, _)| (min..=max).contains(version)).map(|(_, version)| version).collect()
}

/// The suite of that name.
pub fn cipher_suite(name: &str) -> Option<Known<CipherSuite>> {
    Some(Known::Here(match name {
        "TLS_AES_128_GCM_SHA256" => CipherSuite::TLS13_AES_128_GCM_SHA256,
        "TLS_AES_256_GCM_SHA384" => CipherSuite::TLS13_AES_256_GCM_SHA384,
        "TLS_CHACHA20_POLY1305_SHA256" => CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" => CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" => CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" => CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" => CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" | "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305" => {
            CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        }
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" | "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305" => {
            CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        }
        "TLS_RSA_WITH_RC4_128_SHA"
        | "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
        | "TLS_RSA_WITH_AES_128_CBC_SHA"
        | "TLS_RSA_WITH_AES_256_CBC_SHA"
        | "TLS_RSA_WITH_AES_128_CBC_SHA256"
        | "TLS_RSA_WITH_AES_128_GCM_SHA256"
        | "TLS_RSA_WITH_AES_256_GCM_SHA384"
        | "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"
        | "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
        | "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"
        | "TLS_ECDHE_RSA_WITH_RC4_128_SHA"
        | "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"
        | "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"
        | "TLS_FALLBACK_SCSV" => return Some(Known::Absent),
        _ => return None,
    }))
}

/// The curve of that name, in Go's spelling or IANA's.
pub fn curve(name: &str) -> Option<Known<NamedGroup>> {
    Some(Known::Here(match name {
        "X25519" | "x25519" => NamedGroup::X25519,
        "CurveP256" | "secp256r1" => NamedGroup::secp256r1,
        "CurveP384" | "secp384r1" => NamedGroup::secp384r1,
        "X25519MLKEM768" | "x25519mlkem768" => NamedGroup::X25519MLKEM768,
        "SecP256r1MLKEM768" => NamedGroup::secp256r1MLKEM768,
        "CurveP521" | "secp521r1" | "SecP384r1MLKEM1024" => return Some(Known::Absent),
        _ => return None,
    }))
}

/// The IANA name, which for TLS 1.3 suites is not the library's.
pub fn cipher_name(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        other => other.as_str().unwrap_or("unknown"),
    }
}

/// The rank of a suite in Go's order: 128 bits before 256 bits before ChaCha20.
pub(crate) fn preference(suite: CipherSuite) -> u8 {
    let name = cipher_name(suite);
    let strength = if name.contains("CHACHA") { 4 } else { 2 * u8::from(name.contains("AES_256")) };
    strength + u8::from(name.contains("_RSA_"))
}

/// Narrows `provider` to these suites; they bind TLS 1.2 only, whose suites are all removed when none is named. Returns
/// the names that have no effect.
pub(crate) fn narrow_suites(provider: &mut CryptoProvider, names: &[String]) -> Result<Vec<String>, TlsError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let (mut chosen, mut without_effect) = (Vec::new(), Vec::new());
    for name in names {
        match cipher_suite(name) {
            Some(Known::Here(suite)) => chosen.push(suite),
            Some(Known::Absent) => without_effect.push(name.clone()),
            None => return Err(TlsError::UnknownCipherSuite(name.clone())),
        }
    }
    provider.cipher_suites.retain(|suite| suite.tls13().is_some() || chosen.contains(&suite.suite()));
    Ok(without_effect)
}

/// Narrows `provider` to these curves, in this order. Returns the names that have no effect.
pub(crate) fn narrow_curves(provider: &mut CryptoProvider, names: &[String]) -> Result<Vec<String>, TlsError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let all: &[&'static dyn SupportedKxGroup] = rustls::crypto::aws_lc_rs::ALL_KX_GROUPS;
    let (mut chosen, mut without_effect) = (Vec::new(), Vec::new());
    for name in names {
        match curve(name) {
            Some(Known::Here(group)) => match all.iter().find(|offered| offered.name() == group) {
                Some(offered) => chosen.push(*offered),
                None => without_effect.push(name.clone()),
            },
            Some(Known::Absent) => without_effect.push(name.clone()),
            None => return Err(TlsError::UnknownCurve(name.clone())),
        }
    }
    if chosen.is_empty() {
        return Err(TlsError::NothingLeft("none of curvePreferences can be used"));
    }
    provider.kx_groups = chosen;
    Ok(without_effect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], expected: &[&str]) {
        let mut provider = crate::provider();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        narrow_suites(&mut provider, &names).unwrap();
        let left: Vec<_> = provider.cipher_suites.iter().map(|suite| cipher_name(suite.suite())).collect();
        assert_eq!(left, expected);
    }

    #[test]
    fn a_list_binds_tls_1_2_only_and_its_order_does_not_count() {
        check(
            &["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
            &[
                "TLS_AES_128_GCM_SHA256",
                "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                "TLS_AES_256_GCM_SHA384",
                "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                "TLS_CHACHA20_POLY1305_SHA256",
            ],
        );
    }

    #[test]
    fn known_names_without_effect_are_told_apart_from_unknown_ones() {
        let mut provider = crate::provider();
        let absent = narrow_suites(&mut provider, &["TLS_RSA_WITH_AES_128_CBC_SHA".into()]).unwrap();
        assert_eq!(absent, ["TLS_RSA_WITH_AES_128_CBC_SHA"]);
        assert!(narrow_suites(&mut provider, &["TLS_NONE".into()]).is_err());
        assert!(narrow_curves(&mut provider, &["CurveP521".into()]).is_err(), "nothing would be left");
        assert_eq!(narrow_curves(&mut provider, &["CurveP521".into(), "CurveP256".into()]).unwrap(), ["CurveP521"]);
        assert_eq!(provider.kx_groups.len(), 1);
    }
}
