//! Certificates and keys as PEM text, in a file or in place.

use std::io;
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why a certificate or key could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: io::Error },
    #[error("no certificate was given")]
    Empty,
    /// Neither a file of that name, nor PEM text.
    #[error("{shown} is neither an existing file nor a PEM certificate")]
    NoCertificate { shown: String },
    #[error("{shown} is neither an existing file nor a PEM private key")]
    NoKey { shown: String },
    #[error("malformed PEM in {shown}: {message}")]
    Malformed { shown: String, message: String },
}

/// The content of the file of that name; the text itself when there is no such file.
pub fn file_or_content(text: &str) -> Result<Vec<u8>, PemError> {
    if is_in_place(text) || !Path::new(text).exists() {
        return Ok(text.as_bytes().to_vec());
    }
    std::fs::read(text).map_err(|source| PemError::Read { path: text.to_owned(), source })
}

/// The certificates of a file or text, leaf first; at least one.
pub fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, PemError> {
    if text.trim().is_empty() {
        return Err(PemError::Empty);
    }
    let content = file_or_content(text)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    let found = read.map_err(|error| PemError::Malformed { shown: shown(text), message: error.to_string() })?;
    if found.is_empty() { Err(PemError::NoCertificate { shown: shown(text) }) } else { Ok(found) }
}

/// The private key of a file or text: PKCS #8, PKCS #1 or SEC 1.
pub fn private_key(text: &str) -> Result<PrivateKeyDer<'static>, PemError> {
    let content = file_or_content(text)?;
    PrivateKeyDer::from_pem_slice(&content).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => PemError::NoKey { shown: shown(text) },
        other => PemError::Malformed { shown: shown(text), message: other.to_string() },
    })
}

fn is_in_place(text: &str) -> bool {
    text.contains("-----BEGIN ")
}

/// What may be said of the value in a message: a file name is, a key never.
pub(crate) fn shown(text: &str) -> String {
    if is_in_place(text) { "the PEM given in place".to_owned() } else { text.chars().take(256).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_wins_over_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pem");
        std::fs::write(&path, "inside").unwrap();
        assert_eq!(file_or_content(path.to_str().unwrap()).unwrap(), b"inside");
        assert_eq!(file_or_content("not/a/file").unwrap(), b"not/a/file");
    }

    #[test]
    fn a_missing_file_is_named_and_a_key_is_not_shown() {
        let error = certificates("/nowhere/cert.pem").unwrap_err().to_string();
        assert!(error.contains("/nowhere/cert.pem"), "{error}");
        let error = private_key("-----BEGIN PRIVATE KEY-----\nsecret").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
