//! Which address of a request a middleware looks at; shared by everything with an `ipStrategy`.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use trafficcop_exchange::{ConnectionInfo, Headers};

use crate::BuildError;

/// The setting. Without it the peer's address is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IpStrategy {
    /// The N-th address from the right of `X-Forwarded-For`; 0 means the peer.
    #[serde(skip_serializing_if = "is_zero")]
    depth: i64,
    /// The first address from the right that is none of these.
    #[serde(rename = "excludedIPs", skip_serializing_if = "Vec::is_empty")]
    excluded_ips: Vec<String>,
    /// Prefix length to which IPv6 addresses are cut when they are keys.
    #[serde(rename = "ipv6Subnet", skip_serializing_if = "Option::is_none")]
    ipv6_subnet: Option<i64>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes references
fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// The setting, built.
#[derive(Clone, Debug)]
pub(crate) enum Strategy {
    Peer { subnet: Option<u8> },
    Depth { depth: usize, subnet: Option<u8> },
    Excluded { networks: Vec<IpNet> },
}

impl IpStrategy {
    pub(crate) fn build(&self) -> Result<Strategy, BuildError> {
        let subnet = match self.ipv6_subnet {
            None => None,
            Some(length @ 1..=128) => Some(length as u8),
            Some(other) => {
                return Err(BuildError::invalid(format!(
                    "invalid IPv6 subnet {other} value, should be greater to 0 and lower or equal to 128"
                )));
            }
        };
        if self.depth < 0 {
            return Err(BuildError::invalid(format!("invalid depth value {}, should be 0 or more", self.depth)));
        }
        if self.depth > 0 {
            return Ok(Strategy::Depth { depth: self.depth as usize, subnet });
        }
        if self.excluded_ips.is_empty() {
            return Ok(Strategy::Peer { subnet });
        }
        Ok(Strategy::Excluded { networks: networks(&self.excluded_ips)? })
    }
}

impl Strategy {
    /// The strategy of a middleware that was given none.
    pub(crate) fn peer() -> Self {
        Self::Peer { subnet: None }
    }

    /// The address, or None when `X-Forwarded-For` has no such one.
    pub(crate) fn address(&self, headers: &Headers, connection: &ConnectionInfo) -> Option<IpAddr> {
        match self {
            Self::Peer { subnet } => Some(cut(canonical(connection.peer.ip()), *subnet)),
            Self::Depth { depth, subnet } => {
                let forwarded = forwarded(headers);
                let index = forwarded.len().checked_sub(*depth)?;
                parse(&forwarded[index]).map(|address| cut(address, *subnet))
            }
            Self::Excluded { networks } => forwarded(headers)
                .iter()
                .rev()
                .filter(|text| !text.is_empty())
                .find(|text| !parse(text).is_some_and(|address| networks.iter().any(|net| net.contains(&address))))
                .and_then(|text| parse(text)),
        }
    }
}

fn forwarded(headers: &Headers) -> Vec<String> {
    headers
        .get_all("X-Forwarded-For")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(|item| String::from_utf8_lossy(item).trim().to_owned())
        .collect()
}

/// An address with or without brackets, port or zone.
fn parse(text: &str) -> Option<IpAddr> {
    let without_zone = text.split('%').next().unwrap_or(text);
    let address =
        without_zone.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(canonical(address))
}

/// An IPv4 address that came as IPv6 is an IPv4 address: no list may be passed by spelling.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn cut(address: IpAddr, subnet: Option<u8>) -> IpAddr {
    match (address, subnet) {
        (IpAddr::V6(v6), Some(length)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(v6) & mask))
        }
        _ => address,
    }
}

/// Addresses and CIDR ranges.
pub(crate) fn networks(list: &[String]) -> Result<Vec<IpNet>, BuildError> {
    list.iter().map(|text| network(text.trim())).collect()
}

fn network(text: &str) -> Result<IpNet, BuildError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(canonical(address)));
    }
    let net: IpNet = text.parse().map_err(|_| BuildError::invalid(format!("invalid CIDR address: {text}")))?;
    Ok(match net {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => match v6.addr().to_ipv4_mapped() {
            Some(v4) => ipnet::Ipv4Net::new(v4, v6.prefix_len() - 96).map_or(net, IpNet::V4),
            None => net,
        },
        _ => net,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[track_caller]
    fn check(strategy: &IpStrategy, forwarded: &'static str, expected: Option<&str>) {
        let headers: Headers = [("X-Forwarded-For", forwarded)].into_iter().collect();
        let found = strategy.build().expect("a good strategy").address(&headers, &testing::exchange().connection);
        assert_eq!(found, expected.map(|text| text.parse().expect("an address")));
    }

    #[test]
    fn depth_counts_from_the_right() {
        let strategy = IpStrategy { depth: 2, ..IpStrategy::default() };
        check(&strategy, "1.1.1.1, 2.2.2.2, 3.3.3.3", Some("2.2.2.2"));
        check(&strategy, "3.3.3.3", None);
        check(&IpStrategy::default(), "3.3.3.3", Some("10.0.0.1"));
    }

    #[test]
    fn excluded_addresses_are_passed_over() {
        let strategy = IpStrategy { excluded_ips: vec!["3.3.0.0/16".into()], ..IpStrategy::default() };
        check(&strategy, "1.1.1.1, 2.2.2.2, 3.3.3.3", Some("2.2.2.2"));
        check(&strategy, "3.3.3.3", None);
    }

    #[test]
    fn ipv6_is_cut_and_mapped_ipv4_is_ipv4() {
        let strategy = IpStrategy { depth: 1, ipv6_subnet: Some(64), ..IpStrategy::default() };
        check(&strategy, "2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2::"));
        check(&strategy, "::ffff:1.2.3.4", Some("1.2.3.4"));
        assert!(
            networks(&["::ffff:10.0.0.0/104".into()]).expect("a range")[0]
                .contains(&"10.9.9.9".parse::<IpAddr>().expect("an address"))
        );
        assert!(networks(&["10.0.0.300".into()]).is_err());
    }
}
