//! The PROXY protocol, versions 1 and 2: what a load balancer in front of us says about the client.
//!
//! Pure: bytes in, verdict out. The header of an untrusted peer is taken off the stream as well, and then not believed.

use std::net::SocketAddr;

use ppp::{HeaderResult, v1, v2};

/// Where the addresses came from, when the header said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
}

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Too short to tell.
    More,
    /// No header: the bytes are the stream itself.
    Absent,
    /// A header of so many bytes; without addresses the socket's own hold.
    Header { len: usize, addresses: Option<Addresses> },
    /// It began like a header and is none.
    Malformed,
}

const TEXT: &[u8] = b"PROXY";
const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Version 2 announces its own length; nobody needs more than this.
const LONGEST: usize = 4096;

/// Looks at what has come so far.
pub(crate) fn read(bytes: &[u8]) -> Verdict {
    let begins = |signature: &[u8]| bytes.iter().zip(signature).all(|(a, b)| a == b);
    if !begins(TEXT) && !begins(BINARY) {
        return Verdict::Absent;
    }
    if bytes.len() < TEXT.len() {
        return Verdict::More;
    }
    let Some(len) = (if begins(TEXT) { text_len(bytes) } else { binary_len(bytes) }) else { return Verdict::More };
    if len > LONGEST {
        return Verdict::Malformed;
    }
    let Some(header) = bytes.get(..len) else { return Verdict::More };
    match HeaderResult::parse(header) {
        HeaderResult::V1(Ok(header)) => Verdict::Header { len: header.header.len(), addresses: text(&header) },
        HeaderResult::V2(Ok(header)) => Verdict::Header { len: header.len(), addresses: binary(&header) },
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Verdict::Malformed,
    }
}

/// The length of a header of version 1, once it can be told; its longest form has 107 bytes.
fn text_len(bytes: &[u8]) -> Option<usize> {
    match memchr::memmem::find(&bytes[..bytes.len().min(107)], b"\r\n") {
        Some(end) => Some(end + 2),
        None if bytes.len() < 107 => None,
        None => Some(usize::MAX),
    }
}

/// The length that a header of version 2 announces.
fn binary_len(bytes: &[u8]) -> Option<usize> {
    let announced: [u8; 2] = bytes.get(14..16)?.try_into().ok()?;
    Some(16 + usize::from(u16::from_be_bytes(announced)))
}

fn text(header: &v1::Header<'_>) -> Option<Addresses> {
    match header.addresses {
        v1::Addresses::Unknown => None,
        v1::Addresses::Tcp4(ip) => Some(four(ip)),
        v1::Addresses::Tcp6(ip) => Some(six(ip)),
    }
}

fn binary(header: &v2::Header<'_>) -> Option<Addresses> {
    if header.command == v2::Command::Local {
        return None;
    }
    match header.addresses {
        v2::Addresses::IPv4(ip) => Some(four(ip)),
        v2::Addresses::IPv6(ip) => Some(six(ip)),
        v2::Addresses::Unspecified | v2::Addresses::Unix(_) => None,
    }
}

fn four(ip: ppp::v1::IPv4) -> Addresses {
    Addresses {
        source: (ip.source_address, ip.source_port).into(),
        destination: (ip.destination_address, ip.destination_port).into(),
    }
}

fn six(ip: ppp::v1::IPv6) -> Addresses {
    Addresses {
        source: (ip.source_address, ip.source_port).into(),
        destination: (ip.destination_address, ip.destination_port).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(source: &str, destination: &str) -> Addresses {
        Addresses { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: Verdict) {
        assert_eq!(read(bytes), expected);
    }

    #[test]
    fn version_1() {
        let line = b"PROXY TCP4 198.51.100.7 127.0.0.1 4000 80\r\n";
        let expected =
            Verdict::Header { len: line.len(), addresses: Some(addresses("198.51.100.7:4000", "127.0.0.1:80")) };
        check(line, expected);
        check(&[&line[..], b"GET / HTTP/1.1\r\n"].concat(), expected);
        check(b"PROXY UNKNOWN\r\n", Verdict::Header { len: 15, addresses: None });
        check(b"PROXY TCP4 x y 1 2\r\n", Verdict::Malformed);
        for cut in 0..line.len() {
            check(&line[..cut], Verdict::More);
        }
        check(&[b"PROXY TCP4 ", &[b'1'; 200][..]].concat(), Verdict::Malformed);
    }

    #[test]
    fn version_2() {
        let mut header = BINARY.to_vec();
        header.extend([0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0x10, 0, 0, 80]);
        let found = Some(addresses("192.0.2.1:4096", "192.0.2.2:80"));
        check(&header, Verdict::Header { len: 28, addresses: found });
        for cut in 0..header.len() {
            check(&header[..cut], Verdict::More);
        }
        header[12] = 0x20;
        check(&header, Verdict::Header { len: 28, addresses: None });
        header[14] = 0xff;
        check(&header, Verdict::Malformed);
    }

    #[test]
    fn what_is_no_header() {
        check(b"GET / HTTP/1.1\r\n", Verdict::Absent);
        check(b"PUT / HTTP/1.1\r\n", Verdict::Absent);
        check(b"PRI * HTTP/2.0\r\n", Verdict::Absent);
        check(b"\x16\x03\x01", Verdict::Absent);
    }
}
