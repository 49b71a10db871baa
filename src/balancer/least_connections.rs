//! Least connections: the fewest requests in flight for the weight. Equals take turns by weight.

use crate::deadlines::Deadlines;
use crate::{Asked, Candidate, Strategy};

/// See the module.
#[derive(Debug)]
pub struct LeastConnections(Deadlines);

impl LeastConnections {
    /// For these candidates and no others.
    pub fn new(candidates: &[Candidate]) -> Self {
        Self(Deadlines::new(candidates))
    }
}

impl Strategy for LeastConnections {
    fn pick(&self, candidates: &[Candidate], asked: &Asked<'_>) -> Option<usize> {
        let load = |index: usize| candidates[index].in_flight() as f64 / candidates[index].weight;
        let may_pick = |index: usize| asked.may_pick(index, &candidates[index]);
        let least = (0..candidates.len()).filter(|index| may_pick(*index)).map(load).min_by(f64::total_cmp)?;
        // Loads move while they are compared: then whoever may be picked takes turns.
        self.0
            .next(candidates, |index| may_pick(index) && load(index) <= least)
            .or_else(|| self.0.next(candidates, may_pick))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::candidates;

    const ASKED: Asked<'static> = Asked { key: b"", dice: 0, tried: &[] };

    #[test]
    fn the_least_busy_for_its_weight() {
        let candidates = candidates(&[1.0, 1.0, 4.0]);
        let strategy = LeastConnections::new(&candidates);
        let _busy: Vec<_> = [0, 1, 2, 2, 2].map(|index: usize| candidates[index].enter()).into();
        assert_eq!(strategy.pick(&candidates, &ASKED), Some(2), "3 / 4 is less than 1");
        assert_eq!(strategy.pick(&candidates, &Asked { tried: &[2, 0], ..ASKED }), Some(1));
        candidates[2].status.set(false);
        candidates[1].status.set(false);
        assert_eq!(strategy.pick(&candidates, &ASKED), Some(0));
        candidates[0].status.set(false);
        assert_eq!(strategy.pick(&candidates, &ASKED), None);
    }

    #[test]
    fn equals_take_turns_by_weight() {
        let candidates = candidates(&[3.0, 1.0]);
        let strategy = LeastConnections::new(&candidates);
        let first = (0..8).filter(|_| strategy.pick(&candidates, &ASKED) == Some(0)).count();
        assert_eq!(first, 6);
    }
}
