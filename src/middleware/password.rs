//! Password hashes of `htpasswd`: bcrypt, MD5 (`$apr1$`, `$1$`), SHA-1.
//!
//! The MD5 and SHA-1 forms are weak and exist because users' files hold them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

/// Is this the password of that hash? Unknown forms of hash match nothing. Takes up to a tenth of a second for bcrypt.
pub(crate) fn verify(hash: &str, password: &[u8]) -> bool {
    if let Some(encoded) = hash.strip_prefix("{SHA}") {
        let found = STANDARD.encode(Sha1::digest(password));
        return found.as_bytes().ct_eq(encoded.as_bytes()).into();
    }
    for magic in ["$apr1$", "$1$"] {
        if let Some(rest) = hash.strip_prefix(magic) {
            let salt = rest.split('$').next().unwrap_or("");
            return md5_crypt(password, salt.as_bytes(), magic).as_bytes().ct_eq(hash.as_bytes()).into();
        }
    }
    if is_slow(hash) {
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    false
}

/// Slow hashes that are computed at once. A flood of wrong passwords waits here, each with its connection, instead of
/// taking every core from the traffic.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// Runs what takes slow hashes off the worker; None if it broke off.
pub(crate) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let turn = AT_ONCE.acquire().await.ok()?;
    let counted = move || {
        // Held by the work itself: who gives up waiting does not make room for another one.
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(counted).await.ok()
}

/// Must not be verified on a worker: see [`apart`].
pub(crate) fn is_slow(hash: &str) -> bool {
    ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|prefix| hash.starts_with(prefix))
}

/// The MD5 scheme of FreeBSD's crypt, which Apache took over under another name: 1,000 rounds of MD5 over salt and
/// password in changing order.
fn md5_crypt(password: &[u8], salt: &[u8], magic: &str) -> String {
    let salt = &salt[..salt.len().min(8)];
    let alternate = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut first = Md5::new().chain_update(password).chain_update(magic).chain_update(salt);
    let mut left = password.len();
    while left > 0 {
        first.update(&alternate[..left.min(16)]);
        left = left.saturating_sub(16);
    }
    let mut bits = password.len();
    while bits > 0 {
        first.update(if bits & 1 == 1 { &[0][..] } else { &password[..1] });
        bits >>= 1;
    }
    let mut sum = first.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        next.update(if round % 2 == 1 { password } else { &sum[..] });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if round % 2 == 1 { &sum[..] } else { password });
        sum = next.finalize();
    }
    format!("{magic}{}${}", String::from_utf8_lossy(salt), encode(&sum))
}

/// Sixteen bytes in crypt's own order and alphabet.
fn encode(sum: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = String::with_capacity(22);
    let mut put = |mut value: u32, digits: usize| {
        for _ in 0..digits {
            text.push(ALPHABET[(value & 63) as usize] as char);
            value >>= 6;
        }
    };
    for [high, middle, low] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        put(u32::from(sum[high]) << 16 | u32::from(sum[middle]) << 8 | u32::from(sum[low]), 4);
    }
    put(u32::from(sum[11]), 2);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hash: &str, password: &str) {
        assert!(verify(hash, password.as_bytes()), "{hash}");
        assert!(!verify(hash, format!("{password}x").as_bytes()), "{hash} with another password");
    }

    #[test]
    fn every_form_that_htpasswd_writes() {
        check("$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/", "test");
        check("{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=", "123456");
        check(&bcrypt::hash("secret", 4).expect("a hash"), "secret");
    }

    #[test]
    fn other_forms_match_nothing() {
        assert!(!verify("plain", b"plain"));
        assert!(!verify("", b""));
        assert!(!verify("$2y$05$broken", b"x"));
    }
}
