//! [`Child`]: one of the services a service is made of.

use std::sync::Arc;

use rand::seq::SliceRandom;
use trafficcop_balancer::{Balancer, Candidate, Status, Strategy};
use trafficcop_exchange::Service;

use crate::BuildError;

/// See the module.
#[derive(Clone)]
pub struct Child {
    /// As it is written in the parent's configuration, with or without a provider: the sticky cookie holds its hash.
    pub name: String,
    /// None means 1; zero and below leave the child out.
    pub weight: Option<i64>,
    /// With whatever middlewares the child has around itself.
    pub service: Arc<dyn Service>,
    /// What [`Servers::health`](super::Servers::health), [`Weighted::health`](super::Weighted::health) and so on gave:
    /// None when the child has no health check.
    pub health: Option<Arc<Status>>,
}

impl Child {
    /// The state by which a parent with a health check goes.
    pub(super) fn checked(&self, parent: &str) -> Result<Arc<Status>, BuildError> {
        self.health
            .clone()
            .ok_or_else(|| BuildError::ChildWithoutHealthCheck { parent: parent.to_owned(), child: self.name.clone() })
    }
}

/// Services to pick from.
pub(super) type Services = Balancer<Arc<dyn Service>>;

/// A balancer over the children that have a weight, and its state if it is to be checked. Without a health check of its own, a parent
/// takes every child for up.
pub(super) fn balance(
    parent: &str,
    has_health_check: bool,
    children: Vec<Child>,
    strategy: impl FnOnce(&[Candidate]) -> Box<dyn Strategy>,
) -> Result<(Services, Option<Arc<Status>>), BuildError> {
    let mut members = Vec::with_capacity(children.len());
    let mut states = Vec::new();
    for child in children {
        let status = if has_health_check { child.checked(parent)? } else { Status::leaf() };
        states.push(Arc::clone(&status));
        let weight = child.weight.unwrap_or(1);
        if weight > 0 {
            members.push((Candidate::new(child.name, weight as f64, false, status), child.service));
        }
    }
    members.shuffle(&mut rand::rng());
    let health = has_health_check.then(|| Status::any_of(&states));
    Ok((Balancer::new(members, strategy), health))
}
