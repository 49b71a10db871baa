//! Keys of certificates and the requests that carry them.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use trafficcop_config::settings::certificates::Acme;

/// A key of that type, as Traefik names them.
pub(crate) fn generate(key_type: &str) -> Result<KeyPair, String> {
    let rsa = |size| {
        let pair = aws_lc_rs::rsa::KeyPair::generate(size).map_err(|error| error.to_string())?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|error| error.to_string())?;
        let der = rustls_pki_types::PrivatePkcs8KeyDer::from(AsRef::<[u8]>::as_ref(&*der).to_vec());
        KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_RSA_SHA256).map_err(|error| error.to_string())
    };
    let ecdsa = |algorithm| KeyPair::generate_for(algorithm).map_err(|error| error.to_string());
    match key_type.to_ascii_uppercase().as_str() {
        "EC256" => ecdsa(&rcgen::PKCS_ECDSA_P256_SHA256),
        "EC384" => ecdsa(&rcgen::PKCS_ECDSA_P384_SHA384),
        "RSA2048" => rsa(KeySize::Rsa2048),
        "RSA4096" | "" => rsa(KeySize::Rsa4096),
        "RSA8192" => rsa(KeySize::Rsa8192),
        _ => {
            tracing::warn!(
                key_type,
                "Unknown keyType, expected EC256, EC384, RSA2048, RSA4096 or RSA8192; RSA4096 is used."
            );
            rsa(KeySize::Rsa4096)
        }
    }
}

/// The request for these names, in DER.
pub(crate) fn request(names: &[String], key: &KeyPair, settings: &Acme) -> Result<Vec<u8>, String> {
    let mut params = CertificateParams::new(names).map_err(|error| error.to_string())?;
    params.distinguished_name = DistinguishedName::new();
    // Longer ones do not fit into the field.
    if let Some(first) = names.first().filter(|name| !settings.disable_common_name && name.len() <= 64) {
        params.distinguished_name.push(DnType::CommonName, first.as_str());
    }
    for address in &settings.email_addresses {
        let name = address.as_str().try_into().map_err(|error| format!("emailAddresses: {address}: {error}"))?;
        params.subject_alt_names.push(SanType::Rfc822Name(name));
    }
    let request = params.serialize_request(key).map_err(|error| error.to_string())?;
    Ok(request.der().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_requests_of_each_type() {
        let settings = Acme { email_addresses: vec!["a@b.test".into()], ..Acme::default() };
        for key_type in ["EC256", "ec384", "RSA2048"] {
            let key = generate(key_type).unwrap();
            let names = ["a.test".into(), "*.b.test".into()];
            assert!(!request(&names, &key, &settings).unwrap().is_empty(), "{key_type}");
        }
    }
}
