//! [`CertificateStore`]: which certificate a name gets.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::self_signed::SelfSigned;
use crate::{TlsError, pem};

/// A certificate with its key, and the names it is for.
#[derive(Clone, Debug)]
pub struct StoredCertificate {
    /// Lower-cased and sorted; addresses in their text form.
    pub names: Box<[Box<str>]>,
    pub key: Arc<CertifiedKey>,
    digest: [u8; 32],
    /// The same with an answer of its authority, which comes and goes; whoever loads the certificate again has it too.
    stapled: Arc<ArcSwapOption<CertifiedKey>>,
}

impl StoredCertificate {
    /// Tells certificates apart.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// What clients are shown.
    pub fn shown(&self) -> Arc<CertifiedKey> {
        self.stapled.load_full().unwrap_or_else(|| Arc::clone(&self.key))
    }

    /// From now on clients get this answer of the authority with the certificate, or none.
    pub fn staple(&self, answer: Option<Vec<u8>>) {
        let stapled = answer.map(|answer| {
            let mut key = CertifiedKey::clone(&self.key);
            key.ocsp = Some(answer);
            Arc::new(key)
        });
        self.stapled.store(stapled);
    }

    /// Reads a pair of file names or PEM texts. A certificate that `known` holds is not parsed again.
    pub(crate) fn load(
        certificate: &str,
        key: &str,
        known: Option<&CertificateStore>,
        provider: &CryptoProvider,
    ) -> Result<Self, TlsError> {
        let mut hash = Sha256::new();
        for part in [certificate, key] {
            let content = pem::file_or_content(part)?;
            hash.update((content.len() as u64).to_be_bytes());
            hash.update(&content);
        }
        let digest = hash.finalize().into();
        if let Some(same) = known.and_then(|known| {
            known.certificates.iter().chain(known.given_default()).find(|stored| stored.digest == digest)
        }) {
            return Ok(same.clone());
        }
        let chain = pem::certificates(certificate)?;
        let names = names(&chain[0]);
        let key = CertifiedKey::from_der(chain, pem::private_key(key)?, provider)?;
        Ok(Self { names, key: Arc::new(key), digest, stapled: Arc::default() })
    }
}

/// What is served when no certificate fits.
#[derive(Clone, Debug)]
pub(crate) enum DefaultCertificate {
    Given(StoredCertificate),
    SelfSigned(Arc<SelfSigned>),
    /// The user gave one, and it cannot be used: better none than another.
    Broken,
}

/// The certificates of the store `default`, the only one that is ever asked.
///
/// Among several that fit, the one whose sorted names come last in byte order wins, which puts exact names before
/// wildcards; among equals the first that was loaded.
#[derive(Debug)]
pub struct CertificateStore {
    certificates: Vec<StoredCertificate>,
    /// Name (`*.rest` for wildcards) → position of the best certificate that carries it.
    index: HashMap<Box<str>, usize, foldhash::fast::RandomState>,
    default: DefaultCertificate,
}

impl CertificateStore {
    pub(crate) fn new(mut certificates: Vec<StoredCertificate>, default: DefaultCertificate) -> Self {
        certificates.sort_by_cached_key(|certificate| Reverse(certificate.names.join(",")));
        let mut index = HashMap::default();
        for (position, certificate) in certificates.iter().enumerate() {
            for name in &certificate.names {
                index.entry(name.clone()).or_insert(position);
            }
        }
        Self { certificates, index, default }
    }

    /// The certificate for that name, which must be lower-case.
    pub fn find(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let exact = self.index.get(name);
        let wildcard = match name.split_once('.') {
            Some((_, rest)) if !self.certificates.is_empty() => self.index.get(format!("*.{rest}").as_str()),
            _ => None,
        };
        let best = exact.into_iter().chain(wildcard).min()?;
        Some(self.certificates[*best].shown())
    }

