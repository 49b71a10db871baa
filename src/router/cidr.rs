//! Addresses and ranges of clients.

use std::net::IpAddr;

use ipnet::IpNet;

/// A set of addresses. IPv4 addresses within IPv6 (`::ffff:1.2.3.4`) count as IPv4 on both sides.
#[derive(Clone, Debug)]
pub(crate) struct AddressSet {
    ranges: Box<[IpNet]>,
}

impl AddressSet {
    /// Reads one address or range; host bits behind the prefix are ignored.
    pub(crate) fn range(text: &str) -> Option<IpNet> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(IpNet::from(address.to_canonical()));
        }
        let range = text.parse::<IpNet>().ok()?.trunc();
        Some(match (range.addr().to_canonical(), range.prefix_len()) {
            (IpAddr::V4(address), prefix) if range.addr().is_ipv6() => {
                IpNet::new(IpAddr::V4(address), prefix.saturating_sub(96)).ok()?
            }
            _ => range,
        })
    }

    pub(crate) fn new(ranges: Vec<IpNet>) -> Self {
        Self { ranges: ranges.into() }
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.ranges.iter().any(|range| range.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::AddressSet;

    #[track_caller]
    fn check(range: &str, inside: &[&str], outside: &[&str]) {
        let set = AddressSet::new(vec![AddressSet::range(range).unwrap()]);
        for address in inside {
            assert!(set.contains(address.parse().unwrap()), "{address} is in {range}");
        }
        for address in outside {
            assert!(!set.contains(address.parse().unwrap()), "{address} is not in {range}");
        }
    }

    #[test]
    fn addresses_and_ranges() {
        check("10.0.0.1", &["10.0.0.1", "::ffff:10.0.0.1"], &["10.0.0.2"]);
        check("10.1.2.3/8", &["10.200.0.1", "::ffff:10.0.0.1"], &["11.0.0.1", "::1"]);
        check("::ffff:10.0.0.1", &["10.0.0.1"], &["::1"]);
        check("::ffff:10.0.0.0/104", &["10.9.0.1"], &["11.0.0.1"]);
        check("fe80::/16", &["fe80::1"], &["fe81::1", "10.0.0.1"]);
        check("::/0", &["::1"], &["10.0.0.1"]);
        check("0.0.0.0/0", &["10.0.0.1"], &["::1"]);
    }

    #[test]
    fn everything_else_is_refused() {
        for text in ["", "10.0.0", "10.0.0.0/33", " 10.0.0.1", "fe80::1%eth0", "host"] {
            assert!(AddressSet::range(text).is_none(), "{text:?}");
        }
    }
}
