//! Affinity: the value a client carries ↔ the candidate it belongs to.
//!
//! The values are Traefik's, so that sessions survive a change of router: 16 hex digits of the SHA-256 of the name.
//! Values of earlier versions are understood and marked, so that the client gets the present one.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::{Candidate, fnv};

/// What a value led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub index: usize,
    /// The client should be given the present value.
    pub outdated: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Affinity(HashMap<Box<str>, Found, RandomState>);

impl Affinity {
    pub fn new(candidates: &[Candidate]) -> Self {
        let mut values = HashMap::with_hasher(RandomState::default());
        for (index, candidate) in candidates.iter().enumerate() {
            let once = format!("{:x}", fnv::one(candidate.name.as_bytes()));
            let twice = format!("{:x}", fnv::one(once.as_bytes()));
            for outdated in [candidate.name.to_string(), once, twice] {
                values.insert(outdated.into(), Found { index, outdated: true });
            }
        }
        // The present values last: they win over an outdated one that looks the same.
        for (index, candidate) in candidates.iter().enumerate() {
            values.insert(value(&candidate.name).into(), Found { index, outdated: false });
        }
        Self(values)
    }

    /// Where a client with this value belongs.
    pub fn find(&self, value: &str) -> Option<Found> {
        self.0.get(value).copied()
    }
}

/// The value for the candidate of that name.
pub fn value(name: &str) -> String {
    hex(&Sha256::digest(name)[..8])
}

/// The name of the cookie of a service: the configured one in the letters that may be in a name, else one made from the
/// qualified name of the service.
pub fn cookie_name(configured: &str, service: &str) -> String {
    if configured.is_empty() {
        let mut name = format!("_{}", hex(&Sha1::digest(format!("_TRAEFIK_BACKEND_{service}"))));
        name.truncate(6);
        return name;
    }
    let may_be = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^`|~".contains(letter);
    configured.chars().map(|letter| if may_be(letter) { letter } else { '_' }).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;

    #[track_caller]
    fn check(carried: &str, expected: Option<(usize, bool)>) {
        let names = ["http://127.0.0.77:9/", "http://127.0.0.78:9"];
        let candidates: Vec<_> = names.iter().map(|name| Candidate::new(*name, 1.0, false, Status::leaf())).collect();
        let found = Affinity::new(&candidates).find(carried).map(|found| (found.index, found.outdated));
        assert_eq!(found, expected);
    }

    #[test]
    fn present_values() {
        check("8f8432d0b09ea28b", Some((0, false)));
        check("fa79d02ccca88f63", Some((1, false)));
        check("zz", None);
        check("", None);
    }

    #[test]
    fn values_of_earlier_versions() {
        check("http://127.0.0.77:9/", Some((0, true)));
        let once = format!("{:x}", fnv::one(b"http://127.0.0.78:9"));
        check(&once, Some((1, true)));
        check(&format!("{:x}", fnv::one(once.as_bytes())), Some((1, true)));
    }

    #[test]
    fn the_value_of_a_service_is_that_of_its_name() {
        assert_eq!(value("a"), "ca978112ca1bbdca");
    }

    #[test]
    fn names_of_cookies() {
        assert_eq!(cookie_name("", "unnamed@file"), "_d59b4");
        assert_eq!(cookie_name("lb", "x@file"), "lb");
        assert_eq!(cookie_name("a b;c", "x@file"), "a_b_c");
    }
}
