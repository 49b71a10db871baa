//! How a server's certificate is checked where the library's own check is not what Go does.

use std::sync::Arc;

use crate::version_one;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate that is itself among the named authorities is believed for its names and its time, also when it says
/// of itself that it is an authority: many home-made server certificates do, and the library alone refuses them.
#[derive(Debug)]
pub(crate) struct Pinned {
    chain: Arc<dyn ServerCertVerifier>,
    given: Vec<CertificateDer<'static>>,
}

impl Pinned {
    pub(crate) fn new(chain: Arc<dyn ServerCertVerifier>, given: Vec<CertificateDer<'static>>) -> Self {
        Self { chain, given }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.given.iter().any(|given| given.as_ref() == leaf.as_ref()) {
            return self.chain.verify_server_cert(leaf, intermediates, name, ocsp, now);
        }
        verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
        is_valid_now(leaf, now, Purpose::Server)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// `insecureSkipVerify`: any certificate will do, as long as the server holds its key.
#[derive(Debug)]
pub(crate) struct Trusting {
    provider: Arc<CryptoProvider>,
}

impl Trusting {
    pub(crate) fn new(provider: Arc<CryptoProvider>) -> Self {
        Self { provider }
    }
}

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        version_one::verify_tls12(message, leaf, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        version_one::verify_tls13(message, leaf, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// `peerCertURI`: the chain must hold whatever else is skipped, and the certificate must carry the URI.
#[derive(Debug)]
pub(crate) struct UriChecked {
    inner: Arc<dyn ServerCertVerifier>,
    uri: String,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl UriChecked {
    pub(crate) fn new(
        inner: Arc<dyn ServerCertVerifier>,
        uri: String,
        roots: Arc<RootCertStore>,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        Self { inner, uri, roots, provider }
    }
}

impl ServerCertVerifier for UriChecked {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.inner.verify_server_cert(leaf, intermediates, name, ocsp, now)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        let chained = ParsedCertificate::try_from(leaf)?;
        verify_server_cert_signed_by_trust_anchor(&chained, &self.roots, intermediates, now, algorithms)?;
        let (_, parsed) = parse(leaf)?;
        let names = parsed.subject_alternative_name().ok().flatten();
        let carries = names.is_some_and(|names| {
            names
                .value
                .general_names
                .iter()
                .any(|name| matches!(name, GeneralName::URI(uri) if is_meant(&self.uri, uri)))
        });
        if carries { Ok(verified) } else { Err(CertificateError::ApplicationVerificationFailure.into()) }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Is it the expected one? An expected URI that names no authority (`spiffe:///ns/…`) leaves it open, so that a mesh may move
/// to another trust domain; whose certificates are believed is said by the roots.
fn is_meant(expected: &str, shown: &str) -> bool {
    let parts = |uri: &str| {
        let (scheme, rest) = uri.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Some((scheme.to_ascii_lowercase(), authority.to_ascii_lowercase(), path.to_ascii_lowercase()))
    };
    match (parts(expected), parts(shown)) {
        (Some((scheme, authority, path)), Some(other)) => {
            scheme == other.0 && path == other.2 && (authority.is_empty() || authority == other.1)
        }
        _ => expected == shown,
    }
}

/// What a certificate is shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Server,
    Client,
    /// To sign other certificates.
    Authority,
}

/// Whether the certificate's time and purpose allow its use, where no chain is walked.
pub(crate) fn is_valid_now(leaf: &CertificateDer<'_>, now: UnixTime, purpose: Purpose) -> Result<(), Error> {
    let (_, parsed) = parse(leaf)?;
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if seconds < parsed.validity().not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if seconds > parsed.validity().not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    let usage = parsed.extended_key_usage().ok().flatten().map(|usage| usage.value);
    let fits = usage.is_none_or(|usage| {
        usage.any
            || match purpose {
                Purpose::Server => usage.server_auth,
                Purpose::Client => usage.client_auth,
                Purpose::Authority => true,
            }
    });
    if fits { Ok(()) } else { Err(CertificateError::InvalidPurpose.into()) }
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Result<(&'a [u8], X509Certificate<'a>), Error> {
    X509Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding.into())
}

#[cfg(test)]
mod tests {
    use super::is_meant;

    #[test]
    fn identities() {
        assert!(
            is_meant("spiffe://a/svc/web", "spiffe://a/svc/web")
                && is_meant("spiffe://A/svc/web", "spiffe://a/svc/Web")
        );
        assert!(!is_meant("spiffe://a/svc/web", "spiffe://b/svc/web"));
        assert!(is_meant("spiffe:///svc/web", "spiffe://11.consul/svc/web"));
        assert!(!is_meant("spiffe:///svc/web", "spiffe://11.consul/svc/web2"));
        assert!(!is_meant("spiffe:///svc/web", "https://11.consul/svc/web"));
        assert!(is_meant("urn:x", "urn:x") && !is_meant("urn:x", "urn:y"));
    }
}
