//! When certificates are renewed, and how long a name that failed is left alone.

use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// How long before its end a certificate is renewed, and how often that is looked at, by its life in hours.
pub(crate) fn windows(hours: i64) -> (Duration, Duration) {
    match hours {
        8760.. => (DAY * 120, DAY * 7),
        2160.. => (DAY * 30, DAY),
        720.. => (DAY * 10, HOUR * 12),
        144.. => (DAY * 2, HOUR * 2),
        24.. => (HOUR * 6, Duration::from_mins(10)),
        _ => (Duration::from_mins(20), Duration::from_mins(1)),
    }
}

/// A certificate's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Life {
    pub(crate) start: SystemTime,
    pub(crate) end: SystemTime,
}

/// The first certificate of a chain in PEM.
pub(crate) fn leaf(chain: &str) -> Option<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(chain.as_bytes()).ok()
}

impl Life {
    pub(crate) fn of(leaf: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(leaf).ok()?;
        let time = |seconds: i64| SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let validity = parsed.validity();
        Some(Self { start: time(validity.not_before.timestamp()), end: time(validity.not_after.timestamp()) })
    }

    /// When it is renewed. The window is Traefik's, but never more than the last third of the certificate's own life:
    /// one that lives for less than the resolver was told would be renewed again and again.
    pub(crate) fn renew_at(&self, hours: i64) -> SystemTime {
        let third = self.end.duration_since(self.start).unwrap_or_default() / 3;
        self.end - windows(hours).0.min(third)
    }
}

/// A pause that doubles with each failure.
pub(crate) fn pause(failures: u32) -> Duration {
    (Duration::from_mins(1) * 2u32.saturating_pow(failures.min(10))).min(DAY)
}

/// An authority that says it was asked too often, but not for how long, is left alone for this long.
pub(crate) const LIMITED: Duration = HOUR;

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
        assert_eq!(windows(1).1, Duration::from_mins(1));
    }

    #[test]
    fn short_lives_are_renewed_in_their_last_third() {
        let life = |days: u32| Life { start: SystemTime::UNIX_EPOCH, end: SystemTime::UNIX_EPOCH + DAY * days };
        let renewed = |days, hours| life(days).renew_at(hours).duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(renewed(90, 2160), DAY * 60);
        assert_eq!(renewed(365, 8760), DAY * 245);
        assert_eq!(renewed(6, 2160), DAY * 4);
        assert_eq!(renewed(90, 24), DAY * 89 + HOUR * 18);
    }

    #[test]
    fn pauses_grow_and_end() {
        assert_eq!(pause(0), Duration::from_mins(1));
        assert_eq!(pause(3), Duration::from_mins(8));
        assert_eq!(pause(99), Duration::from_mins(1024));
    }

    #[test]
    fn wildcards_cover_one_label() {
        assert!(covers("*.a.test", "x.a.test"));
        assert!(!covers("*.a.test", "a.test"));
        assert!(!covers("*.a.test", "x.y.a.test"));
        assert!(covers("a.test", "a.test"));
    }
}
