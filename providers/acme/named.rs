//! [`Named`]: believes an authority's directory under another name than that of its address (`caServerName`).

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

#[derive(Debug)]
pub(crate) struct Named {
    chain: Arc<WebPkiServerVerifier>,
    /// Stands for the name of the address; None: that name counts.
    name: Option<ServerName<'static>>,
}

impl Named {
    pub(crate) fn new(roots: RootCertStore, name: &str, provider: Arc<CryptoProvider>) -> Result<Self, String> {
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let name = (!name.is_empty()).then(|| ServerName::try_from(name.to_owned())).transpose();
        Ok(Self {
            chain: chain.map_err(|error| format!("caCertificates: {error}"))?,
            name: name.map_err(|error| format!("caServerName: {error}"))?,
        })
    }
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.chain.verify_server_cert(leaf, intermediates, self.name.as_ref().unwrap_or(name), ocsp, now)
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
