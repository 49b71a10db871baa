//! Weighted round robin: earliest deadline first.
//!
//! Each candidate's deadline moves on by the inverse of its weight whenever its turn comes, whether or not it can take
//! it. So the order of turns depends on the weights alone and repeats: for ordinary weights it is written down once, and a
//! pick is one atomic addition. Weights whose order would be too long to write down fall back to counting.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::deadlines::Deadlines;
use crate::{Asked, Candidate, Strategy};

/// The longest order of turns that is written down.
const LONGEST: u64 = 16_384;

/// See the module.
#[derive(Debug)]
pub struct WeightedRoundRobin(Order);

#[derive(Debug)]
enum Order {
    Written { turns: Box<[u16]>, position: AtomicUsize },
    Counted(Deadlines),
}

impl WeightedRoundRobin {
    /// For these candidates and no others; their order decides who comes first among equals.
    pub fn new(candidates: &[Candidate]) -> Self {
        Self(match turns(candidates) {
            Some(turns) => Order::Written { turns, position: AtomicUsize::new(0) },
            None => Order::Counted(Deadlines::new(candidates)),
        })
    }
}

impl Strategy for WeightedRoundRobin {
    fn pick(&self, candidates: &[Candidate], asked: &Asked<'_>) -> Option<usize> {
        let may_pick = |index: usize| asked.may_pick(index, &candidates[index]);
        match &self.0 {
            Order::Written { turns, position } => {
                for _ in 0..turns.len() {
                    let index = usize::from(turns[position.fetch_add(1, Ordering::Relaxed) % turns.len()]);
                    if may_pick(index) {
                        return Some(index);
                    }
                }
                // Other workers may have taken just the turns that would have served.
                (0..candidates.len()).find(|index| may_pick(*index))
            }
            Order::Counted(deadlines) => deadlines.next(candidates, may_pick),
        }
    }
}

/// One whole round, if it is short enough.
fn turns(candidates: &[Candidate]) -> Option<Box<[u16]>> {
    let mut weights = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if candidate.weight.fract() != 0.0 || candidate.weight > LONGEST as f64 {
            return None;
        }
        weights.push(candidate.weight as u64);
    }
    let divisor = weights.iter().copied().fold(0, greatest_common_divisor).max(1);
    let round = weights.iter().map(|weight| weight / divisor).sum::<u64>();
    if round > LONGEST || candidates.len() > usize::from(u16::MAX) {
        return None;
    }
    let steps: Vec<f64> = weights.iter().map(|weight| 1.0 / (weight / divisor) as f64).collect();
    // Counting turns instead of adding steps keeps rounding errors from adding up.
    let mut taken = vec![0_u64; steps.len()];
    let mut turns = Vec::with_capacity(round as usize);
    for _ in 0..round {
        let deadline = |index: usize| (taken[index] + 1) as f64 * steps[index];
        let next = (0..steps.len()).min_by(|one, two| deadline(*one).total_cmp(&deadline(*two)))?;
        taken[next] += 1;
        turns.push(next as u16);
    }
    Some(turns.into())
}

fn greatest_common_divisor(one: u64, two: u64) -> u64 {
    if two == 0 { one } else { greatest_common_divisor(two, one % two) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::candidates;

    const ASKED: Asked<'static> = Asked { key: b"", dice: 0, tried: &[] };

    #[track_caller]
    fn check(weights: &[f64], picks: usize, expected: &[usize]) {
        let candidates = candidates(weights);
        let strategy = WeightedRoundRobin::new(&candidates);
        let mut counts = vec![0; weights.len()];
        for _ in 0..picks {
            counts[strategy.pick(&candidates, &ASKED).unwrap()] += 1;
        }
        assert_eq!(counts, expected);
    }

    #[test]
    fn shares_follow_weights() {
        check(&[1.0, 1.0, 1.0], 12, &[4, 4, 4]);
        check(&[3.0, 1.0], 16, &[12, 4]);
        check(&[10.0, 20.0], 3, &[1, 2]);
        check(&[5.0], 3, &[3]);
    }

    #[test]
    fn weights_too_far_apart_to_write_down_are_counted() {
        check(&[100_000.0, 50_000.0], 300, &[200, 100]);
        check(&[0.5, 1.5], 8, &[2, 6]);
    }

    #[test]
    fn who_is_heaviest_comes_first() {
        let candidates = candidates(&[1.0, 3.0]);
        let strategy = WeightedRoundRobin::new(&candidates);
        let picked: Vec<_> = (0..4).map(|_| strategy.pick(&candidates, &ASKED).unwrap()).collect();
        assert_eq!(picked, [1, 1, 0, 1]);
    }

    #[test]
    fn those_that_are_down_fenced_or_tried_are_passed_over() {
        for weights in [[1.0, 1.0, 1.0, 1.0], [1.0, 0.1, 0.1, 0.1]] {
            let mut candidates = candidates(&weights);
            candidates[0].fenced = true;
            candidates[1].status.set(false);
            let strategy = WeightedRoundRobin::new(&candidates);
            for _ in 0..8 {
                assert_eq!(strategy.pick(&candidates, &Asked { tried: &[2], ..ASKED }), Some(3));
            }
            assert_eq!(strategy.pick(&candidates, &Asked { tried: &[2, 3], ..ASKED }), None);
        }
    }

    #[test]
    fn who_comes_back_gets_no_flood() {
        for weights in [[1.0, 1.0], [0.5, 0.5]] {
            let candidates = candidates(&weights);
            let strategy = WeightedRoundRobin::new(&candidates);
            candidates[0].status.set(false);
            for _ in 0..101 {
                assert_eq!(strategy.pick(&candidates, &ASKED), Some(1));
            }
            candidates[0].status.set(true);
            let firsts = (0..10).filter(|_| strategy.pick(&candidates, &ASKED) == Some(0)).count();
            assert!((4..=6).contains(&firsts), "{firsts} of 10");
        }
    }

    proptest::proptest! {
        /// Whatever the weights and whoever sits out, one round gives every other candidate exactly its share.
        #[test]
        fn a_round_is_shared_exactly(weights in proptest::collection::vec(1_u32..40, 1..9), out in 0_usize..9) {
            let candidates = candidates(&weights.iter().copied().map(f64::from).collect::<Vec<_>>());
            if let Some(one) = candidates.get(out) {
                one.status.set(false);
            }
            let strategy = WeightedRoundRobin::new(&candidates);
            let mut shares = weights;
            if let Some(share) = shares.get_mut(out) {
                *share = 0;
            }
            let mut counts = vec![0; shares.len()];
            for _ in 0..shares.iter().sum::<u32>() {
                counts[strategy.pick(&candidates, &ASKED).unwrap()] += 1;
            }
            proptest::prop_assert_eq!(counts, shares);
        }
    }

    #[test]
    fn nobody_to_pick() {
        assert_eq!(WeightedRoundRobin::new(&[]).pick(&[], &ASKED), None);
    }
}
