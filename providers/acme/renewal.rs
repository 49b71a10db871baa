//! When certificates are renewed, and how long a name that failed is left alone.

use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long before its end a certificate is renewed, and how often that is looked at, by its life in hours.
pub(crate) fn windows(hours: i64) -> (Duration, Duration) {
    match hours {
        8760.. => (DAY * 120, DAY * 7),
        2160.. => (DAY * 30, DAY),
        720.. => (DAY * 10, HOUR * 12),
        144.. => (DAY * 2, HOUR * 2),
        24.. => (HOUR * 6, Duration::from_secs(600)),
        _ => (Duration::from_secs(1200), Duration::from_secs(60)),
    }
}

/// Whether the certificate (a chain in PEM) ends within the window. One that cannot be read is due as well.
pub(crate) fn is_due(chain: &str, window: Duration, now: SystemTime) -> bool {
    let Ok(leaf) = CertificateDer::from_pem_slice(chain.as_bytes()) else { return true };
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(&leaf) else { return true };
    let end = Duration::from_secs(u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0));
    SystemTime::UNIX_EPOCH + end < now + window
}

/// A pause that doubles with each failure. An authority that says it was asked too often is left alone for an hour.
pub(crate) fn pause(failures: u32, error: &str) -> Duration {
    let pause = Duration::from_secs(60) * 2u32.saturating_pow(failures.min(10));
    let least = if error.contains("rateLimited") { HOUR } else { Duration::ZERO };
    pause.clamp(least, DAY)
}

/// Whether a certificate for `pattern` (perhaps a wildcard) serves `name`.
pub(crate) fn covers(pattern: &str, name: &str) -> bool {
    pattern == name
        || pattern.strip_prefix("*.").is_some_and(|rest| name.split_once('.').is_some_and(|(_, tail)| tail == rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_the_life_of_certificates() {
        let days = |hours| windows(hours).0.as_secs() / 86400;
        assert_eq!([8760, 2160, 720, 144].map(days), [120, 30, 10, 2]);
        assert_eq!(windows(24).0, HOUR * 6);
        assert_eq!(windows(1).1, Duration::from_secs(60));
    }

    #[test]
    fn pauses_grow_and_end() {
        assert_eq!(pause(0, ""), Duration::from_secs(60));
        assert_eq!(pause(3, ""), Duration::from_secs(480));
        assert_eq!(pause(0, "urn:ietf:params:acme:error:rateLimited"), HOUR);
        assert_eq!(pause(99, ""), Duration::from_secs(61440));
    }

    #[test]
    fn wildcards_cover_one_label() {
        assert!(covers("*.a.test", "x.a.test"));
        assert!(!covers("*.a.test", "a.test"));
        assert!(!covers("*.a.test", "x.y.a.test"));
        assert!(covers("a.test", "a.test"));
    }
}
