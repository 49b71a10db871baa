//! Which servers are to be asked: the one there is, whom Sentinel names, or every master of a cluster.

use redis::{Value, cmd};
use trafficcop_kv::StoreError;

use crate::connect::{Access, Address};
use crate::node::Node;
use crate::{events, sentinel};

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Topology {
    kind: Kind,
    pub(crate) addresses: Vec<Address>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Single,
    Sentinel,
    Cluster,
}

impl Topology {
    /// Asks the endpoints in their order; the first that answers counts.
    pub(crate) async fn find(access: &Access) -> Result<Self, StoreError> {
        if access.sentinel().is_some() {
            let address = sentinel::choose(access).await?;
            return Ok(Self { kind: Kind::Sentinel, addresses: vec![address] });
        }
        let mut failures = Vec::new();
        for address in &access.endpoints {
            let (sender, _events) = events::channel();
            match Node::connect(access, address, 0, sender).await {
                Ok(mut node) => return Ok(Self::around(&mut node, address).await),
                Err(error) => failures.push(error.to_string()),
            }
        }
        Err(StoreError::Lost(failures.join("; ")))
    }

    /// What a server says of the others. One that knows none, or may not tell, is alone.
    async fn around(node: &mut Node, address: &Address) -> Self {
        let slots = node.ask(cmd("CLUSTER").arg("SLOTS")).await;
        let masters = slots.map(|slots| masters(&slots, address)).unwrap_or_default();
        if masters.is_empty() {
            return Self { kind: Kind::Single, addresses: vec![address.clone()] };
        }
        Self { kind: Kind::Cluster, addresses: masters }
    }

    /// Fails when other servers ought to be asked by now.
    pub(crate) async fn still_holds(&self, access: &Access, nodes: &mut [Node]) -> Result<(), StoreError> {
        let (Some(node), Some(address)) = (nodes.first_mut(), self.addresses.first()) else { return Ok(()) };
        match self.kind {
            // A server that was alone may have joined a cluster since, or not have known yet that it belongs to one.
            Kind::Single | Kind::Cluster if Self::around(node, address).await == *self => Ok(()),
            Kind::Single | Kind::Cluster => Err(StoreError::lost("the cluster's masters or slots have changed")),
            Kind::Sentinel if sentinel::is_good_enough(access, address).await => Ok(()),
            Kind::Sentinel => Err(StoreError::lost("Sentinel names another server")),
        }
    }
}

/// `[[first, last, [host, port, …], replicas …], …]`
fn masters(slots: &Value, asked: &Address) -> Vec<Address> {
    let Value::Array(ranges) = slots else { return Vec::new() };
    let master = |range: &Value| {
        let Value::Array(range) = range else { return None };
        let Value::Array(master) = range.get(2)? else { return None };
        let host: String = redis::from_redis_value(master.first()?.clone()).unwrap_or_default();
        let port: u16 = redis::from_redis_value(master.get(1)?.clone()).ok()?;
        // A server that does not know its own address means the one it was asked at.
        let host = if host.is_empty() { asked.host.clone() } else { host };
        Some(Address { host, port })
    };
    let mut masters: Vec<_> = ranges.iter().filter_map(master).collect();
    masters.sort();
    masters.dedup();
    masters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_master_once() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let server = |host: &str, port| Value::Array(vec![text(host), Value::Int(port), text("id")]);
        let range = |from, master| Value::Array(vec![Value::Int(from), Value::Int(from + 9), master, server("r", 1)]);
        let slots = Value::Array(vec![range(0, server("b", 7)), range(10, server("", 8)), range(20, server("b", 7))]);
        let address = |host: &str, port| Address { host: host.into(), port };
        assert_eq!(masters(&slots, &address("a", 9)), [address("a", 8), address("b", 7)]);
        assert_eq!(masters(&Value::Nil, &address("a", 9)), []);
    }
}
