//! Which server? Strategies, affinity and health over anything that can be picked.
//!
//! Knows neither HTTP nor sockets, neither clock nor dice: time and randomness come in as arguments. Everything here is
//! shared by all workers without a lock on the way of a request: positions, counts and averages are atomics.

mod balancer;
mod candidate;
mod deadlines;
mod fnv;
pub mod hrw;
pub mod least_connections;
pub mod least_time;
pub mod p2c;
pub mod status;
pub mod sticky;
pub mod weighted_random;
pub mod wrr;

pub use balancer::Balancer;
pub use candidate::{Candidate, InFlight};
pub use hrw::HighestRandomWeight;
pub use least_connections::LeastConnections;
pub use least_time::LeastTime;
pub use p2c::PowerOfTwoChoices;
pub use status::Status;
pub use sticky::{Affinity, Found};
pub use weighted_random::WeightedRandom;
pub use wrr::WeightedRoundRobin;

/// What a strategy may know of the request for which it picks.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who asks; equal keys lead to the same server where the strategy cares.
    pub key: &'a [u8],
    /// A fresh random number.
    pub dice: u64,
    /// Candidates that were tried for this request and could not be reached.
    pub tried: &'a [usize],
}

impl Asked<'_> {
    /// Whether that candidate may be picked: up, not fenced, not drained, not tried before.
    pub fn may_pick(&self, index: usize, candidate: &Candidate) -> bool {
        candidate.status.is_up() && !candidate.fenced && !candidate.status.is_drained() && !self.tried.contains(&index)
    }
}

/// How to choose among those that may be picked. None: there is none.
pub trait Strategy: Send + Sync + std::fmt::Debug {
    fn pick(&self, candidates: &[Candidate], asked: &Asked<'_>) -> Option<usize>;
}
