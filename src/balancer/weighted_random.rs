//! Weighted random: each candidate with the probability of its share of the weights of those that may be picked.

use crate::{Asked, Candidate, Strategy};

/// See the module.
#[derive(Debug)]
pub struct WeightedRandom;

impl Strategy for WeightedRandom {
    fn pick(&self, candidates: &[Candidate], asked: &Asked<'_>) -> Option<usize> {
        let eligible = || (0..candidates.len()).filter(|index| asked.may_pick(*index, &candidates[*index]));
        let total: f64 = eligible().map(|index| candidates[index].weight).sum();
        let mut rest = asked.dice as f64 / u64::MAX as f64 * total;
        let mut last = None;
        for index in eligible() {
            last = Some(index);
            rest -= candidates[index].weight;
            if rest < 0.0 {
                break;
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::candidates;

    #[test]
    fn shares_follow_weights() {
        let candidates = candidates(&[1.0, 2.0, 5.0]);
        let mut counts = [0; 3];
        for part in 0..800_u64 {
            let asked = Asked { key: b"", dice: u64::MAX / 800 * part, tried: &[] };
            counts[WeightedRandom.pick(&candidates, &asked).unwrap()] += 1;
        }
        for (count, share) in counts.iter().zip([100_i32, 200, 500]) {
            assert!((count - share).abs() <= 1, "{counts:?}");
        }
    }

    #[test]
    fn only_those_that_may_be_picked() {
        let candidates = candidates(&[1.0, 2.0, 5.0]);
        candidates[2].status.set(false);
        for dice in [0, u64::MAX / 2, u64::MAX] {
            assert_eq!(WeightedRandom.pick(&candidates, &Asked { key: b"", dice, tried: &[0] }), Some(1));
            assert_eq!(WeightedRandom.pick(&candidates, &Asked { key: b"", dice, tried: &[0, 1] }), None);
        }
    }
}
