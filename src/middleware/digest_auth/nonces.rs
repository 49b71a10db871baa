//! Nonces that were handed out, and which of their counters were used: in bounded memory.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;

/// Nonces that are remembered. A client whose nonce was forgotten is challenged again and notices nothing.
const REMEMBERED: usize = 8192;

/// Twelve random bytes as text.
pub(super) fn random() -> String {
    STANDARD.encode(rand::random::<[u8; 12]>())
}

#[derive(Default)]
pub(super) struct Nonces(Mutex<Generations>);

/// Two generations, so that forgetting needs no search.
#[derive(Default)]
struct Generations {
    /// Each nonce and the highest counter seen with it.
    young: HashMap<String, u64>,
    old: HashMap<String, u64>,
}

impl Nonces {
    pub(super) fn issue(&self) -> String {
        let nonce = random();
        let mut generations = self.0.lock();
        if generations.young.len() >= REMEMBERED / 2 {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(nonce.clone(), 0);
        nonce
    }

    /// Was it handed out here, and is the counter a new one?
    pub(super) fn accept(&self, nonce: &str, count: u64) -> bool {
        let mut generations = self.0.lock();
        let Generations { young, old } = &mut *generations;
        match young.get_mut(nonce).or_else(|| old.get_mut(nonce)) {
            Some(highest) if count > *highest => {
                *highest = count;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_only_rise_and_memory_is_bounded() {
        let nonces = Nonces::default();
        let nonce = nonces.issue();
        assert!(nonces.accept(&nonce, 1));
        assert!(!nonces.accept(&nonce, 1));
        assert!(nonces.accept(&nonce, 5));
        assert!(!nonces.accept("another", 1));
        for _ in 0..3 * REMEMBERED {
            nonces.issue();
        }
        let generations = nonces.0.lock();
        assert!(generations.young.len() + generations.old.len() <= REMEMBERED);
    }
}
