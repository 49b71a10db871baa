//! Tells systemd that the router is ready, is stopping, and is still alive (`Type=notify`, `WatchdogSec=`).
//!
//! Nothing is told where nobody listens: without `NOTIFY_SOCKET` all of this does nothing.

use std::io;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use trafficcop_server::{Inherited, Purpose, Socket};

use super::Start;

/// Where systemd listens, and how often it wants to hear that we live.
#[derive(Clone, Debug)]
pub(super) struct Systemd {
    address: Option<SocketAddr>,
    watchdog: Option<Duration>,
    /// Of the sockets that it gives, with colons between them.
    names: String,
}

impl Systemd {
    /// As the variables say. A name that begins with `@` is abstract: it stands in no file system.
    pub(super) fn of(start: &Start) -> Self {
        let variable = |name: &str| start.variables.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
        let address = variable("NOTIFY_SOCKET").filter(|name| !name.is_empty()).and_then(|name| {
            let address = match name.strip_prefix('@') {
                Some(name) => SocketAddr::from_abstract_name(name),
                None => SocketAddr::from_pathname(name),
            };
            address.ok()
        });
        let meant_for_us = variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let interval = variable("WATCHDOG_USEC").and_then(|text| text.parse().ok()).filter(|micros| *micros > 0);
        let watchdog = interval.filter(|_| meant_for_us && address.is_some()).map(Duration::from_micros);
        Self { address, watchdog, names: variable("LISTEN_FDNAMES").unwrap_or_default().to_owned() }
    }

    pub(super) fn ready(&self) {
        self.tell("READY=1");
    }

    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// Another process is the service from now on.
    pub(super) fn is_now(&self, pid: u32) {
        self.tell(&format!("MAINPID={pid}"));
    }

    /// The sockets that systemd opened (`LISTEN_FDS`), each for the entry point that its unit's
    /// `FileDescriptorName=` names, or for the one with its address.
    pub(super) fn sockets(&self) -> Inherited {
        let mut given = listenfd::ListenFd::from_env();
        let names: Vec<&str> = self.names.split(':').collect();
        let mut sockets = Vec::new();
        for index in 0..given.len() {
            // A unit without the option has the unit's own name, which no entry point has.
            let name = names.get(index).filter(|name| !name.is_empty() && !name.contains('.')).copied();
            let tcp = given.take_tcp_listener(index).ok().flatten();
            let socket = match tcp {
                Some(listener) => Some((Purpose::Tcp, OwnedFd::from(listener))),
                None => given.take_udp_socket(index).ok().flatten().map(|socket| (Purpose::Udp, socket.into())),
            };
            if let Some((purpose, socket)) = socket {
                sockets.push(Socket { purpose, name: name.map(str::to_owned), socket, relays: Vec::new() });
            } else {
                tracing::warn!(index, name, "systemd gave a socket that is neither TCP nor UDP.");
            }
        }
        Inherited::new(sockets)
    }

    pub(super) fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    /// How often [`Systemd::alive`] must be called: twice as often as systemd looks.
    pub(super) fn interval(&self) -> Option<Duration> {
        self.watchdog.map(|interval| interval / 2)
    }

    fn tell(&self, state: &str) {
        let Some(address) = &self.address else { return };
        let send = || -> io::Result<usize> { UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), address) };
        if let Err(error) = send() {
            tracing::warn!(%error, state, "Could not notify systemd.");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::time::Duration;

    use super::{Start, Systemd};

    fn of(variables: &[(&str, &str)]) -> Systemd {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Systemd::of(&Start { variables, ..Start::default() })
    }

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 64];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    #[test]
    fn systemd_hears_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let systemd = of(&[("NOTIFY_SOCKET", path.to_str().unwrap())]);
        systemd.ready();
        assert_eq!(heard(&socket), "READY=1");
        systemd.alive();
        assert_eq!(heard(&socket), "WATCHDOG=1");
        systemd.stopping();
        assert_eq!(heard(&socket), "STOPPING=1");
    }

    #[test]
    fn the_watchdog_is_asked_for_by_variables() {
        let socket = ("NOTIFY_SOCKET", "/run/systemd/notify");
        let check = |variables: &[(&str, &str)], millis: Option<u64>| {
            assert_eq!(of(variables).interval(), millis.map(Duration::from_millis), "{variables:?}");
        };
        check(&[socket], None);
        check(&[socket, ("WATCHDOG_USEC", "1000000")], Some(500));
        check(&[("WATCHDOG_USEC", "1000000")], None);
        check(&[socket, ("WATCHDOG_USEC", "1000000"), ("WATCHDOG_PID", "1")], None);
        check(&[socket, ("WATCHDOG_USEC", "0")], None);
    }
}
