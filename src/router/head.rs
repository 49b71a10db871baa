//! [`Head`]: the parts of a request at which HTTP matchers look. The caller fills it in once per request.

use std::net::IpAddr;

/// What the matchers may look at.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// The method as it was sent.
    pub method: &'a str,
    /// What [`canonical_host`](crate::canonical_host) made of the `Host` header or the `:authority`: lower-case, without port. A trailing dot
    /// stays, because regular expressions see it; the `Host` matcher takes care of it.
    pub host: &'a str,
    /// The name to which the host leads by CNAME, when `hostResolver.cnameFlattening` asks for it.
    pub cname: Option<&'a str>,
    /// What [`routing_path`](crate::routing_path) made of the path.
    pub routing_path: &'a str,
    /// Behind the question mark, as it was sent; `None` or empty when there is nothing.
    pub query: Option<&'a str>,
    /// The header lines.
    pub headers: &'a dyn HeaderLookup,
    /// The peer of the connection (after PROXY protocol), never what a forwarding header says.
    pub client_ip: IpAddr,
}

/// How matchers reach header lines without this crate knowing the type that holds them.
pub trait HeaderLookup {
    /// Hands every value of the header `name` (compared without regard to case) to `each`, in order, until `each`
    /// says true. Says whether one did.
    fn values(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) -> bool;
}

/// Pairs of name and value: what tests and simple callers have at hand.
impl<N: AsRef<str>, V: AsRef<[u8]>> HeaderLookup for [(N, V)] {
    fn values(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.iter().any(|(line, value)| line.as_ref().eq_ignore_ascii_case(name) && each(value.as_ref()))
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> HeaderLookup for &[(N, V)] {
    fn values(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        (**self).values(name, each)
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>, const COUNT: usize> HeaderLookup for [(N, V); COUNT] {
    fn values(&self, name: &str, each: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.as_slice().values(name, each)
    }
}
