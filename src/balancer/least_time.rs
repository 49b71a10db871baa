//! Least time: the lowest product of the average time to the first byte and the requests in flight, divided by the
//! weight. Equal scores take turns by weight.

use crate::deadlines::Deadlines;
use crate::{Asked, Candidate, Strategy};

/// See the module.
#[derive(Debug)]
pub struct LeastTime(Deadlines);

impl LeastTime {
    /// For these candidates and no others.
    pub fn new(candidates: &[Candidate]) -> Self {
        Self(Deadlines::new(candidates))
    }
}

impl Strategy for LeastTime {
    fn pick(&self, candidates: &[Candidate], asked: &Asked<'_>) -> Option<usize> {
        let score = |index: usize| {
            let candidate = &candidates[index];
            candidate.average() * (1 + candidate.in_flight()) as f64 / candidate.weight
        };
        let eligible = || (0..candidates.len()).filter(|index| asked.may_pick(*index, &candidates[*index]));
        let lowest = eligible().map(score).min_by(f64::total_cmp)?;
        // Scores move while they are compared: then whoever may be picked takes turns.
        self.0
            .next(candidates, |index| asked.may_pick(index, &candidates[index]) && score(index) <= lowest)
            .or_else(|| self.0.next(candidates, |index| asked.may_pick(index, &candidates[index])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::candidates;

    const ASKED: Asked<'static> = Asked { key: b"", dice: 0, tried: &[] };

    #[test]
    fn the_quickest_for_its_weight() {
        let candidates = candidates(&[1.0, 1.0, 4.0]);
        for (candidate, time) in candidates.iter().zip([30, 20, 62]) {
            candidate.record(time);
        }
        let strategy = LeastTime::new(&candidates);
        assert_eq!(strategy.pick(&candidates, &ASKED), Some(2), "62 / 4 is less than 20");
        let _guard = candidates[2].enter();
        assert_eq!(strategy.pick(&candidates, &ASKED), Some(1), "62 * 2 / 4 is not");
        candidates[1].status.set(false);
        assert_eq!(strategy.pick(&candidates, &ASKED), Some(0), "30 is less than 62 * 2 / 4");
    }

    #[test]
    fn equals_take_turns_by_weight() {
        let candidates = candidates(&[3.0, 1.0]);
        let strategy = LeastTime::new(&candidates);
        let first = (0..8).filter(|_| strategy.pick(&candidates, &ASKED) == Some(0)).count();
        assert_eq!(first, 6);
    }

    #[test]
    fn nobody_to_pick() {
        let candidates = candidates(&[1.0]);
        candidates[0].status.set(false);
        assert_eq!(LeastTime::new(&candidates).pick(&candidates, &ASKED), None);
    }
}
