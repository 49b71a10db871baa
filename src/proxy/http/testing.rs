//! What the tests of this floor share: an exchange, a request, servers on loopback.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use trafficcop_exchange::{ConnectionInfo, Exchange, Method, Request, Target};

/// An exchange with the client 192.0.2.1.
pub(crate) fn exchange() -> Exchange {
    Exchange::new(Rc::new(ConnectionInfo {
        entry_point: Arc::from("web"),
        peer: ([192, 0, 2, 1], 4711).into(),
        local: ([192, 0, 2, 2], 80).into(),
        tls: None,
    }))
}

pub(crate) fn request(method: Method, target: &'static str) -> Request {
    let mut request = Request::new(method, Target::parse(Bytes::from_static(target.as_bytes())));
    request.host = Bytes::from_static(b"a.test");
    request
}
