//! # inFlightConn (TCP)
//!
//! Limits how many connections a client address may have open at once; further ones are closed.
//!
//! ```yaml
//! tcp:
//!   middlewares:
//!     few: {inFlightConn: {amount: 10}}
//! ```

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Deserialize;
use trafficcop_exchange::{Admission, ConnFilter};

use super::TcpMiddleware;
use crate::BuildError;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct InFlightConn {
    /// Connections per address.
    amount: i64,
}

/// Holds an address only while it has connections, so open connections bound it.
#[derive(Default)]
struct Open(Mutex<HashMap<IpAddr, i64, foldhash::fast::RandomState>>);

struct Limit {
    amount: i64,
    open: Arc<Open>,
}

/// One connection that counts.
struct Seat {
    peer: IpAddr,
    open: Arc<Open>,
}

impl TcpMiddleware for InFlightConn {
    const NAME: &'static str = "inFlightConn";

    fn build(self) -> Result<Arc<dyn ConnFilter>, BuildError> {
        Ok(Arc::new(Limit { amount: self.amount, open: Arc::default() }))
    }
}

impl ConnFilter for Limit {
    fn admit(&self, peer: IpAddr) -> Admission {
        let mut open = self.open.0.lock();
        let count = open.get(&peer).copied().unwrap_or(0);
        if count >= self.amount {
            return Admission::Refused;
        }
        open.insert(peer, count + 1);
        Admission::Admitted(Some(Box::new(Seat { peer, open: Arc::clone(&self.open) })))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.open.0.lock();
        match open.get_mut(&self.peer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.remove(&self.peer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_free_again_when_its_connection_ends() {
        let filter = InFlightConn { amount: 1 }.build().unwrap();
        let admit = |peer: &str| filter.admit(peer.parse().unwrap());
        let first = admit("10.0.0.1");
        assert!(matches!(first, Admission::Admitted(_)));
        assert!(matches!(admit("10.0.0.1"), Admission::Refused));
        assert!(matches!(admit("10.0.0.2"), Admission::Admitted(_)));
        drop(first);
        assert!(matches!(admit("10.0.0.1"), Admission::Admitted(_)));
    }
}
