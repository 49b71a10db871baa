//! Keys and what they verify. A key is of one kind and verifies signatures of that kind only, whatever a token says.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use x509_parser::der_parser::asn1_rs::FromDer as _;
use x509_parser::pem::Pem;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// The most keys of a set that are kept.
const MAX_KEYS: usize = 64;

/// The algorithms that are understood; `none` is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "HS256" => Self::Hs256,
            "HS384" => Self::Hs384,
            "HS512" => Self::Hs512,
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }
}

enum Material {
    Secret(Vec<u8>),
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

struct Key {
    id: Option<String>,
    /// What the key is for, when the set says so.
    algorithm: Option<Algorithm>,
    material: Material,
}

/// One key, or those of a JWKS.
pub(super) struct KeySet(Vec<Key>);

impl KeySet {
    pub(super) fn secret(secret: Vec<u8>) -> Self {
        Self(vec![Key { id: None, algorithm: None, material: Material::Secret(secret) }])
    }

    /// A public key or a certificate, in PEM.
    pub(super) fn pem(text: &str) -> Result<Self, String> {
        let block = Pem::iter_from_buffer(text.as_bytes()).next().and_then(Result::ok);
        let block = block.ok_or("a public key or a certificate in PEM expected")?;
        let material = match block.label.as_str() {
            "CERTIFICATE" => {
                let certificate = block.parse_x509().map_err(|error| format!("not a certificate: {error}"))?;
                material(certificate.public_key())
            }
            "PUBLIC KEY" => {
                let (_, info) = SubjectPublicKeyInfo::from_der(&block.contents)
                    .map_err(|error| format!("not a public key: {error}"))?;
                material(&info)
            }
            other => return Err(format!("PUBLIC KEY or CERTIFICATE expected, found {other}")),
        };
        let material = material.ok_or("a key of RSA, P-256, P-384 or Ed25519 expected")?;
        Ok(Self(vec![Key { id: None, algorithm: None, material }]))
    }

    /// The keys of a JWKS that are for signatures and of a kind that is understood; others are passed over.
    pub(super) fn jwks(text: &[u8]) -> Result<Self, String> {
        let set: Jwks = serde_json::from_slice(text).map_err(|error| format!("not a JWKS: {error}"))?;
        let keys: Vec<_> = set.keys.into_iter().filter_map(Jwk::key).take(MAX_KEYS).collect();
        if keys.is_empty() { Err("the JWKS holds no key that can verify".into()) } else { Ok(Self(keys)) }
    }

    /// Is there a key of that name (or of any, when the token names none) for this algorithm?
    pub(super) fn serves(&self, algorithm: Algorithm, id: Option<&str>) -> bool {
        self.0.iter().any(|key| key.suits(algorithm, id))
    }

    pub(super) fn verify(&self, algorithm: Algorithm, id: Option<&str>, message: &[u8], signature: &[u8]) -> bool {
        self.0
            .iter()
            .filter(|key| key.suits(algorithm, id))
            .any(|key| key.material.verify(algorithm, message, signature))
    }
}

impl Key {
    fn suits(&self, algorithm: Algorithm, id: Option<&str>) -> bool {
        let named = match (&self.id, id) {
            (Some(mine), Some(asked)) => mine == asked,
            _ => true,
        };
        named && self.algorithm.is_none_or(|mine| mine == algorithm) && self.material.is_for(algorithm)
    }
}

impl Material {
    fn is_for(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Hs256, Hs384, Hs512, Rs256, Rs384, Rs512};
        match self {
            Self::Secret(_) => matches!(algorithm, Hs256 | Hs384 | Hs512),
            Self::Rsa { .. } => matches!(algorithm, Rs256 | Rs384 | Rs512),
            Self::P256(_) => algorithm == Es256,
            Self::P384(_) => algorithm == Es384,
            Self::Ed25519(_) => algorithm == EdDsa,
        }
    }

    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let public = |with: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(with, key).verify(message, signature).is_ok()
        };
        match self {
            Self::Secret(secret) => {
                let hash = match algorithm {
                    Algorithm::Hs256 => hmac::HMAC_SHA256,
                    Algorithm::Hs384 => hmac::HMAC_SHA384,
                    Algorithm::Hs512 => hmac::HMAC_SHA512,
                    _ => return false,
                };
                hmac::verify(&hmac::Key::new(hash, secret), message, signature).is_ok()
            }
            Self::Rsa { modulus, exponent } => {
                let with: &RsaParameters = match algorithm {
                    Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
                    Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
                    _ => return false,
                };
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(with, message, signature).is_ok()
            }
            Self::P256(point) => algorithm == Algorithm::Es256 && public(&ECDSA_P256_SHA256_FIXED, point),
            Self::P384(point) => algorithm == Algorithm::Es384 && public(&ECDSA_P384_SHA384_FIXED, point),
            Self::Ed25519(key) => algorithm == Algorithm::EdDsa && public(&ED25519, key),
        }
    }
}

fn material(info: &SubjectPublicKeyInfo<'_>) -> Option<Material> {
    let bytes = info.subject_public_key.data.to_vec();
    match info.parsed().ok()? {
        PublicKey::RSA(key) => {
            Some(Material::Rsa { modulus: without_zeros(key.modulus), exponent: without_zeros(key.exponent) })
        }
        PublicKey::EC(_) => match bytes.len() {
            65 => Some(Material::P256(bytes)),
            97 => Some(Material::P384(bytes)),
            _ => None,
        },
        _ => (info.algorithm.algorithm.to_id_string() == "1.3.101.112").then_some(Material::Ed25519(bytes)),
    }
}

fn without_zeros(number: &[u8]) -> Vec<u8> {
    number.iter().copied().skip_while(|byte| *byte == 0).collect()
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: String,
    n: String,
    e: String,
    x: String,
    y: String,
    k: String,
}

impl Jwk {
    fn key(self) -> Option<Key> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let algorithm = match &self.alg {
            Some(name) => Some(Algorithm::parse(name)?),
            None => None,
        };
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok().filter(|b| !b.is_empty());
        let point = |size: usize| {
            let (x, y) = (bytes(&self.x)?, bytes(&self.y)?);
            (x.len() == size && y.len() == size).then(|| [&[4], x.as_slice(), y.as_slice()].concat())
        };
        let material = match (self.kty.as_str(), self.crv.as_str()) {
            ("oct", _) => Material::Secret(bytes(&self.k)?),
            ("RSA", _) => {
                Material::Rsa { modulus: without_zeros(&bytes(&self.n)?), exponent: without_zeros(&bytes(&self.e)?) }
            }
            ("EC", "P-256") => Material::P256(point(32)?),
            ("EC", "P-384") => Material::P384(point(48)?),
            ("OKP", "Ed25519") => Material::Ed25519(bytes(&self.x).filter(|key| key.len() == 32)?),
            _ => return None,
        };
        Some(Key { id: self.kid, algorithm, material })
    }
}
