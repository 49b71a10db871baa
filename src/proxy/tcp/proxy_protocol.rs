//! The PROXY header towards servers: who is really connected.

use std::net::{IpAddr, SocketAddr};

/// What version 2 begins with.
const SIGNATURE: [u8; 12] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];
/// Version 2, command PROXY.
const PROXY: u8 = 0x21;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// The header for a connection from `source` to `destination`. If one of them is IPv6, both are told as IPv6.
pub(super) fn header(version: Version, source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
    let (from, to) = (source.ip().to_canonical(), destination.ip().to_canonical());
    let ports = (source.port(), destination.port());
    if version == Version::One {
        let (family, from, to) = match (from, to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => ("TCP4", from.to_string(), to.to_string()),
            (from, to) => ("TCP6", six(from).to_string(), six(to).to_string()),
        };
        return format!("PROXY {family} {from} {to} {} {}\r\n", ports.0, ports.1).into_bytes();
    }
    let mut addresses = Vec::with_capacity(36);
    let family = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            addresses.extend(from.octets());
            addresses.extend(to.octets());
            TCP4
        }
        (from, to) => {
            addresses.extend(six(from).octets());
            addresses.extend(six(to).octets());
            TCP6
        }
    };
    addresses.extend(ports.0.to_be_bytes());
    addresses.extend(ports.1.to_be_bytes());
    let mut header = SIGNATURE.to_vec();
    header.extend([PROXY, family, 0, u8::try_from(addresses.len()).unwrap_or(36)]);
    header.extend(addresses);
    header
}

fn six(address: IpAddr) -> std::net::Ipv6Addr {
    match address {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) => six,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions() {
        let (from, to) = ("10.0.0.1:1000".parse().unwrap(), "10.0.0.2:443".parse().unwrap());
        assert_eq!(header(Version::One, from, to), b"PROXY TCP4 10.0.0.1 10.0.0.2 1000 443\r\n");
        let two = header(Version::Two, from, to);
        assert_eq!(two[12..16], [0x21, 0x11, 0, 12]);
        assert_eq!(two[16..], [10, 0, 0, 1, 10, 0, 0, 2, 0x03, 0xE8, 0x01, 0xBB]);
        let six = header(Version::Two, "[::1]:1".parse().unwrap(), to);
        assert_eq!((six.len(), six[13], six[15]), (16 + 36, 0x21, 36));
    }
}
