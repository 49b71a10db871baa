//! [`Trusted`]: whose word about other addresses is believed.

use std::net::IpAddr;

use ipnet::IpNet;

/// Addresses and networks of an option such as `trustedIPs`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trusted {
    everybody: bool,
    networks: Vec<IpNet>,
}

/// An entry that is neither an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is neither an IP address nor a network such as 10.0.0.0/8")]
pub struct BadNetwork(pub String);

impl Trusted {
    pub(crate) fn new(everybody: bool, entries: &[String]) -> Result<Self, BadNetwork> {
        let networks = entries.iter().map(|entry| network(entry.trim()).ok_or_else(|| BadNetwork(entry.clone())));
        Ok(Self { everybody, networks: networks.collect::<Result<_, _>>()? })
    }

    /// Whether that peer is believed.
    pub(crate) fn contains(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.everybody || self.networks.iter().any(|network| network.contains(&peer))
    }
}

fn network(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical().into());
    }
    text.parse::<IpNet>().ok().map(|network| network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(entries: &[&str], peer: &str, expected: bool) {
        let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
        assert_eq!(Trusted::new(false, &entries).unwrap().contains(peer.parse().unwrap()), expected);
    }

    #[test]
    fn addresses_and_networks() {
        check(&["127.0.0.8/31", "10.0.0.1"], "127.0.0.9", true);
        check(&["127.0.0.8/31", "10.0.0.1"], "127.0.0.10", false);
        check(&["10.0.0.1"], "::ffff:10.0.0.1", true);
        check(&["10.9.9.9/8"], "10.1.1.1", true);
        check(&["fd00::/8"], "fd12::1", true);
        check(&[], "127.0.0.1", false);
        assert!(Trusted::new(true, &[]).unwrap().contains("192.0.2.1".parse().unwrap()));
        assert_eq!(Trusted::new(false, &["ten".into()]).unwrap_err(), BadNetwork("ten".into()));
    }
}
