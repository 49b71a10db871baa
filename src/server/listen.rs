//! Sockets that listen: one per worker on the same address where the system shares connections out among them
//! (`SO_REUSEPORT`), else one for all.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use trafficcop_config::EntryAddress;

/// Connections that wait to be accepted, at most; the system may allow fewer.
const BACKLOG: i32 = 4096;
/// How long a silent peer goes unprobed.
const KEEP_ALIVE: Duration = Duration::from_mins(3);

/// Binds `address` once per worker, or once if the system does not share connections out. `reuse_port`: other processes
/// may listen there too; without it an address that is taken is an error.
pub(crate) fn listen(address: &EntryAddress, workers: usize, reuse_port: bool) -> io::Result<Vec<TcpListener>> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address");
    for candidate in candidates(address)? {
        match bind_all(candidate, workers, reuse_port) {
            Ok(listeners) => return Ok(listeners),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// UDP sockets on `address`: one per worker, or one if the system does not share datagrams out by their sender.
pub(crate) fn datagrams(address: &EntryAddress, workers: usize, reuse_port: bool) -> io::Result<Vec<UdpSocket>> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the host has no address");
    for candidate in candidates(address)? {
        match bind_datagrams(candidate, workers, reuse_port) {
            Ok(sockets) => return Ok(sockets),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_datagrams(address: SocketAddr, workers: usize, reuse_port: bool) -> io::Result<Vec<UdpSocket>> {
    let shared = cfg!(target_os = "linux");
    if shared && !reuse_port && address.port() != 0 {
        open_datagrams(address, false)?;
    }
    let first = open_datagrams(address, shared)?;
    let address = first.local_addr()?;
    let mut sockets = vec![first];
    for _ in 1..if shared { workers } else { 1 } {
        sockets.push(open_datagrams(address, shared)?);
    }
    Ok(sockets)
}

fn open_datagrams(address: SocketAddr, shared: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    #[cfg(target_os = "linux")]
    if shared {
        socket.set_reuse_port(true)?;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = shared;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Where to try, in order. No host: both families on one socket, or IPv4 alone on machines without IPv6.
fn candidates(address: &EntryAddress) -> io::Result<Vec<SocketAddr>> {
    if address.host.is_empty() {
        let unspecified = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
        return Ok(unspecified.map(|ip| SocketAddr::new(ip, address.port)).to_vec());
    }
    let mut found: Vec<_> = (address.host.as_str(), address.port).to_socket_addrs()?.collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    found.truncate(1);
    Ok(found)
}

fn bind_all(address: SocketAddr, workers: usize, reuse_port: bool) -> io::Result<Vec<TcpListener>> {
    let shared = cfg!(target_os = "linux");
    if !shared {
        return Ok(vec![open(address, false, true)?]);
    }
    if !reuse_port && address.port() != 0 {
        // With SO_REUSEPORT a second process of ours would be let in without a word; so ask once without it.
        open(address, false, false)?;
    }
    let first = open(address, true, true)?;
    // Port 0 was settled by the first.
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..workers {
        listeners.push(open(address, true, true)?);
    }
    Ok(listeners)
}

fn open(address: SocketAddr, shared: bool, listening: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    #[cfg(target_os = "linux")]
    if shared {
        socket.set_reuse_port(true)?;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = shared;
    // Accepted sockets inherit these on Linux, which saves two calls for each.
    configure(&socket)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    if listening {
        socket.listen(BACKLOG)?;
    }
    Ok(socket.into())
}

/// The UDP socket beside TCP sockets on `address`. One, however many workers there are.
#[cfg(feature = "http3")]
pub(crate) fn listen_quic(address: SocketAddr, reuse_port: bool) -> io::Result<std::net::UdpSocket> {
    /// Room for what arrives while the worker does something else; the system may allow less.
    const BUFFER: usize = 2 << 20;
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    #[cfg(target_os = "linux")]
    socket.set_reuse_port(reuse_port)?;
    #[cfg(not(target_os = "linux"))]
    let _ = reuse_port;
    let _as_large_as_it_is = socket.set_recv_buffer_size(BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Whether a socket at `local` is what would be opened for `address`.
pub(crate) fn is_at(address: &EntryAddress, local: SocketAddr) -> bool {
    local.port() == address.port && candidates(address).is_ok_and(|all| all.iter().any(|one| one.ip() == local.ip()))
}

pub(crate) fn configure(socket: &Socket) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE))
}

/// Makes an accepted socket what the listening one was, where it is not inherited.
#[cfg(not(target_os = "linux"))]
pub(crate) fn adopt(stream: &tokio::net::TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)
}

/// The most files this process may have open, after raising its own limit as far as it may.
pub(crate) fn open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let effective = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    effective.unwrap_or(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_gets_a_socket_on_one_port() {
        let listeners = listen(&"127.0.0.1:0".parse().unwrap(), 3, false).unwrap();
        let ports: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!(ports.iter().all(|port| *port == ports[0] && *port != 0), "{ports:?}");
    }

    #[test]
    fn an_address_that_is_taken_is_an_error() {
        let taken = listen(&"127.0.0.1:0".parse().unwrap(), 1, false).unwrap();
        let address = taken[0].local_addr().unwrap().to_string();
        let error = listen(&address.parse().unwrap(), 1, false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(listen(&address.parse().unwrap(), 1, true).is_ok(), "asked to share");
    }
}
