//! From a request to its route: what the rules look at is taken from the request here, once.

use trafficcop_exchange::{Exchange, Headers, Request};
use trafficcop_router::{Head, HeaderLookup, InvalidEscape, RouteTable, routing_path};

/// The route for a request; the canonical host is that of the exchange. `cname` is where that host leads by CNAME, when
/// the settings ask for it.
pub fn find<'a, R>(
    routes: &'a RouteTable<R>,
    req: &Request,
    cx: &Exchange,
    cname: Option<&str>,
) -> Result<Option<&'a R>, InvalidEscape> {
    let routing_path = routing_path(req.target.path())?;
    let head = Head {
        method: req.method.as_str(),
        host: &cx.canonical_host,
        cname,
        routing_path: &routing_path,
        query: req.target.query(),
        headers: &Lines(&req.headers),
        client_ip: cx.connection.peer.ip(),
    };
    Ok(routes.find(&head))
}

/// The header lines of a request, as matchers look at them.
struct Lines<'a>(&'a Headers);

impl HeaderLookup for Lines<'_> {
    fn values(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.0.get_all(name).any(each)
    }
}
