//! Where the engine is, as `providers.docker.endpoint` writes it.

use std::path::PathBuf;

/// An engine's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Unix(PathBuf),
    /// `secure` is what the scheme says; a TLS section makes every one of them secure.
    Tcp {
        host: String,
        port: u16,
        prefix: String,
        secure: bool,
    },
    /// The engine behind an SSH server, reached by the `ssh` program as Docker's own client does.
    Ssh {
        user: Option<String>,
        host: String,
        port: Option<u16>,
    },
}

/// The text is no address of an engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("endpoint {endpoint:?}: {expected}")]
pub(crate) struct BadEndpoint {
    endpoint: String,
    expected: &'static str,
}

impl Endpoint {
    pub(crate) fn parse(text: &str) -> Result<Self, BadEndpoint> {
        let bad = |expected| BadEndpoint { endpoint: text.to_owned(), expected };
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(bad("expected unix://, tcp://, http://, https:// or ssh:// and an address"));
        };
        match scheme {
            "unix" if rest.is_empty() => Err(bad("expected the path of a socket")),
            "unix" => Ok(Self::Unix(rest.into())),
            "tcp" | "http" | "https" => {
                let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
                let default = if scheme == "https" {
                    443
                } else if scheme == "http" {
                    80
                } else {
                    2375
                };
                let (host, port) = host_and_port(authority).ok_or_else(|| bad("expected host:port"))?;
                let prefix = match path.trim_matches('/') {
                    "" => String::new(),
                    path => format!("/{path}"),
                };
                Ok(Self::Tcp { host, port: port.unwrap_or(default), prefix, secure: scheme == "https" })
            }
            "ssh" => {
                let authority = rest.split('/').next().unwrap_or(rest);
                let (user, address) = match authority.rsplit_once('@') {
                    Some((user, address)) => (Some(user.to_owned()), address),
                    None => (None, authority),
                };
                let (host, port) = host_and_port(address).ok_or_else(|| bad("expected user@host or user@host:port"))?;
                // They become arguments of a program, which must not take them for its options.
                if host.starts_with('-') || user.as_ref().is_some_and(|user| user.starts_with('-')) {
                    return Err(bad("a user or host must not begin with a dash"));
                }
                Ok(Self::Ssh { user, host, port })
            }
            "npipe" => Err(bad("named pipes exist on Windows only")),
            _ => Err(bad("expected the scheme unix, tcp, http, https or ssh")),
        }
    }
}

fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return None;
    }
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    fn tcp(host: &str, port: u16, prefix: &str, secure: bool) -> Endpoint {
        Endpoint::Tcp { host: host.into(), port, prefix: prefix.into(), secure }
    }

    fn ssh(user: Option<&str>, host: &str, port: Option<u16>) -> Endpoint {
        Endpoint::Ssh { user: user.map(Into::into), host: host.into(), port }
    }

    #[track_caller]
    fn check(text: &str, expected: &Endpoint) {
        assert_eq!(&Endpoint::parse(text).unwrap(), expected, "{text}");
    }

    #[track_caller]
    fn check_error(text: &str, words: &str) {
        let error = Endpoint::parse(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }

    #[test]
    fn addresses() {
        check("unix:///var/run/docker.sock", &Endpoint::Unix("/var/run/docker.sock".into()));
        check("tcp://10.0.0.1:2376", &tcp("10.0.0.1", 2376, "", false));
        check("tcp://socket-proxy", &tcp("socket-proxy", 2375, "", false));
        check("http://proxy:2375/docker/", &tcp("proxy", 2375, "/docker", false));
        check("https://proxy", &tcp("proxy", 443, "", true));
        check("tcp://[fd00::1]:2375", &tcp("fd00::1", 2375, "", false));
        check("ssh://root@host", &ssh(Some("root"), "host", None));
        check("ssh://host:2222/run/x.sock", &ssh(None, "host", Some(2222)));
    }

    #[test]
    fn mistakes() {
        check_error("/var/run/docker.sock", "expected unix://");
        check_error("unix://", "path of a socket");
        check_error("tcp://:2375", "host:port");
        check_error("tcp://host:port", "host:port");
        check_error("ftp://host", "scheme");
        check_error("npipe:////./pipe/docker_engine", "Windows");
        check_error("ssh://-oProxyCommand=x", "dash");
    }
}