    /// The certificate for an address, asked for by clients that name nobody.
    pub fn find_address(&self, address: IpAddr) -> Option<Arc<CertifiedKey>> {
        self.index.get(address.to_canonical().to_string().as_str()).map(|at| self.certificates[*at].shown())
    }

    /// What is served when no certificate fits.
    pub fn default_certificate(&self) -> Option<Arc<CertifiedKey>> {
        match &self.default {
            DefaultCertificate::Given(stored) => Some(stored.shown()),
            DefaultCertificate::SelfSigned(lazy) => lazy.get(),
            DefaultCertificate::Broken => None,
        }
    }

    /// Every certificate but the default one.
    pub fn certificates(&self) -> &[StoredCertificate] {
        &self.certificates
    }

    /// The default certificate, if it is one of the user's.
    pub fn given_default(&self) -> Option<&StoredCertificate> {
        match &self.default {
            DefaultCertificate::Given(stored) => Some(stored),
            _ => None,
        }
    }

    pub(crate) fn generated(&self) -> Option<&Arc<SelfSigned>> {
        match &self.default {
            DefaultCertificate::SelfSigned(lazy) => Some(lazy),
            _ => None,
        }
    }
}

/// The names a certificate is for: its alternative names and, as in Traefik, its common name in any case.
fn names(leaf: &CertificateDer<'_>) -> Box<[Box<str>]> {
    let Ok((_, parsed)) = X509Certificate::from_der(leaf) else { return Box::default() };
    let mut names: Vec<Box<str>> = Vec::new();
    if let Ok(Some(alternative)) = parsed.subject_alternative_name() {
        for name in &alternative.value.general_names {
            match name {
                GeneralName::DNSName(name) => names.push(name.to_lowercase().into()),
                GeneralName::IPAddress(bytes) => names.extend(address(bytes).map(|ip| ip.to_string().into())),
                _ => {}
            }
        }
    }
    let common = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    names.extend(common.filter(|name| !name.is_empty()).map(|name| name.to_lowercase().into()));
    names.sort_unstable();
    names.dedup();
    names.into()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

    fn stored(names: &[&str]) -> StoredCertificate {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let key = CertifiedKey::from_der(vec![made.cert.der().clone()], key, &crate::provider()).unwrap();
        let digest = Sha256::digest(made.cert.der()).into();
        StoredCertificate { names: super::names(made.cert.der()), key: Arc::new(key), digest, stapled: Arc::default() }
    }

    #[track_caller]
    fn check(sets: &[&[&str]], asked: &str, expected: Option<usize>) {
        let all: Vec<_> = sets.iter().map(|names| stored(names)).collect();
        let store = CertificateStore::new(all.clone(), DefaultCertificate::Broken);
        let found = store.find(asked);
        let position = found.map(|key| all.iter().position(|one| Arc::ptr_eq(&one.key, &key)).unwrap());
        assert_eq!(position, expected);
    }

    #[test]
    fn exact_names_win_over_wildcards() {
        check(&[&["*.wild.test"], &["exact.wild.test"]], "exact.wild.test", Some(1));
        check(&[&["*.wild.test"], &["exact.wild.test"]], "x.wild.test", Some(0));
        check(&[&["*.wild.test"]], "a.b.wild.test", None);
        check(&[&["*.wild.test"]], "wild.test", None);
    }

    #[test]
    fn the_last_list_of_names_wins_and_the_first_loaded_among_equals() {
        check(&[&["a.test", "b.test"], &["a.test", "z.test"]], "a.test", Some(1));
        check(&[&["a.test"], &["a.test"]], "a.test", Some(0));
    }

    #[test]
    fn addresses_are_names_too() {
        let store = CertificateStore::new(vec![stored(&["127.0.0.1"])], DefaultCertificate::Broken);
        assert!(store.find_address("::ffff:127.0.0.1".parse().unwrap()).is_some());
        assert!(store.find_address("127.0.0.2".parse().unwrap()).is_none());
    }
}
