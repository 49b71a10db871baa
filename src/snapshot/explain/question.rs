//! [`Question`]: the request that is asked about, taken from a URL.

use std::net::{IpAddr, Ipv4Addr};

/// A request that nobody sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub is_tls: bool,
    /// As a `Host` header would have it.
    pub authority: String,
    pub port: u16,
    /// Escaped, beginning with a slash.
    pub path: String,
    pub query: Option<String>,
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub client_ip: IpAddr,
    /// What a ClientHello asks for, when it is not the host.
    pub sni: Option<String>,
    /// Instead of the one that listens on the port.
    pub entry_point: Option<String>,
}

impl Question {
    /// A GET from this machine. Without a scheme the URL is one of plain HTTP.
    pub fn of_url(url: &str) -> Result<Self, String> {
        let (is_tls, rest) = match url.split_once("://") {
            None => (false, url),
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some((scheme, _)) => return Err(format!("the scheme of {url:?} is {scheme}, not http or https")),
        };
        let rest = rest.split('#').next().unwrap_or("");
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.is_empty() || authority.contains('@') {
            return Err(format!("{url:?} is no URL with a host and without a user, such as https://a.example/path"));
        }
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let behind_colon = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
        let port = match behind_colon {
            Some(port) => port.parse().map_err(|_| format!("the port of {url:?} is {port:?}, not a number"))?,
            None if is_tls => 443,
            None => 80,
        };
        Ok(Self {
            is_tls,
            authority: authority.to_owned(),
            port,
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            query: query.map(str::to_owned),
            method: "GET".to_owned(),
            headers: Vec::new(),
            client_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            sni: None,
            entry_point: None,
        })
    }

    /// Sets one of the options that the command and the API share: `method`, `header`, `client-ip`, `sni`, `entry-point`.
    pub fn set(&mut self, option: &str, value: &str) -> Result<(), String> {
        match option {
            "method" => value.clone_into(&mut self.method),
            "header" => {
                let (name, value) = value.split_once(':').ok_or_else(|| format!("{value:?} is not `name: value`"))?;
                self.headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            "client-ip" => self.client_ip = value.parse().map_err(|_| format!("{value:?} is no IP address"))?,
            "sni" => self.sni = Some(value.to_ascii_lowercase()),
            "entry-point" => self.entry_point = Some(value.to_owned()),
            _ => return Err(format!("there is no option {option}")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Question;

    #[test]
    fn urls_are_taken_apart() {
        let check = |url: &str, expected: (bool, &str, u16, &str)| {
            let asked = Question::of_url(url).unwrap();
            assert_eq!((asked.is_tls, asked.authority.as_str(), asked.port, asked.path.as_str()), expected, "{url}");
        };
        check("a.example", (false, "a.example", 80, "/"));
        check("https://a.example/x?y=1", (true, "a.example", 443, "/x"));
        check("http://[::1]:8080/x", (false, "[::1]:8080", 8080, "/x"));
        check("http://[::1]/x", (false, "[::1]", 80, "/x"));
        for url in ["ftp://a", "http:///x", "http://u@a/", "http://a:b/"] {
            assert!(Question::of_url(url).is_err(), "{url}");
        }
    }
}
