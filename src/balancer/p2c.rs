//! Power of two choices: of two random candidates, the one with fewer requests in flight. Weights play no part.

use crate::{Asked, Candidate, Strategy};

/// See the module.
#[derive(Debug)]
pub struct PowerOfTwoChoices;

impl Strategy for PowerOfTwoChoices {
    fn pick(&self, candidates: &[Candidate], asked: &Asked<'_>) -> Option<usize> {
        let eligible = || (0..candidates.len()).filter(|index| asked.may_pick(*index, &candidates[*index]));
        let count = eligible().count() as u64;
        if count < 2 {
            return eligible().next();
        }
        let one = (asked.dice >> 32) % count;
        let mut two = (asked.dice & 0xffff_ffff) % count;
        if two == one {
            two = (two + 1) % count;
        }
        // The state of a candidate may change between the two passes: then the first one left will do.
        let (one, two) = (eligible().nth(one as usize), eligible().nth(two as usize));
        match (one, two) {
            (Some(one), Some(two)) if candidates[two].in_flight() < candidates[one].in_flight() => Some(two),
            (one, two) => one.or(two).or_else(|| eligible().next()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::candidates;

    #[track_caller]
    fn check(busy: &[usize], dice: (u64, u64), expected: usize) {
        let candidates = candidates(&vec![1.0; busy.len()]);
        let _guards: Vec<_> =
            candidates.iter().zip(busy).flat_map(|(one, busy)| (0..*busy).map(|_| one.enter())).collect();
        let asked = Asked { key: b"", dice: dice.0 << 32 | dice.1, tried: &[] };
        assert_eq!(PowerOfTwoChoices.pick(&candidates, &asked), Some(expected));
    }

    #[test]
    fn the_less_busy_of_two() {
        check(&[3, 1, 0], (0, 1), 1);
        check(&[1, 3, 0], (0, 1), 0);
        check(&[1, 1, 0], (1, 0), 1);
    }

    #[test]
    fn the_same_twice_means_the_next() {
        check(&[2, 1, 0], (0, 0), 1);
        check(&[0, 1, 2], (2, 2), 0);
    }

    #[test]
    fn alone() {
        check(&[9], (5, 7), 0);
    }

    #[test]
    fn none_that_is_down() {
        let candidates = candidates(&[1.0, 1.0]);
        candidates[0].status.set(false);
        let asked = Asked { key: b"", dice: 0, tried: &[] };
        assert_eq!(PowerOfTwoChoices.pick(&candidates, &asked), Some(1));
        candidates[1].status.set(false);
        assert_eq!(PowerOfTwoChoices.pick(&candidates, &asked), None);
    }
}
