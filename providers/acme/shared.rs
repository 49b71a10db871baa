//! [`SharedStorage`]: certificates and accounts in a store that several instances share, each under a key of its own.
//!
//! What must hold: a certificate never takes the place of one that ends later, whoever comes late with it; an account is
//! replaced only by one that was registered after it was read.

use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use trafficcop_kv::{Shared, Swapped};

use crate::contents::{Certificate, Change, Contents, Own};
use crate::renewal::{self, Life};
use crate::storage::Storage;

/// What the keys begin with.
const ACCOUNT: &str = "account/";
const CERTIFICATE: &str = "certificate/";
/// So often a key may be changed by others while we try.
const TRIES: usize = 8;
/// How long a start waits for the store.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

pub(crate) struct SharedStorage(pub(crate) Shared);

#[derive(Deserialize, Serialize)]
struct KeptAccount {
    resolver: String,
    account: Own,
}

#[derive(Deserialize, Serialize)]
struct KeptCertificate {
    resolver: String,
    certificate: Certificate,
}

/// A name of fixed length without letters that any store minds.
pub(crate) fn key(kind: &str, parts: &[&str]) -> String {
    let hash = digest(&SHA256, parts.join("\0").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    format!("{kind}{:032x}", u128::from_be_bytes(bytes))
}

fn end(certificate: &Certificate) -> Option<SystemTime> {
    let (chain, _) = certificate.pem()?;
    Some(Life::of(&renewal::leaf(&chain)?)?.end)
}

impl SharedStorage {
    async fn put(&self, change: &Change) -> Result<(), String> {
        let (key, new) = match change {
            Change::Account { resolver, own } => {
                let kept = KeptAccount { resolver: resolver.clone(), account: own.clone() };
                (key(ACCOUNT, &[resolver]), serde_json::to_vec(&kept))
            }
            Change::Certificate { resolver, certificate } => {
                let names = certificate.domain.names();
                let parts: Vec<_> = [resolver].into_iter().chain(&names).map(String::as_str).collect();
                let kept = KeptCertificate { resolver: resolver.clone(), certificate: certificate.clone() };
                (key(CERTIFICATE, &parts), serde_json::to_vec(&kept))
            }
        };
        let new = new.map_err(|error| error.to_string())?;
        let mut old = self.0.get(&key);
        for _ in 0..TRIES {
            if let (Change::Certificate { certificate, .. }, Some(old)) = (change, &old)
                && let Ok(before) = serde_json::from_slice::<KeptCertificate>(old)
                && end(&before.certificate) > end(certificate)
            {
                return Ok(());
            }
            match self.0.swap(&key, old.as_deref(), Some(&new)).await? {
                Swapped::Done => return Ok(()),
                Swapped::Found(found) => old = found,
            }
        }
        Err(format!("{}: others change {key} all the time", self.0.name()))
    }
}

impl Storage for SharedStorage {
    fn load(&self) -> Result<Contents, String> {
        Handle::current().block_on(self.0.clone().begun(PATIENCE));
        let mut contents = Contents::new();
        for (key, value) in self.0.pairs()? {
            let told = |error| format!("{}: key {key}: {error}", self.0.name());
            if key.starts_with(ACCOUNT) {
                let KeptAccount { resolver, account } = serde_json::from_slice(&value).map_err(told)?;
                contents.entry(resolver).or_default().own = Some(account);
            } else if key.starts_with(CERTIFICATE) {
                let KeptCertificate { resolver, certificate } = serde_json::from_slice(&value).map_err(told)?;
                contents.entry(resolver).or_default().certificates.get_or_insert_default().push(certificate);
            }
        }
        Ok(contents)
    }

    /// Only what is new is written: the rest may have been changed by others since.
    fn save(&self, _: &Contents, news: &[Change]) -> Result<(), String> {
        Handle::current().block_on(async {
            for change in news {
                self.put(change).await?;
            }
            Ok(())
        })
    }
}
