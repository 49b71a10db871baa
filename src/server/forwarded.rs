//! Who the client is: `X-Forwarded-*` and `X-Real-Ip` are believed or dropped, and filled in where they are missing; and
//! what the `Connection` header may do.
//!
//! What must hold: behind this, the managed headers say either what a trusted peer said or what we saw ourselves.

use bytes::Bytes;
use trafficcop_config::settings::entry_points::ForwardedHeaders;
use trafficcop_exchange::{KnownName, Request};

use crate::trust::{BadNetwork, Trusted};

/// The headers that only trusted peers may send, in lower case; `_` in place of `-` makes no difference.
const MANAGED: [&str; 11] = [
    "x-forwarded-proto",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-forwarded-uri",
    "x-forwarded-method",
    "x-forwarded-prefix",
    "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info",
    "x-real-ip",
];

/// An entry point's stance.
#[derive(Clone, Debug)]
pub(crate) struct Forwarded {
    trusted: Trusted,
    /// Header names that `Connection` may name and that yet reach the middlewares.
    connection: Vec<String>,
    /// This machine's name.
    hostname: Bytes,
    pub(crate) append_for: bool,
}

/// What a connection says about itself, worked out once.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The address as text, without an IPv6 zone.
    pub(crate) text: Bytes,
    pub(crate) trusted: bool,
    pub(crate) tls: bool,
}

impl Forwarded {
    pub(crate) fn new(settings: &ForwardedHeaders) -> Result<Self, BadNetwork> {
        let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Ok(Self {
            trusted: Trusted::new(settings.insecure, &settings.trusted_ips)?,
            connection: settings.connection.iter().map(|name| name.trim().to_owned()).collect(),
            hostname: hostname.into(),
            append_for: !settings.not_append_x_forwarded_for,
        })
    }

    pub(crate) fn peer(&self, address: std::net::IpAddr, tls: bool) -> Peer {
        let address = address.to_canonical();
        Peer { text: address.to_string().into(), trusted: self.trusted.contains(address), tls }
    }

    /// Makes the request say who sent it.
    pub(crate) fn apply(&self, request: &mut Request, peer: &Peer) {
        if peer.trusted {
            self.fill(request, peer);
        } else {
            request.headers.retain_lines(|name, _| !is_managed(name));
            self.write(request, peer);
        }
        self.connection(request);
    }

    /// Says what we see where nothing is said: the managed headers are gone.
    fn write(&self, request: &mut Request, peer: &Peer) {
        let scheme = scheme(request, peer);
        let headers = &mut request.headers;
        headers.push_known(KnownName::X_REAL_IP, &peer.text);
        headers.push_known(KnownName::X_FORWARDED_PROTO, scheme.as_bytes());
        let default: &[u8] = if peer.tls { b"443" } else { b"80" };
        headers.push_known(KnownName::X_FORWARDED_PORT, port(&request.host).unwrap_or(default));
        if !request.host.is_empty() {
            headers.push_known(KnownName::X_FORWARDED_HOST, &request.host);
        }
        if !self.hostname.is_empty() {
            headers.push_known(KnownName::X_FORWARDED_SERVER, &self.hostname);
        }
    }

    /// Says what we see where the trusted peer says nothing.
    fn fill(&self, request: &mut Request, peer: &Peer) {
        let scheme = scheme(request, peer);
        let headers = &mut request.headers;
        let missing = |value: Option<&[u8]>| value.is_none_or(<[u8]>::is_empty);
        if missing(headers.get("X-Real-Ip")) {
            headers.insert("X-Real-Ip", peer.text.clone());
        }
        if missing(headers.get("X-Forwarded-Proto")) {
            headers.insert("X-Forwarded-Proto", scheme);
        }
        if missing(headers.get("X-Forwarded-Port")) {
            let secure = peer.tls || matches!(headers.get("X-Forwarded-Proto"), Some(b"https" | b"wss"));
            let default: &[u8] = if secure { b"443" } else { b"80" };
            headers.insert("X-Forwarded-Port", Bytes::copy_from_slice(port(&request.host).unwrap_or(default)));
        }
        if missing(headers.get("X-Forwarded-Host")) && !request.host.is_empty() {
            headers.insert("X-Forwarded-Host", request.host.clone());
        }
        if headers.get_all("X-Forwarded-For").nth(1).is_some() {
            let joined = headers.get_all("X-Forwarded-For").collect::<Vec<_>>().join(&b", "[..]);
            headers.insert("X-Forwarded-For", joined);
        }
        if !self.hostname.is_empty() {
            headers.insert("X-Forwarded-Server", self.hostname.clone());
        }
    }

    /// Headers that `Connection` names are for us alone, but for managed ones and those the settings let through.
    fn connection(&self, request: &mut Request) {
        let Some(first) = request.headers.get("Connection") else { return };
        let boring = |line: &[u8]| line.eq_ignore_ascii_case(b"keep-alive") || line.eq_ignore_ascii_case(b"close");
        if request.upgrade.is_none() && boring(first) && request.headers.get_all("Connection").nth(1).is_none() {
            request.headers.remove("Connection");
            request.headers.remove("Keep-Alive");
            return;
        }
        let lines: Vec<Vec<u8>> = request.headers.get_all("Connection").map(<[u8]>::to_vec).collect();
        let mut kept: Vec<&str> = Vec::new();
        let names = lines.iter().filter_map(|line| std::str::from_utf8(line).ok()).flat_map(|line| line.split(','));
        for name in names.map(str::trim).filter(|name| !name.is_empty() && !is_managed(name.as_bytes())) {
            if self.connection.iter().any(|allowed| allowed.eq_ignore_ascii_case(name)) {
                kept.push(name);
            } else if !name.eq_ignore_ascii_case("connection") {
                request.headers.remove(name);
            }
        }
        if let Some(protocol) = &request.upgrade {
            request.headers.insert("Connection", "Upgrade");
            request.headers.insert("Upgrade", protocol.clone());
        } else if kept.is_empty() {
            request.headers.remove("Connection");
        } else {
            request.headers.insert("Connection", kept.join(","));
        }
    }
}

/// Whether the header is one that only trusted peers may send.
fn is_managed(bytes: &[u8]) -> bool {
    if !(bytes.len() >= 9 && bytes[0].eq_ignore_ascii_case(&b'x') && matches!(bytes[1], b'-' | b'_')) {
        return false;
    }
    let same = |(a, b): (&u8, &u8)| if *a == b'_' { *b == b'-' } else { a.to_ascii_lowercase() == *b };
    MANAGED.iter().any(|managed| managed.len() == bytes.len() && bytes.iter().zip(managed.as_bytes()).all(same))
}

fn scheme(request: &Request, peer: &Peer) -> &'static str {
    match (is_websocket(request), peer.tls) {
        (false, false) => "http",
        (false, true) => "https",
        (true, false) => "ws",
        (true, true) => "wss",
    }
}

fn is_websocket(request: &Request) -> bool {
    let Some(protocols) = &request.upgrade else { return false };
    protocols.split(|byte| *byte == b',').any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// The port of a Host header, if it has one.
fn port(host: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memrchr(b':', host)?;
    let name = &host[..colon];
    let bracketed = name.first() == Some(&b'[') && name.last() == Some(&b']');
    let port = &host[colon + 1..];
    ((bracketed || !name.contains(&b':')) && !port.is_empty()).then_some(port)
}

#[cfg(test)]
mod tests;
