//! [`Balancer`]: things to pick from, how to pick, and who belongs where.

use crate::{Affinity, Asked, Candidate, Found, Strategy};

/// See the module. Candidates and targets are told by the same index.
#[derive(Debug)]
pub struct Balancer<T> {
    candidates: Box<[Candidate]>,
    targets: Box<[T]>,
    strategy: Box<dyn Strategy>,
    affinity: Option<Affinity>,
}

impl<T> Balancer<T> {
    /// The strategy is made for the candidates, once their order is settled.
    pub fn new(
        members: impl IntoIterator<Item = (Candidate, T)>,
        strategy: impl FnOnce(&[Candidate]) -> Box<dyn Strategy>,
    ) -> Self {
        let (candidates, targets): (Vec<_>, Vec<_>) = members.into_iter().unzip();
        let strategy = strategy(&candidates);
        Self { candidates: candidates.into(), targets: targets.into(), strategy, affinity: None }
    }

    /// Lets clients stay with the candidate they were given.
    #[must_use]
    pub fn sticky(mut self) -> Self {
        self.affinity = Some(Affinity::new(&self.candidates));
        self
    }

    pub fn pick(&self, asked: &Asked<'_>) -> Option<usize> {
        self.strategy.pick(&self.candidates, asked)
    }

    /// Where a client with that value belongs, if that one is up and was not tried in vain. A fenced candidate keeps
    /// those that belong to it.
    pub fn belongs(&self, value: &str, tried: &[usize]) -> Option<Found> {
        let found = self.affinity.as_ref()?.find(value)?;
        (self.candidates[found.index].status.is_up() && !tried.contains(&found.index)).then_some(found)
    }

    pub fn candidate(&self, index: usize) -> &Candidate {
        &self.candidates[index]
    }

    pub fn target(&self, index: usize) -> &T {
        &self.targets[index]
    }

    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    pub fn targets(&self) -> &[T] {
        &self.targets
    }

    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Status, WeightedRoundRobin, sticky};

    const ASKED: Asked<'static> = Asked { key: b"", dice: 0, tried: &[] };

    #[test]
    fn a_fenced_candidate_keeps_its_own_and_takes_no_others() {
        let members =
            [("a", true), ("b", false)].map(|(name, fenced)| (Candidate::new(name, 1.0, fenced, Status::leaf()), name));
        let balancer = Balancer::new(members, |all| Box::new(WeightedRoundRobin::new(all))).sticky();
        assert!((0..4).all(|_| balancer.pick(&ASKED) == Some(1)));
        let bound = sticky::value("a");
        assert_eq!(balancer.belongs(&bound, &[]), Some(Found { index: 0, outdated: false }));
        assert_eq!(balancer.belongs(&bound, &[0]), None, "it was tried in vain");
        balancer.candidate(0).status.set(false);
        assert_eq!(balancer.belongs(&bound, &[]), None, "it is down");
    }

    #[test]
    fn a_drained_candidate_keeps_its_own_until_it_is_enabled() {
        let members = ["a", "b"].map(|name| (Candidate::new(name, 1.0, false, Status::leaf()), name));
        let balancer = Balancer::new(members, |all| Box::new(WeightedRoundRobin::new(all))).sticky();
        balancer.candidate(0).status.drain(true);
        assert!((0..4).all(|_| balancer.pick(&ASKED) == Some(1)));
        assert!(balancer.belongs(&sticky::value("a"), &[]).is_some());
        balancer.candidate(0).status.drain(false);
        assert!((0..4).any(|_| balancer.pick(&ASKED) == Some(0)));
    }
}
