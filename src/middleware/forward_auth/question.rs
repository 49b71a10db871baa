//! What the other server is asked.

use bytes::Bytes;
use trafficcop_exchange::{Exchange, Headers, Method, Request, Target};

use super::Gate;

/// What becomes of the `X-Forwarded-*` headers that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    Overwrite,
    Remove,
    Keep,
}

/// Headers that belong to one connection. What is said to proxies is said to who decides for one.
const HOP_BY_HOP: [&str; 8] =
    ["Connection", "Keep-Alive", "Te", "Trailer", "Trailers", "Transfer-Encoding", "Upgrade", "Content-Length"];

/// Removes what belongs to the connection a head came on.
pub(super) fn strip_hop_by_hop(headers: &mut Headers) {
    let named: Vec<String> = headers
        .get_all("Connection")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect();
    headers.retain(|name, _| {
        let listed = named.iter().any(|listed| listed.eq_ignore_ascii_case(name));
        !listed && !HOP_BY_HOP.iter().any(|hop| hop.eq_ignore_ascii_case(name))
    });
}

impl Gate {
    pub(super) fn question(&self, req: &Request, cx: &Exchange) -> Request {
        let address = match self.address.query() {
            Some(query) => format!("{}?{query}", self.address.path()),
            None => self.address.path().to_owned(),
        };
        let method = if self.keep_method { req.method.clone() } else { Method::GET };
        let mut question = Request::new(method, Target::parse(Bytes::from(address)));
        question.headers = req.headers.clone();
        strip_hop_by_hop(&mut question.headers);
        if !self.request_headers.is_empty() {
            question.headers.retain(|name, _| self.request_headers.iter().any(|kept| kept.eq_ignore_ascii_case(name)));
        }
        self.forwarded(req, cx, &mut question.headers);
        // Traefik's client names itself unless it was told how far to trust.
        if self.trust == Trust::Overwrite && !question.headers.contains("User-Agent") {
            question.headers.append("User-Agent", "Go-http-client/1.1");
        }
        question
    }

    fn forwarded(&self, req: &Request, cx: &Exchange, headers: &mut Headers) {
        if self.trust == Trust::Remove {
            headers.retain(|name, _| {
                let is_forwarded = name.get(..12).is_some_and(|start| start.eq_ignore_ascii_case("x-forwarded-"));
                !is_forwarded && !name.eq_ignore_ascii_case("x-real-ip")
            });
            headers.insert("X-Forwarded-Port", port(req, cx));
        }
        let peer = cx.connection.peer.ip().to_canonical().to_string();
        let prior =
            req.headers.get_str("X-Forwarded-For").filter(|prior| self.trust == Trust::Keep && !prior.is_empty());
        headers.insert("X-Forwarded-For", prior.map_or_else(|| peer.clone(), |prior| format!("{prior}, {peer}")));
        let scheme = if cx.connection.tls.is_some() { "https" } else { "http" };
        for (name, value) in [
            ("X-Forwarded-Method", req.method.to_string()),
            ("X-Forwarded-Proto", scheme.to_owned()),
            ("X-Forwarded-Host", req.host_str().to_owned()),
            ("X-Forwarded-Uri", req.target.to_uri()),
        ] {
            let kept = req.headers.get_bytes(name).filter(|kept| self.trust == Trust::Keep && !kept.is_empty());
            match kept {
                Some(kept) => headers.insert(name, kept),
                None if value.is_empty() => drop(headers.remove(name)),
                None => headers.insert(name, value),
            }
        }
    }
}

/// The port that was asked for: that of the Host header, or the scheme's own.
fn port(req: &Request, cx: &Exchange) -> String {
    let host = req.host_str();
    let after_brackets = host.rfind(']').map_or(0, |at| at + 1);
    match host[after_brackets..].rsplit_once(':') {
        Some((_, port)) if !port.is_empty() => port.to_owned(),
        _ => if cx.connection.tls.is_some() { "443" } else { "80" }.to_owned(),
    }
}
