//! OCSP: what an authority is asked about a certificate of ours, and whether its answer may be shown to clients. Pure.
//!
//! What must hold: only an answer that says *good*, of this very certificate, signed by its authority or by one whom the
//! authority named for that, and in its time, is ever shown. Clients close connections over anything else.

use std::time::{Duration, SystemTime};

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::CertificateDer;
use sha1::{Digest, Sha1};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_OCSP;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::version_one::has_signed;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const TIME: u8 = 0x18;
/// Parts that are numbered; the first of a structure, the second, and so on.
const FIRST: u8 = 0xa0;
const GOOD: u8 = 0x80;
const REVOKED: u8 = 0xa1;
/// `AlgorithmIdentifier` of SHA-1, by which OCSP names certificates.
const SHA1: &[u8] = &[0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00];
/// Clocks of others may be ahead.
const SKEW: Duration = Duration::from_mins(5);
const MALFORMED: &str = "the answer is malformed";
/// How long an answer without an end is good for.
const UNLIMITED: Duration = Duration::from_hours(24);

/// What is asked about one certificate.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whom the certificate says to ask.
    pub responder: String,
    /// What to send there.
    pub request: Vec<u8>,
    /// The certificate, as OCSP names it.
    id: Vec<u8>,
    issuer: CertificateDer<'static>,
}

/// What an answer says of one certificate.
struct Single {
    /// Good, revoked or unknown.
    kind: u8,
    since: SystemTime,
    until: Option<SystemTime>,
}

/// The time of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub since: SystemTime,
    pub until: SystemTime,
}

impl Question {
    /// None: the certificate names nobody to ask over HTTP, or its issuer is not in the chain.
    pub fn of(chain: &[CertificateDer<'static>]) -> Option<Self> {
        let (leaf, issuer) = (chain.first()?, chain.get(1)?);
        let (_, parsed) = X509Certificate::from_der(leaf).ok()?;
        let (_, parent) = X509Certificate::from_der(issuer).ok()?;
        let responder = parsed.extensions().iter().find_map(|extension| {
            let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() else { return None };
            access.accessdescs.iter().find_map(|one| match &one.access_location {
                GeneralName::URI(address) if one.access_method == OID_PKIX_ACCESS_DESCRIPTOR_OCSP => {
                    address.starts_with("http").then(|| (*address).to_owned())
                }
                _ => None,
            })
        })?;
        let name = Sha1::digest(parsed.issuer().as_raw());
        let key = Sha1::digest(&parent.public_key().subject_public_key.data);
        let parts = [SHA1.to_vec(), write(OCTETS, &name), write(OCTETS, &key), write(INTEGER, parsed.raw_serial())];
        let id = write(SEQUENCE, &parts.concat());
        let requests = write(SEQUENCE, &write(SEQUENCE, &id));
        let request = write(SEQUENCE, &write(SEQUENCE, &requests));
        Some(Self { responder, request, id, issuer: issuer.clone() })
    }

    /// Whether the answer may be shown, and how long; else why not.
    pub fn check(
        &self,
        answer: &[u8],
        now: SystemTime,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<Validity, String> {
        let malformed = || MALFORMED.to_owned();
        let basic = basic(answer).map_err(|status| {
            status.map_or_else(malformed, |status| format!("the responder refuses to answer (status {status})"))
        })?;
        self.is_signed(basic, algorithms).ok_or_else(|| "the answer is not signed by the authority".to_owned())?;
        let Single { kind, since, until } = self.single(basic).unwrap_or(Err(MALFORMED))?;
        match kind {
            GOOD => {}
            REVOKED => return Err("the certificate is revoked".to_owned()),
            _ => return Err("the responder does not know the certificate".to_owned()),
        }
        let until = until.unwrap_or(since + UNLIMITED);
        if since > now + SKEW || until <= now {
            return Err("the answer is out of its time".to_owned());
        }
        Ok(Validity { since, until })
    }

    /// By the authority, or by somebody whom it has certified for that and whose certificate is in the answer.
    fn is_signed(&self, basic: &[u8], algorithms: &WebPkiSupportedAlgorithms) -> Option<()> {
        let (_, issuer) = X509Certificate::from_der(&self.issuer).ok()?;
        let authority = issuer.public_key().raw;
        if has_signed(authority, basic, algorithms) {
            return Some(());
        }
        let mut parts = Parts(Parts(basic).take(SEQUENCE)?);
        for _ in 0..3 {
            parts.next()?;
        }
        let mut certificates = Parts(Parts(parts.take(FIRST)?).take(SEQUENCE)?);
        while let Some((_, _, certificate)) = certificates.next() {
            let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { continue };
            let may = parsed.extended_key_usage().ok().flatten().is_some_and(|usage| usage.value.ocsp_signing);
            if may
                && parsed.validity().is_valid()
                && has_signed(authority, certificate, algorithms)
                && has_signed(parsed.public_key().raw, basic, algorithms)
            {
                return Some(());
            }
        }
        None
    }

    /// What is said of our certificate. None: the answer is malformed.
    fn single(&self, basic: &[u8]) -> Option<Result<Single, &'static str>> {
        let mut data = Parts(Parts(Parts(basic).take(SEQUENCE)?).take(SEQUENCE)?);
        let (mut tag, _, _) = data.next()?;
        if tag == FIRST {
            // A version; what follows is who answers.
            tag = data.next()?.0;
        }
        if tag == TIME {
            return None;
        }
        data.take(TIME)?;
        let mut all = Parts(data.take(SEQUENCE)?);
        while let Some((SEQUENCE, one, _)) = all.next() {
            let mut parts = Parts(one);
            let (_, _, id) = parts.next()?;
            if id != self.id {
                continue;
            }
            let (kind, _, _) = parts.next()?;
            let since = time(parts.take(TIME)?)?;
            let until = match parts.next() {
                Some((FIRST, inner, _)) => Some(time(Parts(inner).take(TIME)?)?),
                _ => None,
            };
            return Some(Ok(Single { kind, since, until }));
        }
        Some(Err("the answer is about others"))
    }
}

/// The signed part of an answer; else the status that stands in its place, if there is one.
fn basic(answer: &[u8]) -> Result<&[u8], Option<u8>> {
    let mut parts = Parts(Parts(answer).take(SEQUENCE).ok_or(None)?);
    match parts.take(ENUMERATED).ok_or(None)? {
        [0] => {}
        [status] => return Err(Some(*status)),
        _ => return Err(None),
    }
    let mut inner = || {
        let mut bytes = Parts(Parts(parts.take(FIRST)?).take(SEQUENCE)?);
        bytes.next()?;
        bytes.take(OCTETS)
    };
    inner().ok_or(None)
}

/// DER elements, one after the other.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    /// Tag, content and the whole of the next.
    fn next(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let (content, rest) = crate::version_one::element(self.0)?;
        let (tag, whole) = (*self.0.first()?, &self.0[..self.0.len() - rest.len()]);
        self.0 = rest;
        Some((tag, content, whole))
    }

