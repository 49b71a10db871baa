//! Credentials that were found right lately, so that a slow hash is paid once and not per request; shared by basicAuth
//! and apiKey.

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

/// Credentials that are remembered; the oldest go first.
const REMEMBERED: usize = 1024;

/// Holds digests, salted so that they are worth nothing elsewhere.
pub(crate) struct Verified {
    digests: Mutex<Vec<[u8; 32]>>,
    salt: [u8; 16],
}

impl Default for Verified {
    fn default() -> Self {
        Self { digests: Mutex::default(), salt: rand::random() }
    }
}

impl Verified {
    pub(crate) fn holds(&self, credentials: &str) -> bool {
        let digest = self.digest(credentials);
        self.digests.lock().contains(&digest)
    }

    pub(crate) fn remember(&self, credentials: &str) {
        let digest = self.digest(credentials);
        let mut digests = self.digests.lock();
        if digests.len() >= REMEMBERED {
            digests.remove(0);
        }
        digests.push(digest);
    }

    fn digest(&self, credentials: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.salt).chain_update(credentials).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_latest_and_no_more_than_its_bound() {
        let verified = Verified::default();
        for number in 0..=REMEMBERED {
            verified.remember(&number.to_string());
        }
        assert!(!verified.holds("0"));
        assert!(verified.holds("1") && verified.holds(&REMEMBERED.to_string()));
        assert_eq!(verified.digests.lock().len(), REMEMBERED);
    }
}
