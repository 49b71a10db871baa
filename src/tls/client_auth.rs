//! Which certificates clients must or may show.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use trafficcop_config::dynamic::tls::ClientAuth;

use crate::pinned::{Purpose, is_valid_now};
use crate::{TlsError, pem, version_one};

/// The verifier for these settings, and the authorities they named.
pub(crate) fn verifier(
    auth: &ClientAuth,
    provider: &Arc<CryptoProvider>,
) -> Result<(Arc<dyn ClientCertVerifier>, Vec<CertificateDer<'static>>), TlsError> {
    let mut given = Vec::new();
    for file in &auth.ca_files {
        given.extend(pem::certificates(file)?);
    }
    let verifier: Arc<dyn ClientCertVerifier> = match auth.client_auth_type.as_str() {
        "" if given.is_empty() => Arc::new(NoClientAuth),
        "" => verified(&given, true, provider)?,
        "NoClientCert" => Arc::new(NoClientAuth),
        "RequestClientCert" => Arc::new(Unverified { mandatory: false, provider: Arc::clone(provider) }),
        "RequireAnyClientCert" => Arc::new(Unverified { mandatory: true, provider: Arc::clone(provider) }),
        kind @ ("VerifyClientCertIfGiven" | "RequireAndVerifyClientCert") => {
            if given.is_empty() {
                return Err(TlsError::NoAuthority(kind.to_owned()));
            }
            verified(&given, kind == "RequireAndVerifyClientCert", provider)?
        }
        other => return Err(TlsError::UnknownClientAuth(other.to_owned())),
    };
    Ok((verifier, given))
}

fn verified(
    given: &[CertificateDer<'static>],
    mandatory: bool,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in given {
        // What cannot be an authority may still be the very certificate a client shows.
        let _not_an_authority = roots.add(certificate.clone());
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let chain = if mandatory { builder } else { builder.allow_unauthenticated() }.build()?;
    Ok(Arc::new(Verified { chain, given: given.to_vec(), provider: Arc::clone(provider) }))
}

/// Checked against authorities; a certificate that is itself one of those named is believed, as in Go.
#[derive(Debug)]
struct Verified {
    chain: Arc<dyn ClientCertVerifier>,
    given: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Verified {
    fn client_auth_mandatory(&self) -> bool {
        self.chain.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.given.iter().any(|given| given.as_ref() == leaf.as_ref()) {
            is_valid_now(leaf, now, Purpose::Client)?;
            return Ok(ClientCertVerified::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        match version_one::is_signed_by_one_of(leaf, &self.given, now, algorithms) {
            Some(verdict) => verdict.map(|()| ClientCertVerified::assertion()),
            None => self.chain.verify_client_cert(leaf, intermediates, now).map_err(|error| match error {
                // A stranger's certificate that calls itself an authority: its issuer is what we do not know.
                Error::InvalidCertificate(CertificateError::Other(_)) => CertificateError::UnknownIssuer.into(),
                other => other,
            }),
        }
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
        self.chain.supported_verify_schemes()
    }
}

/// Asked for and passed on, but not checked beyond the client holding its key.
#[derive(Debug)]
struct Unverified {
    mandatory: bool,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for Unverified {
    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
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
