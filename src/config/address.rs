//! An entry point's address: `[host]:port[/tcp|/udp]`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// See the module. `host` is empty for "every address of this machine"; an IPv6 host keeps its square brackets off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryAddress {
    pub host: String,
    pub port: u16,
    pub udp: bool,
}

/// Why a text is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    #[error("invalid protocol {0:?}, expected tcp or udp")]
    Protocol(String),
    #[error("address {0:?} has no port")]
    NoPort(String),
    #[error("{0:?} is not a port between 0 and 65535")]
    Port(String),
    #[error("{0:?} is not a host: an IPv6 address stands in square brackets")]
    Host(String),
}

impl FromStr for EntryAddress {
    type Err = BadAddress;
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let (address, protocol) = text.split_once('/').unwrap_or((text, ""));
        let udp = match protocol.to_ascii_lowercase().as_str() {
            "" | "tcp" => false,
            "udp" => true,
            _ => return Err(BadAddress::Protocol(protocol.to_owned())),
        };
        let (host, port) = address.rsplit_once(':').ok_or_else(|| BadAddress::NoPort(address.to_owned()))?;
        let host = match host.strip_prefix('[').map(|inner| inner.strip_suffix(']')) {
            Some(Some(inner)) => inner,
            Some(None) => return Err(BadAddress::Host(host.to_owned())),
            None if host.contains(':') => return Err(BadAddress::Host(host.to_owned())),
            None => host,
        };
        let port = match port {
            "http" => 80,
            "https" => 443,
            number => number.parse().map_err(|_| BadAddress::Port(number.to_owned()))?,
        };
        Ok(Self { host: host.to_owned(), port, udp })
    }
}

impl fmt::Display for EntryAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)?;
        } else {
            write!(f, "{}:{}", self.host, self.port)?;
        }
        f.write_str(if self.udp { "/udp" } else { "" })
    }
}

impl Serialize for EntryAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EntryAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(AddressVisitor)
    }
}

struct AddressVisitor;

impl Visitor<'_> for AddressVisitor {
    type Value = EntryAddress;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address such as :80, 127.0.0.1:8080 or :53/udp")
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<EntryAddress, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{BadAddress, EntryAddress};

    #[track_caller]
    fn check(text: &str, host: &str, port: u16, udp: bool) {
        assert_eq!(text.parse(), Ok(EntryAddress { host: host.into(), port, udp }), "{text}");
    }

    #[test]
    fn reads_every_form() {
        check(":80", "", 80, false);
        check(":80/tcp", "", 80, false);
        check(":53/UDP", "", 53, true);
        check("127.0.0.1:8080", "127.0.0.1", 8080, false);
        check("[::1]:443/Tcp", "::1", 443, false);
        check("localhost:0", "localhost", 0, false);
        check(":https", "", 443, false);
    }

    #[test]
    fn says_what_is_wrong() {
        let wrong = |text: &str| text.parse::<EntryAddress>().unwrap_err();
        assert_eq!(wrong("80"), BadAddress::NoPort("80".into()));
        assert_eq!(wrong(":80/quic"), BadAddress::Protocol("quic".into()));
        assert_eq!(wrong(":smtp"), BadAddress::Port("smtp".into()));
        assert_eq!(wrong(":65536"), BadAddress::Port("65536".into()));
        assert_eq!(wrong("::1:80"), BadAddress::Host("::1".into()));
        assert_eq!(wrong("[::1:80"), BadAddress::Host("[::1".into()));
    }

    #[test]
    fn shows_what_it_read() {
        for text in [":80", "[::1]:53/udp", "127.0.0.1:1"] {
            assert_eq!(text.parse::<EntryAddress>().unwrap().to_string(), text);
        }
    }
}
