//! Which of an authority's chains is meant by `preferredChain`.

use instant_acme::{Account, Order};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::client::Client;

/// Alternatives that are looked at.
const MOST: usize = 8;

/// The chain whose topmost certificate was issued by that common name; else the one that came first.
pub(crate) async fn choose(
    account: &Account,
    client: &Client,
    order: &mut Order,
    first: String,
    wanted: &str,
) -> String {
    let heard = order.state().certificate.clone().and_then(|url| client.chain_from(&url));
    if wanted.is_empty() || issuer(&first).as_deref() == Some(wanted) {
        return first;
    }
    for url in heard.into_iter().flat_map(|chain| chain.alternatives).take(MOST) {
        // It is no order, so the library cannot read it; but the client has heard it.
        let _not_an_order = account.order(url.clone()).await;
        if let Some(chain) = client.chain_from(&url)
            && issuer(&chain.pem).as_deref() == Some(wanted)
        {
            return chain.pem;
        }
    }
    tracing::warn!(preferred_chain = wanted, "The authority has no such chain; its first one is used.");
    first
}

/// Who issued the topmost certificate of a chain in PEM.
fn issuer(chain: &str) -> Option<String> {
    let top = CertificateDer::pem_slice_iter(chain.as_bytes()).filter_map(Result::ok).last()?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&top).ok()?;
    let name = parsed.issuer().iter_common_name().next()?.as_str().ok()?.to_owned();
    Some(name)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::issuer;

    #[test]
    fn the_topmost_issuer_names_a_chain() {
        let mut params = CertificateParams::new(["a.test".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "Old Root");
        let root = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        params.distinguished_name.push(DnType::CommonName, "leaf");
        let leaf = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        assert_eq!(issuer(&format!("{leaf}{root}")).as_deref(), Some("Old Root"));
        assert_eq!(issuer("nothing"), None);
    }
}
