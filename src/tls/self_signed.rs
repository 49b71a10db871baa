//! The certificate of last resort: self-signed, made once, kept as long as the process runs.
//!
//! Traefik makes a new one after every reload, which breaks whoever pinned it; ours stays.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, DnValue, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, RsaKeySize};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

/// The common name by which users of Traefik recognise it.
pub const COMMON_NAME: &str = "TRAEFIK DEFAULT CERT";

const YEAR: Duration = Duration::from_hours(365 * 24);

/// Made at first use. RSA, because a list of cipher suites may leave room for nothing else.
#[derive(Debug, Default)]
pub struct SelfSigned(OnceLock<Option<Arc<CertifiedKey>>>);

impl SelfSigned {
    /// Begins to make it on a thread of its own: it takes a good part of a second.
    pub fn prepare() -> Arc<Self> {
        let lazy = Arc::new(Self::default());
        let maker = Arc::clone(&lazy);
        std::thread::spawn(move || maker.get().is_some());
        lazy
    }

    /// Waits for it when it is being made. None if this machine could not make one.
    pub fn get(&self) -> Option<Arc<CertifiedKey>> {
        self.0
            .get_or_init(|| match generate() {
                Ok(key) => Some(Arc::new(key)),
                Err(error) => {
                    tracing::error!(%error, "Cannot make the default certificate.");
                    None
                }
            })
            .clone()
    }
}

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
enum MakingError {
    #[error(transparent)]
    Generate(#[from] rcgen::Error),
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

fn generate() -> Result<CertifiedKey, MakingError> {
    let pair = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let mut params = CertificateParams::new(vec![domain(pair.public_key_raw())])?;
    params.distinguished_name.push(DnType::CommonName, DnValue::Utf8String(COMMON_NAME.to_owned()));
    params.not_before = SystemTime::now().into();
    params.not_after = (SystemTime::now() + YEAR).into();
    params.key_usages = vec![
        KeyUsagePurpose::KeyEncipherment,
        KeyUsagePurpose::DataEncipherment,
        KeyUsagePurpose::KeyAgreement,
        KeyUsagePurpose::DigitalSignature,
    ];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&pair)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
    Ok(CertifiedKey::from_der(vec![certificate.der().clone()], key, &crate::provider())?)
}

/// A name that nobody asks for, different for every key.
fn domain(public_key: &[u8]) -> String {
    let digest = Sha256::digest(public_key).iter().fold(String::new(), |mut hex, byte| {
        let _writing_to_a_string_succeeds = write!(hex, "{byte:02x}");
        hex
    });
    format!("{}.{}.traefik.default", &digest[..32], &digest[32..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::{FromDer, X509Certificate};

    #[test]
    fn is_named_as_users_know_it_and_made_once() {
        let lazy = SelfSigned::prepare();
        let first = lazy.get().unwrap();
        assert!(Arc::ptr_eq(&first, &lazy.get().unwrap()));
        let (_, parsed) = X509Certificate::from_der(&first.cert[0]).unwrap();
        assert_eq!(parsed.subject().iter_common_name().next().unwrap().as_str(), Ok(COMMON_NAME));
        assert!(!parsed.is_ca());
        let days = (parsed.validity().not_after.timestamp() - parsed.validity().not_before.timestamp()) / 86400;
        assert_eq!(days, 365);
    }
}
