//! The proxy of the environment: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, in either case, as Go reads them.

use std::net::IpAddr;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::server_url::{Scheme, ServerUrl};

/// A proxy on the way to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Via {
    pub(crate) proxy: ServerUrl,
    /// `Basic …` for `Proxy-Authorization`.
    pub(crate) authorization: Option<Box<str>>,
}

#[derive(Debug, Default)]
struct Environment {
    http: Option<Via>,
    https: Option<Via>,
    except: Vec<String>,
}

/// The proxy through which that server is reached; None: directly. The environment is read once.
pub(crate) fn via(server: &ServerUrl) -> Option<Via> {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| Environment::read(|name| std::env::var(name).ok())).via(server)
}

impl Environment {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either =
            |name: &str| variable(name).or_else(|| variable(&name.to_lowercase())).filter(|value| !value.is_empty());
        // Set by a server that runs CGI programs, the variable could come from a client's Proxy header.
        let is_cgi = variable("REQUEST_METHOD").is_some();
        let except = either("NO_PROXY").unwrap_or_default();
        Self {
            http: either("HTTP_PROXY").filter(|_| !is_cgi).and_then(|url| Via::parse(&url)),
            https: either("HTTPS_PROXY").and_then(|url| Via::parse(&url)),
            except: except.split(',').map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty()).collect(),
        }
    }

    fn via(&self, server: &ServerUrl) -> Option<Via> {
        let proxy = match server.scheme {
            Scheme::Http | Scheme::H2c => self.http.as_ref(),
            Scheme::Https => self.https.as_ref(),
            Scheme::Unknown => None,
        }?;
        (!self.is_direct(server)).then(|| proxy.clone())
    }

    fn is_direct(&self, server: &ServerUrl) -> bool {
        let host = server.host.trim_end_matches('.').to_ascii_lowercase();
        if host == "localhost" || server.ip.is_some_and(|ip| ip.is_loopback()) {
            return true;
        }
        self.except.iter().any(|name| matches(name, &host, server.ip, server.port))
    }
}

fn matches(exception: &str, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
    if exception == "*" {
        return true;
    }
    if let (Some(ip), Some((network, bits))) = (ip, exception.split_once('/')) {
        return network.parse().is_ok_and(|network| bits.parse().is_ok_and(|bits| contains(network, bits, ip)));
    }
    let (name, only) = match exception.rsplit_once(':') {
        Some((name, digits)) if !name.contains(':') => (name, digits.parse::<u16>().ok()),
        _ => (exception, None),
    };
    if only.is_some_and(|only| only != port) {
        return false;
    }
    let name = name.strip_prefix("*.").unwrap_or(name.strip_prefix('.').unwrap_or(name));
    host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.') && ip.is_none())
}

fn contains(network: IpAddr, bits: u32, ip: IpAddr) -> bool {
    match (network, ip) {
        (IpAddr::V4(network), IpAddr::V4(ip)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            network.to_bits() & mask == ip.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(ip)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            network.to_bits() & mask == ip.to_bits() & mask
        }
        _ => false,
    }
}

impl Via {
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let proxy = ServerUrl::parse(&url).ok();
        // A proxy that is itself reached by TLS or SOCKS is beyond this build.
        let Some(proxy) = proxy.filter(|proxy| proxy.scheme == Scheme::Http) else {
            tracing::error!("The proxy of the environment is ignored: only http:// proxies are known.");
            return None;
        };
        let user = url.split_once("://")?.1.split(['/', '?']).next()?.rsplit_once('@').map(|(user, _)| user);
        let authorization = user.map(|user| {
            let plain = percent_encoding::percent_decode_str(user).collect::<Vec<u8>>();
            format!("Basic {}", STANDARD.encode(plain)).into()
        });
        Some(Self { proxy, authorization })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], server: &str, expected: Option<&str>) {
        let read =
            |name: &str| variables.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
        let via = Environment::read(read).via(&ServerUrl::parse(server).unwrap());
        let shown = via.map(|via| format!("{}:{}", via.proxy.host, via.proxy.port));
        assert_eq!(shown.as_deref(), expected);
    }

    #[test]
    fn by_scheme() {
        let both = [("HTTP_PROXY", "http://p:3128"), ("https_proxy", "q:8080")];
        check(&both, "http://a.test", Some("p:3128"));
        check(&both, "https://a.test", Some("q:8080"));
        check(&both, "http://127.0.0.1:80", None);
        check(&both, "http://localhost", None);
        check(&[], "http://a.test", None);
        check(&[("HTTP_PROXY", "socks5://p:1")], "http://a.test", None);
        check(&[("HTTP_PROXY", "p:1"), ("REQUEST_METHOD", "GET")], "http://a.test", None);
    }

    #[test]
    fn exceptions() {
        let direct = |no: &str, server: &str, expected: bool| {
            check(&[("HTTP_PROXY", "p:1"), ("NO_PROXY", no)], server, (!expected).then_some("p:1"));
        };
        direct("*", "http://a.test", true);
        direct("a.test", "http://a.test", true);
        direct("a.test", "http://b.a.test", true);
        direct(".a.test", "http://b.a.test", true);
        direct("a.test", "http://ba.test", false);
        direct("a.test:81", "http://a.test", false);
        direct("10.0.0.0/8, x", "http://10.9.8.7", true);
        direct("10.0.0.0/8", "http://11.9.8.7", false);
        direct("192.0.2.7", "http://192.0.2.7:9", true);
    }

    #[test]
    fn credentials() {
        let via = Via::parse("http://us%65r:pw@p:1").unwrap();
        assert_eq!(via.authorization.as_deref(), Some("Basic dXNlcjpwdw=="));
    }
}
