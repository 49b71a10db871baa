//! Certificates, keys and authorities are named by their files; what the files hold takes the place of the names.
//!
//! So a renewed certificate is a change like any other: whoever touches the configuration, or sends SIGHUP, gets it,
//! even though not a letter of the configuration is different. What is no PEM file (it is missing, or the text is the
//! PEM itself) is left as it is written, and judged where it is used.

use std::path::Path;

use trafficcop_config::dynamic::Configuration;
use trafficcop_config::dynamic::http::CertificatePair;

/// No file of certificates is longer, in bytes.
const MAX_BYTES: u64 = 4 << 20;

pub(crate) fn inline(configuration: &mut Configuration) {
    if let Some(tls) = &mut configuration.tls {
        for certificate in &mut tls.certificates {
            one(&mut certificate.value.cert_file);
            one(&mut certificate.value.key_file);
        }
        for options in tls.options.values_mut() {
            options.value.client_auth.ca_files.iter_mut().for_each(one);
        }
        for store in tls.stores.values_mut() {
            store.value.default_certificate.iter_mut().for_each(pair);
        }
    }
    for transport in configuration.http.iter_mut().flat_map(|http| http.servers_transports.values_mut()) {
        transport.value.root_cas.iter_mut().for_each(one);
        transport.value.certificates.iter_mut().for_each(pair);
    }
    for transport in configuration.tcp.iter_mut().flat_map(|tcp| tcp.servers_transports.values_mut()) {
        if let Some(tls) = &mut transport.value.tls {
            tls.root_cas.iter_mut().for_each(one);
            tls.certificates.iter_mut().for_each(pair);
        }
    }
}

fn pair(pair: &mut CertificatePair) {
    one(&mut pair.cert_file);
    one(&mut pair.key_file);
}

fn one(text: &mut String) {
    if text.is_empty() || text.contains('\n') {
        return;
    }
    let is_short = Path::new(text.as_str()).metadata().is_ok_and(|file| file.is_file() && file.len() <= MAX_BYTES);
    if !is_short {
        return;
    }
    if let Ok(content) = std::fs::read_to_string(text.as_str())
        && content.contains("-----BEGIN ")
    {
        *text = content;
    }
}

#[cfg(test)]
mod tests {
    use trafficcop_config::At;
    use trafficcop_config::dynamic::tls::{Certificate, Tls};

    use super::*;

    #[track_caller]
    fn check(written: &str, expected: &str) {
        let certificate = Certificate { cert_file: written.to_owned(), ..Certificate::default() };
        let tls = Tls { certificates: vec![At::from(certificate)], ..Tls::default() };
        let mut configuration = Configuration { tls: Some(tls), ..Configuration::default() };
        inline(&mut configuration);
        assert_eq!(configuration.tls.expect("it was there").certificates[0].cert_file, expected);
    }

    #[test]
    fn the_file_takes_the_place_of_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        std::fs::write(path("good.pem"), "-----BEGIN CERTIFICATE-----\nAA==\n").expect("writing");
        std::fs::write(path("other.txt"), "hello").expect("writing");
        check(&path("good.pem"), "-----BEGIN CERTIFICATE-----\nAA==\n");
        check(&path("other.txt"), &path("other.txt"));
        check(&path("missing.pem"), &path("missing.pem"));
        check("-----BEGIN CERTIFICATE-----\nAA==\n", "-----BEGIN CERTIFICATE-----\nAA==\n");
    }
}
