//! Highest random weight (rendezvous hashing): the key and each name together give a score, and the best score is
//! picked. A candidate that leaves moves only its own keys.

use crate::{Asked, Candidate, Strategy, fnv};

/// See the module.
#[derive(Debug)]
pub struct HighestRandomWeight;

impl Strategy for HighestRandomWeight {
    fn pick(&self, candidates: &[Candidate], asked: &Asked<'_>) -> Option<usize> {
        let keyed = fnv::one_a(fnv::START, asked.key);
        let mut best: Option<(usize, f64)> = None;
        for (index, candidate) in candidates.iter().enumerate() {
            if !asked.may_pick(index, candidate) {
                continue;
            }
            let score = score(fnv::one_a(keyed, candidate.name.as_bytes()), candidate.weight);
            if best.is_none_or(|(_, highest)| score > highest) {
                best = Some((index, score));
            }
        }
        best.map(|(index, _)| index)
    }
}

fn score(hash: u64, weight: f64) -> f64 {
    /// Two to the power of 64.
    const RANGE: f64 = 18_446_744_073_709_551_616.0;
    weight * (1.0 / -(hash as f64 / RANGE).ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;
    use crate::candidate::candidates;

    fn pick(candidates: &[Candidate], key: &str, tried: &[usize]) -> Option<usize> {
        HighestRandomWeight.pick(candidates, &Asked { key: key.as_bytes(), dice: 0, tried })
    }

    #[test]
    fn a_key_stays_where_it_is_unless_its_candidate_leaves() {
        let candidates = candidates(&[1.0, 1.0, 1.0]);
        for host in 0..64 {
            let key = format!("10.0.0.{host}");
            let home = pick(&candidates, &key, &[]).unwrap();
            for away in (0..3).filter(|index| *index != home) {
                assert_eq!(pick(&candidates, &key, &[away]), Some(home));
            }
            assert_ne!(pick(&candidates, &key, &[home]), Some(home));
        }
    }

    #[test]
    fn shares_follow_weights() {
        // Names that differ in their last letter only have nearly the same hash: FNV is weak at its end.
        let candidates = [("http://one.internal:8080", 3.0), ("http://two.internal:8080", 1.0)]
            .map(|(name, weight)| Candidate::new(name, weight, false, Status::leaf()));
        let first = (0..4000).filter(|host| pick(&candidates, &format!("10.{host}"), &[]) == Some(0)).count();
        assert!((2800..3200).contains(&first), "{first} of 4000");
    }

    #[test]
    fn nobody_to_pick() {
        assert_eq!(pick(&candidates(&[1.0]), "", &[0]), None);
    }
}