    /// The content of the next, which must have that tag.
    fn take(&mut self, expected: u8) -> Option<&'a [u8]> {
        self.next().filter(|(tag, ..)| *tag == expected).map(|(_, content, _)| content)
    }
}

fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        Ok(byte) => out.extend([0x81, byte]),
        // Nothing here comes near to 64 KiB.
        Err(_) => out.extend([0x82, (content.len() >> 8).to_le_bytes()[0], content.len().to_le_bytes()[0]]),
    }
    out.extend_from_slice(content);
    out
}

/// `YYYYMMDDHHMMSSZ`.
fn time(text: &[u8]) -> Option<SystemTime> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hours, minutes, seconds) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March, so that a leap day is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let seconds = (days.checked_sub(719_468)? * 24 + hours) * 3600 + minutes * 60 + seconds;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let seconds =
            |text: &str| time(text.as_bytes()).map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs());
        assert_eq!(seconds("19700101000000Z"), Some(0));
        assert_eq!(seconds("20000229123456Z"), Some(951_827_696));
        assert_eq!(seconds("20261124133000Z"), Some(1_795_527_000));
        assert_eq!(seconds("20261324133000Z"), None);
        assert_eq!(seconds("2026112413300Z"), None);
    }

    #[test]
    fn lengths_are_written() {
        assert_eq!(write(4, &[7; 3]), [4, 3, 7, 7, 7]);
        assert_eq!(write(4, &[7; 200])[..3], [4, 0x81, 200]);
        assert_eq!(write(4, &[7; 300])[..4], [4, 0x82, 1, 44]);
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(basic(&[0x30, 3, 0x0a, 1, 6]), Err(Some(6)));
        for answer in [&[][..], &[0x30], &[0x30, 3, 0x0a, 1, 0], &[0x30, 0x84, 255, 255, 255, 255]] {
            assert_eq!(basic(answer), Err(None));
        }
    }
}
