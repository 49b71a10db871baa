//! [`Inherited`]: sockets that listen already, opened by the process before this one or by systemd.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};

use socket2::SockRef;
use trafficcop_config::EntryAddress;

use crate::listen;

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Tcp,
    Udp,
    /// HTTP/3 beside a TCP port.
    Quic,
}

/// One socket, and whose it is by name, if it has one.
#[derive(Debug)]
pub struct Socket {
    pub purpose: Purpose,
    /// The entry point; None: found by its address.
    pub name: Option<String>,
    pub socket: OwnedFd,
    /// Of HTTP/3: the ways to connections of the processes before.
    pub relays: Vec<Relay>,
}

/// Where datagrams go that are for connections of an older process, and the key of their ids.
#[derive(Debug)]
pub struct Relay {
    pub socket: OwnedFd,
    pub key: u64,
}

/// Sockets that wait for their entry points. What no entry point takes is closed with the value.
#[derive(Debug, Default)]
pub struct Inherited(Vec<Socket>);

impl Inherited {
    pub fn new(sockets: Vec<Socket>) -> Self {
        Self(sockets)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry point's name, if sockets were given by it and not by their address.
    pub(crate) fn named(&self, name: &str) -> Option<String> {
        self.0.iter().find_map(|socket| socket.name.clone().filter(|known| known == name))
    }

    pub(crate) fn listeners(&mut self, name: &str, address: &EntryAddress) -> io::Result<Vec<TcpListener>> {
        self.take(Purpose::Tcp, name, address).into_iter().map(|socket| listener(socket.into())).collect()
    }

    pub(crate) fn datagrams(&mut self, name: &str, address: &EntryAddress) -> io::Result<Vec<UdpSocket>> {
        self.take(Purpose::Udp, name, address).into_iter().map(|socket| datagram(socket.into())).collect()
    }

    #[cfg(feature = "http3")]
    pub(crate) fn quic(&mut self, name: &str, address: &EntryAddress) -> io::Result<Option<(UdpSocket, Vec<Relay>)>> {
        let found = self.take_all(Purpose::Quic, name, address).pop();
        found.map(|found| Ok((datagram(found.socket.into())?, found.relays))).transpose()
    }

    fn take(&mut self, purpose: Purpose, name: &str, address: &EntryAddress) -> Vec<OwnedFd> {
        self.take_all(purpose, name, address).into_iter().map(|socket| socket.socket).collect()
    }

    fn take_all(&mut self, purpose: Purpose, name: &str, address: &EntryAddress) -> Vec<Socket> {
        let is_meant = |socket: &mut Socket| {
            let is_here = || local(&socket.socket).is_some_and(|local| listen::is_at(address, local));
            socket.purpose == purpose && socket.name.as_ref().map_or_else(is_here, |known| known == name)
        };
        self.0.extract_if(.., is_meant).collect()
    }
}

/// Copies of the sockets that a server listens on, for the process after this one.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    sockets: Vec<Socket>,
    /// Of those for HTTP/3, in their order.
    #[cfg(feature = "http3")]
    passages: Vec<std::sync::Arc<crate::http3::Passage>>,
}

impl Kept {
    pub(crate) fn keep(&mut self, purpose: Purpose, name: Option<&String>, socket: &impl AsFd) -> io::Result<()> {
        let socket = socket.as_fd().try_clone_to_owned()?;
        self.sockets.push(Socket { purpose, name: name.cloned(), socket, relays: Vec::new() });
        Ok(())
    }

    #[cfg(feature = "http3")]
    pub(crate) fn keep_quic(
        &mut self,
        name: Option<&String>,
        socket: &UdpSocket,
        passage: &std::sync::Arc<crate::http3::Passage>,
    ) -> io::Result<()> {
        self.passages.push(std::sync::Arc::clone(passage));
        self.keep(Purpose::Quic, name, socket)
    }

    pub(crate) fn copies(&self) -> io::Result<Vec<Socket>> {
        let copy = |kept: &Socket| {
            let socket = kept.socket.try_clone()?;
            Ok(Socket { purpose: kept.purpose, name: kept.name.clone(), socket, relays: Vec::new() })
        };
        let copies: io::Result<Vec<_>> = self.sockets.iter().map(copy).collect();
        #[cfg(feature = "http3")]
        let copies = copies.and_then(|mut copies| {
            let quic = copies.iter_mut().filter(|socket| socket.purpose == Purpose::Quic);
            for (socket, passage) in quic.zip(&self.passages) {
                socket.relays = passage.offer()?;
            }
            Ok(copies)
        });
        copies
    }
}

fn local(socket: &OwnedFd) -> Option<SocketAddr> {
    SockRef::from(socket).local_addr().ok()?.as_socket()
}

fn listener(listener: TcpListener) -> io::Result<TcpListener> {
    listen::configure(&SockRef::from(&listener))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn datagram(socket: UdpSocket) -> io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(purpose: Purpose, name: Option<&str>, address: &str) -> (Socket, SocketAddr) {
        let listener = TcpListener::bind(address).unwrap();
        let local = listener.local_addr().unwrap();
        (Socket { purpose, name: name.map(String::from), socket: listener.into(), relays: Vec::new() }, local)
    }

    #[test]
    fn sockets_are_found_by_name_or_by_address() {
        let (first, at) = socket(Purpose::Tcp, None, "127.0.0.1:0");
        let (second, _) = socket(Purpose::Tcp, Some("web"), "127.0.0.1:0");
        let (third, _) = socket(Purpose::Udp, None, "127.0.0.1:0");
        let mut inherited = Inherited::new(vec![first, second, third]);
        let address = |text: String| text.parse::<EntryAddress>().unwrap();
        assert!(inherited.listeners("other", &address("127.0.0.1:1".into())).unwrap().is_empty());
        assert_eq!(inherited.listeners("web", &address("127.0.0.1:1".into())).unwrap().len(), 1, "by name");
        let found = inherited.listeners("any", &address(at.to_string())).unwrap();
        assert_eq!(found[0].local_addr().unwrap(), at, "by address");
        assert!(!inherited.is_empty(), "of another kind");
    }
}
