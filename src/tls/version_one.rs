//! Certificates of X.509 version 1: what `openssl x509 -req` makes of a request when nobody thinks of extensions. The
//! TLS stack refuses to read them; Go does not, so client certificates of this kind are in use, as are servers behind
//! `insecureSkipVerify`.
//!
//! What must hold: a version 1 certificate is believed only if one of the named authorities has signed it itself.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error};
use x509_parser::prelude::{FromDer, X509Certificate, X509Version};

use crate::pinned::{Purpose, is_valid_now};

/// As the function of the same purpose in the TLS stack, and for version 1 as well.
pub(crate) fn verify_tls12(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let Some(old) = parse(leaf) else { return verify_tls12_signature(message, leaf, signed, algorithms) };
    let key = PublicKey::of(old.public_key().raw).ok_or(CertificateError::BadEncoding)?;
    let fitting = (algorithms.mapping.iter())
        .filter(|(scheme, _)| *scheme == signed.scheme)
        .flat_map(|(_, algorithms)| algorithms.iter())
        .filter(|algorithm| algorithm.public_key_alg_id().as_ref() == key.algorithm);
    for algorithm in fitting {
        if algorithm.verify_signature(key.bits, message, signed.signature()).is_ok() {
            return Ok(HandshakeSignatureValid::assertion());
        }
    }
    Err(CertificateError::BadSignature.into())
}

/// See [`verify_tls12`].
pub(crate) fn verify_tls13(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let Some(old) = parse(leaf) else { return verify_tls13_signature(message, leaf, signed, algorithms) };
    let key = SubjectPublicKeyInfoDer::from(old.public_key().raw);
    verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
}

/// Whether that is a version 1 certificate which one of `authorities` has signed, and both are in force. None: it is of
/// another version.
pub(crate) fn is_signed_by_one_of(
    leaf: &CertificateDer<'_>,
    authorities: &[CertificateDer<'_>],
    now: UnixTime,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Option<Result<(), Error>> {
    let old = parse(leaf)?;
    let signed = authorities.iter().any(|authority| {
        X509Certificate::from_der(authority).is_ok_and(|(_, parsed)| {
            parsed.subject().as_raw() == old.issuer().as_raw()
                && may_sign(&parsed)
                && is_valid_now(authority, now, Purpose::Authority).is_ok()
                && has_signed(parsed.public_key().raw, leaf, algorithms)
        })
    });
    if !signed {
        return Some(Err(CertificateError::UnknownIssuer.into()));
    }
    Some(is_valid_now(leaf, now, Purpose::Client))
}

fn may_sign(authority: &X509Certificate<'_>) -> bool {
    let usage = authority.key_usage().ok().flatten();
    let is_authority = authority.is_ca() || authority.version() == X509Version::V1;
    is_authority && usage.is_none_or(|usage| usage.value.key_cert_sign())
}

/// Whether the key of an authority has signed that: a certificate, or another structure of the same form.
pub(crate) fn has_signed(authority: &[u8], leaf: &[u8], algorithms: &WebPkiSupportedAlgorithms) -> bool {
    let checked = || {
        let key = PublicKey::of(authority)?;
        let (certificate, _) = element(leaf)?;
        let (_, after_content) = element(certificate)?;
        let content = &certificate[..certificate.len() - after_content.len()];
        let (algorithm, rest) = element(after_content)?;
        let (signature, _) = element(rest)?;
        let signature = signature.strip_prefix(&[0])?;
        let fitting = algorithms.all.iter().filter(|known| {
            known.signature_alg_id().as_ref() == algorithm && known.public_key_alg_id().as_ref() == key.algorithm
        });
        Some(fitting.into_iter().any(|known| known.verify_signature(key.bits, content, signature).is_ok()))
    };
    checked().unwrap_or(false)
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    (parsed.version() == X509Version::V1).then_some(parsed)
}

/// The two parts of a `SubjectPublicKeyInfo`.
struct PublicKey<'a> {
    algorithm: &'a [u8],
    bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    fn of(info: &'a [u8]) -> Option<Self> {
        let (info, _) = element(info)?;
        let (algorithm, rest) = element(info)?;
        let (bits, _) = element(rest)?;
        Some(Self { algorithm, bits: bits.strip_prefix(&[0])? })
    }
}

/// The content of the first DER element, and what follows it.
pub(crate) fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[_tag, first], rest) = der.split_first_chunk::<2>()?;
    let (len, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        (digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit)), rest)
    };
    rest.split_at_checked(len)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::pki_types::pem::PemObject;

    use super::*;

    /// A version 1 certificate (`CN=client`), the authority that signed it, and one that has the same name and did not;
    /// made with `openssl req -x509` and `openssl x509 -req`, in force from 2026 to 2126.
    const PEM: &str = include_str!("version_one/certificates.pem");

    #[track_caller]
    fn check(authority: usize, seconds: u64, expected: Result<(), Error>) {
        let all: Vec<_> = CertificateDer::pem_slice_iter(PEM.as_bytes()).collect::<Result<_, _>>().unwrap();
        let algorithms = crate::provider().signature_verification_algorithms;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let result = is_signed_by_one_of(&all[0], &all[authority..=authority], now, &algorithms);
        assert_eq!(result, Some(expected));
        assert!(is_signed_by_one_of(&all[1], &all, now, &algorithms).is_none(), "the authority is of version 3");
    }

    const IN_FORCE: u64 = 1_900_000_000;

    #[test]
    fn it_is_believed_if_the_authority_signed_it() {
        check(1, IN_FORCE, Ok(()));
    }

    #[test]
    fn a_namesake_of_the_authority_is_not_enough() {
        check(2, IN_FORCE, Err(CertificateError::UnknownIssuer.into()));
    }

    #[test]
    fn time_counts() {
        check(1, 1_000_000_000, Err(CertificateError::UnknownIssuer.into()));
    }
}
